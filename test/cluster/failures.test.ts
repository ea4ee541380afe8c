import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { addressOf, ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(async () => {
  await Promise.all(cluster().members.map((member) => member.heal()));
  await bench.removeAll();
});

const spread = { instances: 3, constraints: [['hostname', 'UNIQUE']] };
const containersOf = (role: string, task: TaskInfo) =>
  cluster().substrate.engine.client.getContainer(`patchpanel-${role}-${task.id}`);

/** The other incarnation of a slot, once it runs. */
async function replacementOf(lost: TaskInfo): Promise<TaskInfo> {
  return bench.until(`slot ${lost.patchpanel.slot} of ${lost.appId} to run again`, async () =>
    (await bench.tasks(lost.appId)).find(
      ({ id, state, patchpanel }) =>
        id !== lost.id && state === 'TASK_RUNNING' && patchpanel.slot === lost.patchpanel.slot,
    ),
  );
}

test('a host that is cut off: its slot comes up elsewhere, the copy is fenced, and killed when it is back', async () => {
  const [witness, lost] = await bench.add(
    demoApp('/web', { instances: 2, constraints: [['hostname', 'UNIQUE']] }),
  );
  await cluster().cut(lost!.host, 'management');
  const moved = await replacementOf(lost!);
  expect(addressOf(moved)).toBe(addressOf(lost!));
  expect(moved.host).not.toBe(lost!.host);
  expect(await bench.ask(witness!, ipOf(lost))).toMatchObject({ task: moved.id });
  expect(await bench.containers.runs(lost!.id)).toBe(true);
  expect(await bench.ask(lost!, ipOf(witness))).toBeUndefined();
  await cluster().heal(lost!.host);
  await bench.until('the old copy to be killed', async () => !(await bench.containers.runs(lost!.id)));
  expect(await bench.ask(witness!, ipOf(lost))).toMatchObject({ task: moved.id });
});

test('a host without power: its slots come up elsewhere, and it is used again when it is back', async () => {
  const [witness, lost] = await bench.add(
    demoApp('/web', { instances: 2, constraints: [['hostname', 'UNIQUE']] }),
  );
  await cluster().stopHost(lost!.host);
  const moved = await replacementOf(lost!);
  expect(await bench.ask(witness!, ipOf(lost))).toMatchObject({ task: moved.id });
  await cluster().startHost(lost!.host);
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 3 });
  const tasks = await bench.running('/web', 3);
  expect(tasks.map(({ host }) => host)).toContain(lost!.host);
  for (const to of tasks) expect(await bench.ask(witness!, ipOf(to))).toMatchObject({ task: to.id });
});

test('an executor that dies: its tasks come back on their slots, and nothing of the old is left', async () => {
  const before = await bench.add(demoApp('/web', spread));
  const lost = before[1]!;
  expect(await cluster().killExecutor(lost.host)).toBe(1);
  await replacementOf(lost);
  const after = await bench.running('/web', 3);
  expect(after.map(addressOf)).toEqual(before.map(addressOf));
  expect(await bench.containerCount()).toEqual({ app: 3, sandbox: 3 });
  expect(await bench.ask(before[0]!, ipOf(lost))).toMatchObject({ slot: '1' });
});

test.each(['app', 'sandbox'])(
  'a killed %s container fails its task, which comes back with its address',
  async (role) => {
    const [before] = await bench.add(demoApp('/web'));
    await containersOf(role, before!).kill({ signal: 'SIGKILL' });
    const after = await replacementOf(before!);
    expect(addressOf(after)).toBe(addressOf(before!));
    const { lastTaskFailure } = await bench.app('/web');
    expect(lastTaskFailure).toMatchObject({ taskId: before!.id, state: 'TASK_FAILED' });
    expect(lastTaskFailure?.message).toMatch(role === 'app' ? /137|signal|SIGKILL/ : /sandbox/);
  },
);

