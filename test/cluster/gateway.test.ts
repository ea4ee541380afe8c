import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { isCliError } from '../support/cli-errors.ts';
import { ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { startOutsider, type TestSandbox } from '../support/openvswitch.ts';
import { serveFiles } from '../support/outside-web.ts';
import { demoImage } from '../../src/devcluster/images.ts';

const cluster = useCluster({ hosts: 2 });
let bench: ClusterBench;
let outsider: TestSandbox;
let closers: (() => Promise<unknown>)[];

const outsiderIp = () => `198.19.${cluster().substrate.plan.subnet}.200`;
const webPort = 18_080;

beforeEach(async () => {
  bench = new ClusterBench(cluster());
  closers = [];
  const { hubNetns } = cluster().substrate.plan;
  const place = { netns: hubNetns, bridge: 'hub0', name: 'outsider', ip: outsiderIp() };
  outsider = await startOutsider(place, (close) => void closers.push(close));
  await serveFiles(outsider, { 'index.html': 'hello from outside' }, (close) => void closers.push(close));
});

afterEach(async () => {
  await bench.removeAll();
  for (const close of closers.toReversed()) await close();
});

const web = (fields: Record<string, unknown> = {}, expose = String(webPort)) =>
  demoApp('/web', {
    instances: 2,
    constraints: [['hostname', 'UNIQUE']],
    container: {
      docker: { image: demoImage },
      portMappings: [{ containerPort: 80, name: 'http', labels: { 'patchpanel.expose': expose } }],
    },
    ...fields,
  });

const inside = (task: TaskInfo, url: string) =>
  bench.containers.exec(task.id, ['sh', '-c', `timeout 3 wget -q -O - ${url}`], 20_000);

/** The task that answers from outside at a host's address, if one does. */
async function fromOutside(hostIp: string): Promise<string | undefined> {
  const url = `http://${hostIp}:${webPort}/`;
  const { exitCode, stdout } = await outsider.exec('timeout', ['3', 'busybox', 'wget', '-q', '-O', '-', url]);
  return exitCode === 0 ? (JSON.parse(stdout) as { task: string }).task : undefined;
}

test('a container gets out as its host where the network says so, and a published port leads in from every host', async () => {
  const tasks = await bench.add(web());
  expect((await inside(tasks[0]!, `http://${outsiderIp()}:8080/`)).exitCode).not.toBe(0);
  await bench.api.send('PUT', '/v1/networks/default', { vni: 7, cidr: '10.32.0.0/16', nat: true });
  for (const task of tasks) {
    await bench.until('a way out', async () => {
      const { exitCode, output } = await inside(task, `http://${outsiderIp()}:8080/`);
      return exitCode === 0 && output.includes('hello from outside');
    });
  }
  const hosts = cluster().substrate.plan.hosts;
  const answered = new Set<string>();
  for (let i = 0; i < 12; i += 1) {
    for (const { underlayIp } of hosts) answered.add((await fromOutside(underlayIp)) ?? 'nobody');
  }
  expect([...answered].sort((a, b) => a.localeCompare(b))).toEqual(
    tasks.map(({ id }) => id).sort((a, b) => a.localeCompare(b)),
  );

  const taken = bench.api.send('POST', '/v2/apps', { ...web(), id: '/other' });
  expect(await isCliError(taken, 1)).toMatch(/18080.*\/web/);
  await bench.deploy('DELETE', '/v2/apps/web');
  await bench.until(
    'the port to be closed',
    async () => (await fromOutside(hosts[0]!.underlayIp)) === undefined,
  );
});

test('networks are joined by a route alone, in its direction, and across hosts', async () => {
  const blue = { vni: 8, cidr: '10.40.0.0/24' };
  await bench.api.send('PUT', '/v1/networks/blue', blue);
  const on = (host: number, fields: Record<string, unknown> = {}) => ({
    constraints: [['hostname', 'LIKE', `.*-h${host}`]],
    ...fields,
  });
  const [inDefault] = await bench.add(demoApp('/red', on(1)));
  const [inBlue] = await bench.add(
    demoApp('/blue', on(2, { networks: [{ mode: 'container', name: 'blue' }] })),
  );
  expect(await bench.ask(inDefault!, ipOf(inBlue))).toBeUndefined();
  await bench.api.send('PUT', '/v1/networks/default', { vni: 7, cidr: '10.32.0.0/16', routes: ['blue'] });
  await bench.until(
    'a way to blue',
    async () => (await bench.ask(inDefault!, ipOf(inBlue)))?.task === inBlue!.id,
  );
  expect(await bench.ask(inBlue!, ipOf(inDefault))).toBeUndefined();
  await bench.api.send('PUT', '/v1/networks/default', { vni: 7, cidr: '10.32.0.0/16' });
  await bench.until(
    'the way to be closed',
    async () => (await bench.ask(inDefault!, ipOf(inBlue))) === undefined,
  );
});

test('an instance that does not serve gets nothing from outside', async () => {
  const check = { protocol: 'COMMAND', command: { value: 'test ! -e /tmp/sick' }, intervalSeconds: 1 };
  const healthChecks = [{ ...check, maxConsecutiveFailures: 0, gracePeriodSeconds: 1, timeoutSeconds: 5 }];
  const tasks = await bench.add(web({ healthChecks }));
  const { underlayIp } = cluster().substrate.plan.hosts[0]!;
  await bench.until('an answer', async () => (await fromOutside(underlayIp)) !== undefined);
  await bench.containers.exec(tasks[0]!.id, ['touch', '/tmp/sick']);
  await bench.until('only the healthy one to answer', async () => {
    const answers = new Set<string | undefined>();
    for (let i = 0; i < 8; i += 1) answers.add(await fromOutside(underlayIp));
    return answers.size === 1 && answers.has(tasks[1]!.id);
  });
  expect(ipOf(tasks[1])).not.toBe(ipOf(tasks[0]));
});
