import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { demoImage } from '../../src/devcluster/images.ts';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { startOutsider, type TestSandbox } from '../support/openvswitch.ts';
import { serveFiles } from '../support/outside-web.ts';

const cluster = useCluster({ hosts: 3 });
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

test('in bridge mode a port of the host leads to the instance, which gets out as its host', async () => {
  await serveFiles(outsider, { 'index.html': 'hello from outside' }, (close) => void closers.push(close));
  const portMappings = [{ containerPort: 80, hostPort: 0, name: 'http' }];
  const tasks = await bench.add(
    demoApp('/web', {
      instances: 2,
      container: { docker: { image: demoImage, network: 'BRIDGE' }, portMappings },
      networks: undefined,
      // The image listens on $PORT, which would be the host's.
      env: { PORT: '80' },
    }),
  );
  for (const task of tasks) {
    const [port] = task.ports;
    expect(port).toBeGreaterThanOrEqual(1024);
    expect(await fromOutside(underlayOf(task), port)).toBe(task.id);
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
  // An app that is on the same network in container mode has neither.
  const [plain] = await bench.add(demoApp('/plain'));
  expect(plain!.ports).toEqual([]);
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
    expect(await fromOutside(underlayOf(task), task.ports[0])).toBe(task.id);
  }
});
