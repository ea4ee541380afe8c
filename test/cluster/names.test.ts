import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { demoImage } from '../../src/devcluster/images.ts';
import { processesNaming } from '../../src/devcluster/processes.ts';
import { signalProcess } from '../../src/runtime/other-processes.ts';
import { run } from '../../src/runtime/process.ts';
import { isCliError } from '../support/cli-errors.ts';
import { ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { DnsClient } from '../support/dns-client.ts';
import { startSandbox } from '../support/openvswitch.ts';

const cluster = useCluster({ hosts: 2 });
const domain = 'patchpanel.internal';
let bench: ClusterBench;
let closers: (() => Promise<unknown>)[];

beforeEach(() => {
  bench = new ClusterBench(cluster());
  closers = [];
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
  await bench.removeAll();
});

const check = { protocol: 'COMMAND', command: { value: 'test ! -e /tmp/sick' }, intervalSeconds: 1 };
const web = (fields: Record<string, unknown> = {}) =>
  demoApp('/shop/web', {
    instances: 2,
    constraints: [['hostname', 'UNIQUE']],
    healthChecks: [{ ...check, maxConsecutiveFailures: 0, gracePeriodSeconds: 1, timeoutSeconds: 5 }],
    ...fields,
  });

/** Asks from a container's namespace. */
async function clientIn(task: TaskInfo): Promise<DnsClient> {
  const client = new DnsClient(await bench.containers.pid(task.id), '10.32.0.2');
  closers.push(async () => client.close());
  return client;
}

const sorted = (tasks: readonly (TaskInfo | undefined)[]) => tasks.map((task) => ipOf(task)).toSorted();

async function everyoneSees(clients: readonly DnsClient[], name: string, wanted: unknown): Promise<void> {
  await bench.until(`${name} to be ${JSON.stringify(wanted)} everywhere`, async () => {
    const seen = await Promise.all(clients.map((client) => client.addresses(name)));
    return seen.every((each) => JSON.stringify(each) === JSON.stringify(wanted));
  });
}

test('containers on every host find apps, slots and services, and follow health, scale and redeploys', async () => {
  const tasks = await bench.add(web());
  const clients = await Promise.all(tasks.map((task) => clientIn(task)));
  const app = `web.shop.${domain}`;
  await everyoneSees(clients, app, sorted(tasks));
  for (const [i, client] of clients.entries()) {
    expect(await client.addresses(`${i}.${app}`)).toEqual([ipOf(tasks[i])]);
    // Services follow addresses within a moment.
    await bench.until(`two services of ${app}`, async () => {
      const { answers } = await client.ask({ name: `_http._tcp.${app}`, type: 'SRV' });
      return answers.length === 2;
    });
    // The resolver that Docker has told the container, and its search domain.
    const { output } = await bench.containers.exec(tasks[i]!.id, ['cat', '/etc/resolv.conf']);
    expect(output).toMatch(/^nameserver 10\.32\.0\.2$/m);
    expect(output).toMatch(/^search patchpanel\.internal/m);
    const asked = await bench.containers.exec(tasks[i]!.id, ['nslookup', '-type=a', app]);
    for (const ip of sorted(tasks)) expect(asked.output).toContain(ip);
  }

  await bench.containers.exec(tasks[0]!.id, ['touch', '/tmp/sick']);
  await everyoneSees(clients, app, [ipOf(tasks[1])]);
  expect(await clients[1]!.addresses(`0.${app}`)).toEqual([ipOf(tasks[0])]);
  await bench.containers.exec(tasks[0]!.id, ['rm', '/tmp/sick']);
  await everyoneSees(clients, app, sorted(tasks));

  await bench.deploy('PUT', '/v2/apps/shop/web', { instances: 1 });
  const [left] = await bench.running('/shop/web', 1);
  await everyoneSees([clients[tasks.findIndex(({ id }) => id === left!.id)]!], app, [ipOf(left)]);
});

test('a redeploy leaves no moment without an answer', async () => {
  const asking = await bench.add(demoApp('/asker'));
  const client = await clientIn(asking[0]!);
  const name = `web.shop.${domain}`;
  const tasks = await bench.add(web({ instances: 1, constraints: [] }));
  await everyoneSees([client], name, sorted(tasks));
  const enough = new AbortController();
  const seen = new Set<string>();
  const asked = (async () => {
    while (!enough.signal.aborted) {
      const found = await client.addresses(name);
      // A port that comes or goes may cost one packet: resolvers ask again.
      seen.add(JSON.stringify(found === 'TIMEOUT' ? await client.addresses(name) : found));
    }
  })();
  await bench.deploy('PUT', '/v2/apps/shop/web', { env: { RELEASE: '2' } });
  enough.abort();
  await asked;
  expect([...seen]).toEqual([JSON.stringify(sorted(tasks))]);
});

test('a name server that is killed comes back', async () => {
  const [task] = await bench.add(demoApp('/web', { container: { docker: { image: demoImage } } }));
  const client = await clientIn(task!);
  await everyoneSees([client], `web.${domain}`, [ipOf(task)]);
  const directory = path.join('/run/patchpanel-dev', cluster().config.name);
  const servers = await processesNaming('dnsmasq', directory);
  expect(servers.length).toBeGreaterThan(0);
  for (const each of servers) await signalProcess(each, 'SIGKILL');
  await everyoneSees([client], `web.${domain}`, [ipOf(task)]);
});

test('a machine with a reservation gets its address by DHCP and talks to containers', async () => {
  const [task] = await bench.add(demoApp('/web'));
  await bench.api.send('PUT', '/v2/apps/web', { instances: 1 });
  const { hostname, netns } = cluster().substrate.plan.hosts[0]!;
  const reserve = (body: unknown) => bench.api.send('PUT', '/v1/networks/default/reservations/vm1', body);
  expect(await isCliError(reserve({ host: 'nowhere', device: 'vm1' }), 1)).toMatch(/host.*nowhere/);
  await bench.add(demoApp('/here', { constraints: [['hostname', 'LIKE', hostname]] }));
  const mac = '52:54:00:00:00:01';
  await reserve({ host: hostname, device: 'vm1', mac });
  closers.push(() => bench.api.send('DELETE', '/v1/networks/default/reservations/vm1'));

  const directory = await mkdtemp(path.join(tmpdir(), 'pp-vm-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  const script = path.join(directory, 'script');
  await writeFile(
    script,
    '#!/bin/sh\n[ "$1" = bound ] && ip address replace "$ip/$mask" dev "$interface"\nexit 0\n',
  );
  await chmod(script, 0o755);
  const vm = await startSandbox((close) => void closers.push(close));
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'address', mac, 'netns', String(vm.pid)];
  await run('ip', ['-n', netns, 'link', 'add', 'vm1', ...peer]);
  await run('ip', ['-n', netns, 'link', 'set', 'vm1', 'arp', 'off', 'up']);
  await vm.exec('ethtool', ['-K', 'eth0', 'tx', 'off']);
  await vm.exec('ip', ['link', 'set', 'eth0', 'up']);
  await bench.until('a lease', async () => {
    const once = ['udhcpc', '-f', '-n', '-q', '-t', '3', '-T', '1', '-i', 'eth0', '-s', script];
    return (await vm.exec('busybox', once)).exitCode === 0;
  });
  const get = `fetch('http://${ipOf(task)}/').then((answer) => answer.text()).then(console.log)`;
  const { stdout } = await vm.exec(process.execPath, ['--eval', get]);
  expect(JSON.parse(stdout)).toMatchObject({ task: task!.id });
  const { ip } = await bench.api.get<{ ip: string }>('/v1/networks/default/reservations/vm1');
  const client = await clientIn(task!);
  await everyoneSees([client], `vm1.${domain}`, [ip]);
});
