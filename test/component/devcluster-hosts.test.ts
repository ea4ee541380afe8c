import { mkdtemp, rm } from 'node:fs/promises';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { demoImage, ensureImages } from '../../src/devcluster/images.ts';
import { listenHttpInNetns } from '../../src/devcluster/netns-listener.ts';
import { devClusterConfig } from '../../src/devcluster/options.ts';
import { processesOfCluster } from '../../src/devcluster/processes.ts';
import { Substrate } from '../../src/devcluster/substrate.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { run, tryRun } from '../../src/runtime/process.ts';
import { emptyPicture, pictureOf, uniqueClusterName } from '../support/machine.ts';

const name = uniqueClusterName();
const log = createLogger('test', 'warn');
let stateDir = '';
let substrate: Substrate | undefined;

beforeAll(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'pp-'));
  const config = devClusterConfig({ name, hosts: 3, stateDir });
  const dockerHost = process.env['DOCKER_HOST'];
  substrate = await Substrate.build(config, { log, dockerHost, progress: () => undefined });
}, 120_000);

afterAll(async () => {
  await substrate?.close();
  await rm(stateDir, { recursive: true, force: true });
}, 60_000);

function host(number: number) {
  const found = substrate?.hosts[number - 1];
  if (found === undefined) throw new Error(`no host ${number}`);
  return found;
}

const ping = (from: number, ip: string) =>
  tryRun('ping', ['-c', '1', '-W', '2', ip], { netns: host(from).plan.netns });

test('every host reaches every other over the underlay, and each packet is answered once', async () => {
  for (const from of [1, 2, 3]) {
    for (const to of [1, 2, 3].filter((each) => each !== from)) {
      const { underlayIp } = host(to).plan;
      const result = await tryRun('ping', ['-c', '2', '-i', '0.2', '-W', '2', underlayIp], {
        netns: host(from).plan.netns,
      });
      expect(result.stdout).toContain('2 received, 0% packet loss');
      expect(result.stdout).not.toContain('DUP');
    }
  }
});

test('the hosts reach the root namespace over the management network', async () => {
  const result = await ping(2, substrate!.plan.managementGateway);
  expect(result.exitCode).toBe(0);
});

test('frames of full size cross a VXLAN tunnel between two hosts', async () => {
  await makeTunnel(1, 2);
  await makeTunnel(2, 1);
  const result = await tryRun(
    'ping',
    ['-c', '3', '-i', '0.2', '-M', 'do', '-s', '1422', '-W', '2', '10.99.7.2'],
    {
      netns: host(1).plan.netns,
    },
  );
  // The first packet may be lost: the tunnel code resolves its neighbour with it.
  expect(result.exitCode).toBe(0);
});

async function makeTunnel(from: number, to: number): Promise<void> {
  const { plan, ovsRunDir } = host(from);
  const remote = `options:remote_ip=${host(to).plan.underlayIp}`;
  const bridge = ['--', 'add-br', 'br-try', '--', 'set', 'bridge', 'br-try', 'datapath_type=netdev'];
  const port = ['--', 'add-port', 'br-try', 'vx0', '--', 'set', 'interface', 'vx0', 'type=vxlan', remote];
  await run('ovs-vsctl', ['--timeout=10', ...bridge, ...port], { env: { OVS_RUNDIR: ovsRunDir } });
  await run('ip', ['-n', plan.netns, 'address', 'add', `10.99.7.${from}/24`, 'dev', 'br-try']);
  await run('ip', ['-n', plan.netns, 'link', 'set', 'br-try', 'mtu', '1450', 'up']);
}

test('a host whose switch was killed forwards again after the restart', async () => {
  await host(3).switch.crash();
  expect(host(3).switch.running).toBe(false);
  expect((await ping(1, host(3).plan.underlayIp)).exitCode).not.toBe(0);
  await host(3).restartSwitch();
  expect((await ping(1, host(3).plan.underlayIp)).exitCode).toBe(0);
});

test('a host that is cut off keeps its underlay, unless that is cut too, and heals', async () => {
  await host(2).cut('management');
  expect((await ping(2, substrate!.plan.managementGateway)).exitCode).not.toBe(0);
  expect((await ping(2, host(1).plan.underlayIp)).exitCode).toBe(0);
  await host(2).cut('all');
  expect((await ping(2, host(1).plan.underlayIp)).exitCode).not.toBe(0);
  await host(2).heal();
  expect((await ping(2, substrate!.plan.managementGateway)).exitCode).toBe(0);
  expect((await ping(2, host(1).plan.underlayIp)).exitCode).toBe(0);
});

test('the root namespace has no way to the underlay and to the containers', async () => {
  for (const ip of [host(1).plan.underlayIp, '10.32.0.5']) {
    const way = await tryRun('ip', ['route', 'get', ip]);
    expect(way.stderr).toContain('No route to host');
  }
});

test('a server that listens in a namespace is reached from inside it alone', async () => {
  const server = http.createServer((_request, response) => response.end('from inside'));
  await listenHttpInNetns(server, host(1).plan.netns, 5051);
  try {
    const url = 'http://127.0.0.1:5051/';
    const inside = await run('busybox', ['wget', '-q', '-O', '-', url], { netns: host(1).plan.netns });
    expect(inside).toBe('from inside');
    const elsewhere = await tryRun('busybox', ['wget', '-q', '-O', '-', url], { netns: host(2).plan.netns });
    expect(elsewhere.exitCode).not.toBe(0);
    const root = await tryRun('busybox', ['wget', '-q', '-O', '-', url]);
    expect(root.stdout).not.toBe('from inside');
  } finally {
    server.close();
  }
});

test('the demo image runs, names its incarnation and ends at once when asked to', async () => {
  const { client } = substrate!.engine;
  const container = await client.createContainer({
    Image: demoImage,
    Env: ['PATCHPANEL_SLOT=0', 'VERSION=7'],
    Hostname: '0-web',
    HostConfig: { NetworkMode: 'none' },
  });
  try {
    await container.start();
    const answer = await run(
      'docker',
      ['exec', container.id, 'wget', '-q', '-T', '5', '-O', '-', 'http://127.0.0.1/'],
      {
        env: { DOCKER_HOST: substrate!.engine.dockerHost },
      },
    );
    expect(JSON.parse(answer)).toMatchObject({
      slot: '0',
      hostname: '0-web',
      version: '7',
      client: '127.0.0.1',
    });
    await container.stop({ t: 20 });
    expect((await container.inspect()).State.ExitCode).toBe(0);
  } finally {
    await container.remove({ force: true });
  }
});

test('images that are there already are not made again', async () => {
  const { client } = substrate!.engine;
  const before = await client.getImage(demoImage).inspect();
  await ensureImages(client);
  expect((await client.getImage(demoImage).inspect()).Id).toBe(before.Id);
});

test('nothing is left when it ends', async () => {
  const built = substrate!;
  substrate = undefined;
  const words = [`${name}-`, stateDir, built.plan.underlayPrefix, `metric ${20_000 + built.plan.subnet}`];
  expect((await pictureOf(words)).netns).toHaveLength(4);
  await built.close();
  expect(await pictureOf(words)).toEqual(emptyPicture);
  expect(await processesOfCluster(name)).toEqual([]);
});
