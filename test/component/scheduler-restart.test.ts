import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { schedulerProgram, SchedulerProcess } from '../support/scheduler-process.ts';

interface ApiTask {
  readonly id: string;
  readonly state: string;
  readonly slaveId: string;
}

let program: string;
let directory: string;
let mesos: DevMesos;
let scheduler: SchedulerProcess | undefined;

beforeAll(async () => {
  program = await schedulerProgram();
});

afterAll(async () => {
  await rm(program, { force: true });
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-scheduler-'));
  mesos = await startDevMesos({
    log: recordingLogger(),
    timings: { allocationIntervalMs: 50, updateRetryMs: 500, updateRetryMaxMs: 1_000 },
  });
  for (const hostname of ['h1', 'h2', 'h3']) {
    const resources = { cpus: 8, mem: 8_192, disk: 10_000 };
    await mesos.addAgent({ hostname, resources, workDir: join(directory, hostname), executor: 'simulated' });
  }
});

afterEach(async () => {
  await scheduler?.end('SIGKILL');
  scheduler = undefined;
  await mesos.close();
  await rm(directory, { recursive: true, force: true });
});

const startScheduler = async (...more: string[]): Promise<SchedulerProcess> => {
  scheduler = await SchedulerProcess.start({
    program,
    directory,
    masters: mesos.urls,
    args: ['--min-revive-interval', '0.2', '--kill-retry', '1', '--log-level', 'info', ...more],
  });
  return scheduler;
};

const webApp = (instances: number, extra: object = {}): object => ({
  id: '/web',
  instances,
  cpus: 0.2,
  mem: 32,
  cmd: 'sleep 1000',
  container: { type: 'DOCKER', docker: { image: 'busybox' } },
  networks: [{ mode: 'container', name: 'default' }],
  ...extra,
});

/** Everything that runs under our name, as the agents see it. */
function runningInMesos(): string[] {
  const { agents } = mesos.state();
  return agents
    .flatMap(({ executors }) => executors.flatMap((each) => each.tasks.map((task) => task.taskId)))
    .sort();
}

const executorsInMesos = () =>
  mesos
    .state()
    .agents.flatMap(({ executors }) =>
      executors.map(({ executorId, tasks }) => ({ id: executorId, count: tasks.length })),
    );

async function tasksOf(of: SchedulerProcess): Promise<ApiTask[]> {
  const answer = await of.api.get<{ tasks: ApiTask[] }>('/v2/apps//web/tasks');
  return answer.status === 200 ? answer.data.tasks : [];
}

/** Asks until it holds: the API tells no other way yet. */
async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 30_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not come true`);
    await sleep(50);
  }
}

const settled = (of: SchedulerProcess, count: number): Promise<void> =>
  eventually(`${count} running tasks, the same for both`, async () => {
    const tasks = await tasksOf(of);
    const running = tasks
      .filter(({ state }) => state === 'TASK_RUNNING')
      .map(({ id }) => id)
      .sort();
    const inMesos = runningInMesos();
    return (
      tasks.length === count &&
      running.length === count &&
      JSON.stringify(running) === JSON.stringify(inMesos)
    );
  });

test('an app is launched on the offers and its tasks are what Mesos runs', async () => {
  const started = await startScheduler();
  const answer = await started.api.post('/v2/apps', webApp(6));
  expect(answer.status).toBe(201);
  await settled(started, 6);
  expect(new Set((await tasksOf(started)).map(({ slaveId }) => slaveId)).size).toBe(3);
});

test('SIGTERM ends the scheduler in good order and leaves the tasks alone', async () => {
  const started = await startScheduler();
  await started.api.post('/v2/apps', webApp(3));
  await settled(started, 3);
  const before = runningInMesos();
  expect(await started.end('SIGTERM')).toBe(0);
  expect(runningInMesos()).toEqual(before);
  const again = await startScheduler();
  await settled(again, 3);
  expect(runningInMesos()).toEqual(before);
});

test('a second scheduler on the same state directory refuses to start', async () => {
  const first = await startScheduler();
  const second = await SchedulerProcess.spawn({ program, directory, masters: mesos.urls });
  expect(await second.exit).toBe(1);
  expect(JSON.stringify(second.lines)).toContain('another scheduler runs on');
  expect((await first.api.get('/ping')).status).toBe(200);
});

test('kill -9 at any moment of launching and scaling neither loses nor duplicates a task', async () => {
  const ids = new Set<string>();
  let instances = 0;
  for (let round = 0; round < 8; round += 1) {
    const started = await startScheduler();
    instances = 4 + ((round * 5) % 9);
    const put = started.api.put('/v2/apps//web?force=true', webApp(instances)).catch(() => undefined);
    // Anywhere between before the request is read and after the last status update.
    await sleep([0, 5, 20, 60, 110, 180, 300, 500][round] ?? 0);
    await started.end('SIGKILL');
    await put;
    for (const { frameworkId } of mesos.state().frameworks) ids.add(frameworkId);
  }
  const last = await startScheduler();
  const answer = await last.api.put('/v2/apps//web?force=true', webApp(instances));
  expect([200, 201]).toContain(answer.status);
  await settled(last, instances);
  expect(ids.size).toBe(1);
});

test('the framework is known again after its master fails over', async () => {
  const started = await startScheduler();
  await started.api.post('/v2/apps', webApp(3));
  await settled(started, 3);
  const before = runningInMesos();
  await mesos.failover();
  await started.api.put('/v2/apps//web?force=true', webApp(5));
  await settled(started, 5);
  expect(runningInMesos()).toEqual(expect.arrayContaining(before));
});

test('no task is touched when agents come late to a master that knows none of them', async () => {
  const started = await startScheduler();
  await started.api.post('/v2/apps', webApp(3));
  await settled(started, 3);
  const before = runningInMesos();
  const agents = mesos.state().agents.map(({ agentId }) => agentId);
  for (const agent of agents) mesos.cutAgent(agent);
  await mesos.failover();
  // The master is asked again after ten seconds.
  await sleep(13_000);
  for (const agent of agents) mesos.healAgent(agent);
  await eventually('the return of the agents', () =>
    Promise.resolve(mesos.state().agents.every(({ registration }) => registration === 'active')),
  );
  const answer = await started.api.patch('/v2/apps//web', { instances: 5 });
  expect(answer.status).toBe(200);
  await settled(started, 5);
  expect(runningInMesos()).toEqual(expect.arrayContaining(before));
});

test('with another role tasks go on, and what an app is changed to runs on executors of its own', async () => {
  const first = await startScheduler('--role=one');
  const labels = { 'patchpanel.handover': 'recreate' };
  await first.api.post('/v2/apps', webApp(3, { acceptedResourceRoles: ['*', 'one'], labels }));
  await settled(first, 3);
  const before = runningInMesos();
  const executors = executorsInMesos();
  await first.end('SIGTERM');
  const second = await startScheduler('--role=two');
  await settled(second, 3);
  expect(runningInMesos()).toEqual(before);
  const answer = await second.api.patch('/v2/apps//web', { instances: 6 });
  expect([answer.status, answer.data]).toEqual([200, expect.anything()]);
  await eventually('the replacement of the old tasks', () =>
    Promise.resolve(!runningInMesos().some((id) => before.includes(id))),
  );
  await settled(second, 6);
  expect((await second.api.get('/v2/apps//web')).data).toMatchObject({
    app: { role: 'two', acceptedResourceRoles: ['*', 'two'] },
  });
  const tasks = executorsInMesos().filter(({ count }) => count > 0);
  expect(tasks.filter(({ id }) => executors.some((old) => old.id === id))).toEqual([]);
});
