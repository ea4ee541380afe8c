import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { addressOf, ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

/** As strict as a real cluster may be: all in JSON, a role of its own, a principal, and hardly any environment. */
const cluster = useCluster({
  hosts: 2,
  credentials: [{ principal: 'patchpanel', secret: 'f:ish' }],
  schedulerArgs: ['--encoding=json', '--role=eng/web', '--principal=patchpanel', '--secret=f:ish'],
  executorEnv: { PATCHPANEL_MESOS_ENCODING: 'json', PATH: '/usr/bin:/bin' },
});
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(() => bench.removeAll());

const idsOf = (tasks: readonly TaskInfo[]): readonly string[] => tasks.map(({ id }) => id).toSorted();

test('launch, scale, redeploy and kill', async () => {
  const tasks = await bench.add(demoApp('/web', { instances: 2, constraints: [['hostname', 'UNIQUE']] }));
  expect(await bench.ask(tasks[0]!, ipOf(tasks[1]))).toMatchObject({ task: tasks[1]!.id });
  expect(await bench.api.get('/v2/apps/web')).toMatchObject({ app: { role: 'eng/web' } });
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 3, constraints: [] });
  const scaled = await bench.running('/web', 3);
  await bench.deploy('PATCH', '/v2/apps/web', { env: { ROUND: '2' } });
  const redeployed = await bench.running('/web', 3);
  expect(redeployed.map(addressOf)).toEqual(scaled.map(addressOf));
  expect(idsOf(redeployed).filter((id) => idsOf(scaled).includes(id))).toEqual([]);
  await bench.api.send('DELETE', `/v2/apps/web/tasks/${redeployed[0]!.id}`);
  await bench.until('the killed task to be replaced', async () => {
    const now = await bench.tasks('/web');
    return now.length === 3 && !idsOf(now).includes(redeployed[0]!.id);
  });
  expect((await bench.running('/web', 3)).map(addressOf)).toEqual(scaled.map(addressOf));
});

test('an agent that restarts, a master that fails over and a scheduler that dies touch no task', async () => {
  const tasks = await bench.add(demoApp('/web', { instances: 2, constraints: [['hostname', 'UNIQUE']] }));
  await cluster().stopAgent(tasks[0]!.host);
  await cluster().startAgent(tasks[0]!.host);
  await cluster().failover();
  await cluster().killScheduler();
  await cluster().restartScheduler();
  await bench.deploy('POST', '/v2/apps', demoApp('/second'));
  expect(idsOf(await bench.running('/web', 2))).toEqual(idsOf(tasks));
});

test('an executor that dies: its task comes back with its address', async () => {
  const [before] = await bench.add(demoApp('/web'));
  await cluster().killExecutor(before!.host);
  const after = await bench.until('the task to be replaced', async () =>
    (await bench.tasks('/web')).find(({ id, state }) => id !== before!.id && state === 'TASK_RUNNING'),
  );
  expect(addressOf(after)).toBe(addressOf(before!));
});