test('an Open vSwitch that crashes: traffic is back without a task being touched', async () => {
  const tasks = await bench.add(demoApp('/web', spread));
  await cluster().restartSwitch(tasks[1]!.host);
  await bench.until('traffic over the new switch', async () => {
    const there = await bench.ask(tasks[0]!, ipOf(tasks[1]));
    const back = await bench.ask(tasks[1]!, ipOf(tasks[2]));
    return there?.task === tasks[1]!.id && back?.task === tasks[2]!.id;
  });
  expect((await bench.running('/web', 3)).map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
});

test('an agent that restarts and a master that fails over touch no task', async () => {
  const tasks = await bench.add(demoApp('/web', spread));
  const started = await Promise.all(
    tasks.map(async (task) => (await containersOf('app', task).inspect()).State.StartedAt),
  );
  await cluster().stopAgent(tasks[0]!.host);
  await cluster().startAgent(tasks[0]!.host);
  await cluster().failover();
  await bench.deploy('PATCH', '/v2/apps/web', { labels: { touched: 'no' } });
  await bench.deploy('POST', '/v2/apps', demoApp('/second'));
  expect((await bench.running('/web', 3)).map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
  const now = await Promise.all(
    tasks.map(async (task) => (await containersOf('app', task).inspect()).State.StartedAt),
  );
  expect(now).toEqual(started);
});

test('a scheduler that is killed in the middle of a deployment finishes it; nothing is lost or doubled', async () => {
  const before = await bench.add(demoApp('/web', spread));
  const { frameworkId } = await bench.api.get<{ frameworkId: string }>('/v2/info');
  for (const round of [1, 2]) {
    await bench.api.send('PATCH', '/v2/apps/web?force=true', { env: { ROUND: String(round) } });
    await bench.until('the deployment to be under way', async () => {
      const tasks = await bench.tasks('/web');
      return tasks.some(({ id }) => before.every((old) => old.id !== id));
    });
    await cluster().killScheduler();
    await cluster().restartScheduler();
    await bench.until('the deployment to end', async () => {
      const deployments = await bench.api.get<unknown[]>('/v2/deployments');
      return deployments.length === 0;
    });
    const after = await bench.running('/web', 3);
    expect(after.map(addressOf)).toEqual(before.map(addressOf));
    const { output } = await bench.containers.exec(after[0]!.id, ['sh', '-c', 'echo $ROUND']);
    expect(output.trim()).toBe(String(round));
  }
  expect(await bench.api.get('/v2/info')).toMatchObject({ frameworkId });
  await bench.until('old containers to be gone', async () => (await bench.containerCount()).app === 3);
});

test('a failing command backs off and tells its exit code; an image that is not there is named', async () => {
  await bench.api.send('POST', '/v2/apps', shellApp('/fails', 'echo going; exit 7', { backoffSeconds: 300 }));
  await bench.api.send(
    'POST',
    '/v2/apps',
    demoApp('/missing', { container: { docker: { image: 'patchpanel/nowhere:9' } }, backoffSeconds: 300 }),
  );
  const failure = (id: string) =>
    bench.until(`a failure of ${id}`, async () => (await bench.app(id)).lastTaskFailure);
  expect((await failure('/fails')).message).toMatch(/7/);
  expect((await failure('/missing')).message).toMatch(/patchpanel\/nowhere:9/);
  const { queue } = await bench.api.get<{ queue: { app: { id: string }; delay: { overdue: boolean } }[] }>(
    '/v2/queue',
  );
  expect(queue.map(({ app, delay }) => [app.id, delay.overdue])).toEqual(
    expect.arrayContaining([
      ['/fails', false],
      ['/missing', false],
    ]),
  );
});

test('a task that takes more memory than it has fails with that reason', async () => {
  const hog = 'x=0123456789; while true; do x=$x$x; done';
  await bench.api.send('POST', '/v2/apps', shellApp('/hog', hog, { mem: 16, backoffSeconds: 30 }));
  const { message } = await bench.until(
    'the task to fail',
    async () => (await bench.app('/hog')).lastTaskFailure,
  );
  expect(message).toMatch(/memory/i);
});
