import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { SlotClient } from '../faults/slot-client.ts';
import { addressOf, ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { measured } from '../support/figures.ts';

/** An agent that is away for longer than this loses its executor's tasks. */
const recoveryTimeoutMs = 12_000;

const cluster = useCluster({ hosts: 3, timings: { recoveryTimeoutMs } });
let bench: ClusterBench;
let client: SlotClient;

beforeEach(() => {
  bench = new ClusterBench(cluster());
  client = new SlotClient();
});
afterEach(async () => {
  client.stop();
  await Promise.all(cluster().members.map((member) => member.heal()));
  await Promise.all(cluster().members.map((member) => member.startAgent()));
  await bench.removeAll();
});

const elsewhere = [['hostname', 'UNLIKE', '.*h3']];

/** The app with one instance on h1 or h2, asked all the time from h3. */
async function watchedApp(fields: Record<string, unknown>): Promise<TaskInfo> {
  const [watcher] = await bench.add(
    shellApp('/client', 'sleep 10000', { constraints: [['hostname', 'LIKE', '.*h3']] }),
  );
  const [task] = await bench.add(demoApp('/web', { constraints: elsewhere, ...fields }));
  client.follow(await bench.containers.pid(watcher!.id), [ipOf(task)]);
  await bench.until('the first answer', async () => client.servers(ipOf(task)).length > 0);
  return task!;
}

const replacementOf = (lost: TaskInfo): Promise<TaskInfo> =>
  bench.until('the slot to run again', async () =>
    (await bench.tasks('/web')).find(({ id, state }) => id !== lost.id && state === 'TASK_RUNNING'),
  );

const unreachable = (task: TaskInfo) =>
  bench.until('the task to be unreachable', async () =>
    (await bench.tasks('/web')).some(({ id, state }) => id === task.id && state === 'TASK_UNREACHABLE'),
  );

/** The address was that of `old` and then that of `next`; no answer of `old` came once `next` had answered. */
async function expectOneAfterTheOther(old: TaskInfo, next: TaskInfo): Promise<void> {
  await bench.until('an answer of the new one', async () => client.servers(ipOf(old)).includes(next.id));
  expect(client.servers(ipOf(old))).toEqual([old.id, next.id]);
}

test('a host that is cut off: its slot waits as long as the app says, and the address is never in two places', async () => {
  const unreachableStrategy = { inactiveAfterSeconds: 4, expungeAfterSeconds: 600 };
  const lost = await watchedApp({ unreachableStrategy });
  client.beginPeriod();
  const begin = performance.now();
  // The underlay stays: only the other switches keep the copy from being heard.
  await cluster().cut(lost.host, 'management');
  await unreachable(lost);
  measured('host cut off: until its tasks are unreachable', performance.now() - begin);
  expect((await bench.tasks('/web')).map(({ id }) => id)).toEqual([lost.id]);
  const moved = await replacementOf(lost);
  expect(addressOf(moved)).toBe(addressOf(lost));
  await expectOneAfterTheOther(lost, moved);
  measured('host cut off, inactiveAfterSeconds 4: outage of the slot', client.outage().ms);
  await cluster().heal(lost.host);
  await bench.until('the old copy to be killed', async () => !(await bench.containers.runs(lost.id)));
  expect((await bench.running('/web', 1)).map(({ id }) => id)).toEqual([moved.id]);
  await expectOneAfterTheOther(lost, moved);
});

test('an app that disabled replacement waits for its host, whose task comes back as it was', async () => {
  const task = await watchedApp({ unreachableStrategy: 'disabled' });
  await cluster().cut(task.host, 'all');
  await unreachable(task);
  await cluster().heal(task.host);
  expect((await bench.running('/web', 1)).map(({ id }) => id)).toEqual([task.id]);
  const healed = performance.now();
  await bench.until('an answer', async () => client.lastAnswer(ipOf(task)) > healed);
  expect(client.servers(ipOf(task))).toEqual([task.id]);
});

test('an agent that is away for longer than the recovery timeout: its tasks end there and come up elsewhere', async () => {
  const lost = await watchedApp({});
  const member = cluster().member(lost.host);
  await member.stopAgent();
  await bench.until('the executor to end', async () => member.status().executorPids.length === 0);
  expect(await bench.containers.runs(lost.id)).toBe(false);
  expect(await bench.endpointPorts(lost.host)).toEqual([]);
  const moved = await replacementOf(lost);
  expect(addressOf(moved)).toBe(addressOf(lost));
  await expectOneAfterTheOther(lost, moved);
  await member.startAgent();
  await bench.deploy('PATCH', '/v2/apps/web', {
    instances: 2,
    constraints: [...elsewhere, ['hostname', 'UNIQUE']],
  });
  expect((await bench.running('/web', 2)).map(({ host }) => host)).toContain(lost.host);
});
