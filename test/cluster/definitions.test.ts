import { mkdtempSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { create } from 'tar';
import { demoImage } from '../../src/devcluster/images.ts';
import { tryRun } from '../../src/runtime/process.ts';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { startOutsider, type TestSandbox } from '../support/openvswitch.ts';
import { serveFiles } from '../support/outside-web.ts';
import { startRegistry } from '../support/registry.ts';

const secretsDir = mkdtempSync(path.join(tmpdir(), 'pp-secrets-'));
afterAll(() => rm(secretsDir, { recursive: true, force: true }));

const cluster = useCluster({ hosts: 3, schedulerArgs: ['--secrets-dir', secretsDir] });
let bench: ClusterBench;
let outsider: TestSandbox;
let closers: (() => Promise<unknown>)[];

const outsiderIp = () => `198.19.${cluster().substrate.plan.subnet}.200`;

beforeEach(async () => {
  bench = new ClusterBench(cluster());
  closers = [];
  const { hubNetns } = cluster().substrate.plan;
  const place = { netns: hubNetns, bridge: 'hub0', name: 'outsider', ip: outsiderIp() };
  outsider = await startOutsider(place, (close) => void closers.push(close));
});

afterEach(async () => {
  await bench.removeAll();
  for (const close of closers.toReversed()) await close();
});

const underlayOf = ({ host }: TaskInfo): string => {
  const member = cluster().substrate.plan.hosts.find(
    ({ name }) => host === name || host.endsWith(`-${name}`),
  );
  if (member === undefined) throw new Error(`no host ${host}`);
  return member.underlayIp;
};

/** The task that answers from outside at a port of a host, if one does. */
async function fromOutside(ip: string, port: number | undefined): Promise<string | undefined> {
  const url = `http://${ip}:${port}/`;
  const { exitCode, stdout } = await outsider.exec('timeout', ['3', 'busybox', 'wget', '-q', '-O', '-', url]);
  return exitCode === 0 ? (JSON.parse(stdout) as { task: string }).task : undefined;
}

/** A task runs a moment before its server listens. */
async function answersOutside(task: TaskInfo): Promise<void> {
  await bench.until(
    'an answer at its port',
    async () => (await fromOutside(underlayOf(task), task.ports[0])) === task.id,
  );
}

test('in bridge mode a port of the host leads to the instance, which gets out as its host', async () => {
  await serveFiles(outsider, { 'index.html': 'hello from outside' }, (close) => void closers.push(close));
  const portMappings = [{ containerPort: 80, hostPort: 0, name: 'http' }];
  const tasks = await bench.add(
    demoApp('/web', {
      instances: 2,
      container: { docker: { image: demoImage, network: 'BRIDGE' }, portMappings },
      networks: undefined,
      labels: { 'patchpanel.drainSeconds': '1' },
      // The image listens on $PORT, which would be the host's.
      env: { PORT: '80' },
    }),
  );
  for (const task of tasks) {
    const [port] = task.ports;
    expect(port).toBeGreaterThanOrEqual(1024);
    await answersOutside(task);
    const { output } = await bench.containers.exec(task.id, [
      'sh',
      '-c',
      'echo $PORT0 $PORTS $HOST $PATCHPANEL_IP',
    ]);
    expect(output.trim()).toBe(`${port} ${port} ${task.host} ${ipOf(task)}`);
    const out = await bench.containers.exec(task.id, [
      'timeout',
      '3',
      'wget',
      '-q',
      '-O',
      '-',
      `http://${outsiderIp()}:8080/`,
    ]);
    expect(out.output).toContain('hello from outside');
  }
  // In container mode there is a port of the host only where one is asked for, and no way out by itself.
  const [plain] = await bench.add(
    demoApp('/plain', {
      container: {
        docker: { image: demoImage },
        portMappings: [{ containerPort: 80 }, { containerPort: 81, hostPort: 0 }],
      },
      env: { PORT: '81' },
    }),
  );
  expect(plain!.ports).toHaveLength(1);
  await answersOutside(plain!);
  const out = await bench.containers.exec(plain!.id, [
    'timeout',
    '2',
    'wget',
    '-q',
    '-O',
    '-',
    `http://${outsiderIp()}:8080/`,
  ]);
  expect(out.exitCode).not.toBe(0);
  // A redeploy moves the port along with the instance.
  const before = tasks.map(({ id }) => id);
  await bench.deploy('PUT', '/v2/apps/web', { env: { PORT: '80', NEW: 'yes' } });
  for (const task of await bench.tasks('/web')) {
    expect(before).not.toContain(task.id);
    await answersOutside(task);
  }
});

/** A tar.gz with one file. */
async function archiveOf(name: string, text: string): Promise<Buffer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-archive-'));
  closers.push(() => rm(directory, { recursive: true, force: true }));
  await mkdir(path.dirname(path.join(directory, 'in', name)), { recursive: true });
  await writeFile(path.join(directory, 'in', name), text);
  const file = path.join(directory, 'archive.tar.gz');
  await create({ cwd: path.join(directory, 'in'), file, gzip: true }, [name]);
  return readFile(file);
}

