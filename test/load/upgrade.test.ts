import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { addressOf, ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { ExecutorBuilds } from '../support/executor-builds.ts';
import { measured } from '../support/figures.ts';
import { pingsFrom } from '../support/pings.ts';

const builds = new ExecutorBuilds();
const cluster = useCluster({ hosts: 2, distDir: builds.distDir });
afterAll(() => builds.close());
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});
afterEach(() => bench.removeAll());

const spread = { instances: 2, constraints: [['hostname', 'UNIQUE']] };

/** Executors that live, by agent. */
const executors = () =>
  cluster()
    .mesos.state()
    .agents.map((agent) => agent.executors.filter(({ state }) => state === 'running'));

const startTimes = (tasks: readonly TaskInfo[]) =>
  Promise.all(
    tasks.map(async ({ id }) => {
      const container = cluster().substrate.engine.client.getContainer(`patchpanel-app-${id}`);
      return (await container.inspect()).State.StartedAt;
    }),
  );

async function expectAllReach(from: readonly TaskInfo[], to: readonly TaskInfo[]): Promise<void> {
  for (const source of from) {
    for (const target of to) expect(await bench.ask(source, ipOf(target))).toMatchObject({ task: target.id });
  }
}

/** A new build, a scheduler that has it, and an app whose tasks make every host start it. */
async function upgrade(id: string): Promise<readonly TaskInfo[]> {
  const build = await builds.next();
  await cluster().restartScheduler();
  const begin = performance.now();
  const tasks = await bench.add(demoApp(id, spread));
  measured(`executor upgrade: first tasks of the new build run on both hosts`, performance.now() - begin);
  for (const each of executors()) {
    expect(each.map(({ executorId }) => executorId)).toContainEqual(
      expect.stringContaining(`patchpanel-${build}-`),
    );
  }
  return tasks;
}

/** One port and one veth for each task; nothing else. */
const expectNothingLeft = (tasksOfHost: number) =>
  bench.until(`${tasksOfHost} ports on each host`, async () => {
    const names = cluster().members.map(({ host }) => host.plan.name);
    const ports = await Promise.all(names.map((name) => bench.endpointPorts(name)));
    const veths = await Promise.all(names.map((name) => bench.veths(name)));
    const { app, sandbox } = await bench.containerCount();
    return (
      ports.every((each) => each.length === tasksOfHost) &&
      veths.every((each) => each.length === tasksOfHost) &&
      app === tasksOfHost * names.length &&
      sandbox === app
    );
  });

test('a new build of the executor takes new tasks beside the old one, which ends with its last task', async () => {
  const old = await bench.add(demoApp('/old', spread));
  const started = await startTimes(old);
  const lost = await pingsFrom(await bench.containers.pid(old[0]!.id), ipOf(old[1]));
  const fresh = await upgrade('/fresh');
  expect(executors().map((each) => each.length)).toEqual([2, 2]);
  expect(await startTimes(old)).toEqual(started);
  await expectAllReach(old, fresh);
  await expectAllReach(fresh, old);
  // The new ones program the switches for what the old ones attached, too.
  const more = await bench.add(shellApp('/more', 'sleep 10000', { instances: 2 }));
  for (const { patchpanel } of more) {
    const { exitCode } = await bench.containers.exec(old[0]!.id, [
      'ping',
      '-c',
      '1',
      '-W',
      '2',
      patchpanel.ip!,
    ]);
    expect(exitCode).toBe(0);
  }
  expect(await lost()).toBe(0);

  await bench.deploy('PATCH', '/v2/apps/old', { env: { ROUND: '2' } });
  const moved = await bench.running('/old', 2);
  expect(moved.map(addressOf)).toEqual(old.map(addressOf));
  await expectAllReach(fresh, moved);
  await bench.until('the old executors to end', async () => executors().every((each) => each.length === 1));
  await bench.deploy('DELETE', '/v2/apps/more');
  await expectNothingLeft(2);
});

test('an old executor that dies beside the new one: what it had is removed, its slots come back', async () => {
  const before = await bench.add(demoApp('/old', spread));
  const fresh = await upgrade('/fresh');
  const olds = executors().flatMap((each) => each.filter(({ tasks }) => tasks.some(isOf('old'))));
  expect(olds).toHaveLength(2);
  for (const { pid } of olds) process.kill(-pid!, 'SIGKILL');
  await bench.until('the slots to come back', async () => {
    const tasks = await bench.tasks('/old');
    return (
      tasks.length === 2 &&
      tasks.every(({ id, state }) => state === 'TASK_RUNNING' && before.every((task) => task.id !== id))
    );
  });
  const after = await bench.running('/old', 2);
  expect(after.map(addressOf)).toEqual(before.map(addressOf));
  await expectAllReach(fresh, after);
  await expectNothingLeft(2);
});

test('a new executor that dies beside the old one: the next one takes the host, and the old tasks go on', async () => {
  const old = await bench.add(demoApp('/old', spread));
  const started = await startTimes(old);
  await upgrade('/fresh');
  const news = executors().flatMap((each) => each.filter(({ tasks }) => tasks.some(isOf('fresh'))));
  expect(news).toHaveLength(2);
  for (const { pid } of news) process.kill(-pid!, 'SIGKILL');
  await bench.until('the slots to come back', async () => {
    const tasks = await bench.tasks('/fresh');
    const ids = new Set(news.flatMap((executor) => executor.tasks.map(({ taskId }) => taskId)));
    return tasks.length === 2 && tasks.every(({ id, state }) => state === 'TASK_RUNNING' && !ids.has(id));
  });
  const fresh = await bench.running('/fresh', 2);
  expect(await startTimes(old)).toEqual(started);
  await expectAllReach(fresh, old);
  await expectAllReach(old, fresh);
  await expectNothingLeft(2);
});

const isOf =
  (app: string) =>
  ({ taskId }: { readonly taskId: string }): boolean =>
    taskId.startsWith(`${app}.`);