test('files are fetched into the sandbox; secrets reach the app and nobody else', async () => {
  const value = `s3cret-${Date.now()}`;
  await mkdir(path.join(secretsDir, 'db'), { recursive: true });
  await writeFile(path.join(secretsDir, 'db', 'password'), `${value}\n`);
  const files = {
    'conf.tar.gz': await archiveOf('conf/app.conf', 'port=80'),
    'tool.sh': '#!/bin/sh\necho tool ran',
  };
  await serveFiles(outsider, files, (close) => void closers.push(close));
  const url = `http://${outsiderIp()}:8080`;
  const app = shellApp('/files', 'exec sleep 1000', {
    user: '1000',
    fetch: [
      { uri: `${url}/conf.tar.gz`, cache: true },
      { uri: `${url}/tool.sh`, executable: true, destPath: 'bin/tool' },
    ],
    secrets: { password: { source: 'db/password' } },
    env: { PASSWORD: { secret: 'password' } },
  });
  const container = {
    ...(app['container'] as object),
    volumes: [{ containerPath: '/run/password', secret: 'password' }],
  };
  const [task] = await bench.add({ ...app, container });
  const shown = await bench.containers.exec(task!.id, [
    'sh',
    '-c',
    'cd $MESOS_SANDBOX && pwd && cat conf/app.conf && bin/tool && echo mine > own && cat own && echo $PASSWORD && cat /run/password',
  ]);
  expect(shown).toEqual({
    exitCode: 0,
    output: ['/mnt/mesos/sandbox', 'port=80tool ran', 'mine', value, value, ''].join('\n'),
  });
  expect(JSON.stringify(await bench.app('/files'))).not.toContain(value);
  // The engine's own files hold what `docker inspect` shows; nothing of ours may, neither store, views nor logs.
  const places = ['-rl', '--exclude-dir=docker', '--exclude=node', '--exclude=*.tar.gz', '--', value];
  expect((await tryRun('grep', [...places, cluster().config.stateDir])).stdout).toBe('');

  const missing = shellApp('/missing', 'exec sleep 1000', { fetch: [{ uri: `${url}/nothing` }] });
  await bench.api.send('POST', '/v2/apps', missing);
  await bench.until('the failure to be told', async () => {
    const { lastTaskFailure } = (await bench.app('/missing')) as { lastTaskFailure?: { message: string } };
    return lastTaskFailure?.message.includes(`could not fetch ${url}/nothing: the server answered 404`);
  });
});

test('an image of a private registry is pulled with the credentials of a secret, and not without', async () => {
  const { client } = cluster().substrate.engine;
  const registry = await startRegistry(client, demoImage);
  closers.push(() => registry.close());
  await writeFile(path.join(secretsDir, 'registry.json'), registry.config);
  const app = (id: string, docker: Record<string, unknown>) =>
    demoApp(id, {
      container: { docker: { image: registry.image, ...docker }, portMappings: [] },
      secrets: { registry: { source: 'registry.json' } },
    });
  await bench.api.send('POST', '/v2/apps', app('/denied', {}));
  await bench.until('the pull to be refused', async () => {
    const { lastTaskFailure } = (await bench.app('/denied')) as { lastTaskFailure?: { message: string } };
    return lastTaskFailure?.message.includes(`image ${registry.image}`);
  });
  closers.push(async () => client.getImage(registry.image).remove({ force: true }));
  expect(await bench.add(app('/private', { pullConfig: { secret: 'registry' } }))).toHaveLength(1);
});

test('instances are spread over groups, or packed onto one host', async () => {
  const racks = new Map(
    cluster().substrate.plan.hosts.map(({ hostname, attributes }) => [hostname, attributes['rack']]),
  );
  const even = await bench.add(
    shellApp('/even', 'exec sleep 1000', { instances: 4, constraints: [['rack', 'GROUP_BY']] }),
  );
  const counts = even.map(({ host }) => racks.get(host) ?? 'none').toSorted((a, b) => a.localeCompare(b));
  expect(counts).toEqual(['r1', 'r1', 'r2', 'r2']);
  const packed = await bench.add(
    shellApp('/packed', 'exec sleep 1000', { instances: 3, labels: { 'patchpanel.placement': 'binpack' } }),
  );
  expect(new Set(packed.map(({ host }) => host)).size).toBe(1);
});
