import { expect, test } from '@jest/globals';
import { appId, frameworkId } from '../../src/model/ids.ts';
import { createWorld, restore } from '../../scheduler/core/restore.ts';
import { anApp, anOffer, CoreBench } from '../support/core-bench.ts';

const subscribe = { kind: 'subscribed', frameworkId: frameworkId('framework-1') } as const;

test('the framework id is stored with the first subscription and kept', () => {
  const bench = new CoreBench();
  expect(bench.store.get('meta framework-id')?.value).toBe('framework-1');
  bench.step(subscribe);
  expect(bench.frame.writes).toEqual([]);
  bench.restart();
  expect(bench.world.frameworkId).toBe('framework-1');
});

test('after a subscription every task is asked for by name and agent, again while unanswered, then all others', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const [one, two] = bench.instances('/web');
  bench.step(subscribe);
  const named = [one!, two!].map(({ taskId, agentId }) => ({ taskId, agentId }));
  expect(bench.effects('reconcile')).toEqual([{ kind: 'reconcile', tasks: named }]);
  bench.status(one!, 'running', { reason: 'REASON_RECONCILIATION' });
  expect(bench.effects('reconcile', bench.wait(5))).toEqual([
    { kind: 'reconcile', tasks: [named[1]] },
    { kind: 'reconcile', tasks: [] },
  ]);
  expect(bench.effects('reconcile', bench.wait(9))).toEqual([]);
  expect(bench.effects('reconcile', bench.wait(1))).toEqual([{ kind: 'reconcile', tasks: [named[1]] }]);
  expect(bench.instances('/web')).toHaveLength(2);
});

test('more than a thousand tasks are asked for in several calls', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 1_500, cpus: 0.001, mem: 1 }));
  bench.step(subscribe);
  expect(bench.effects('reconcile').map(({ tasks }) => tasks.length)).toEqual([1_000, 500]);
});

test('every task is asked for again now and then', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.step(subscribe);
  bench.status(bench.instance('/web'), 'running');
  bench.wait(590);
  expect(bench.effects('reconcile', bench.wait(10))).toHaveLength(1);
});

test('a new process has the same world, launches nothing twice and knows what it was doing', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  bench.put(anApp('/web', { instances: 2, env: { RELEASE: '2' } }));
  const before = bench.world;
  bench.restart();
  for (const table of [
    'apps',
    'versions',
    'deployments',
    'slots',
    'instances',
    'networks',
    'executors',
  ] as const) {
    expect(bench.world[table]).toEqual(before[table]);
  }
  expect(bench.effects('revive')).toHaveLength(1);
  expect(bench.offer('a1', 'a2')).toHaveLength(2);
});

test('a launch whose offer was never accepted is settled by what Mesos answers', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [lost] = bench.offer('a1');
  bench.restart();
  expect(bench.offer('a1')).toEqual([]);
  bench.status(lost!.instance, 'gone', { reason: 'REASON_RECONCILIATION' });
  expect(bench.offer('a1')[0]?.instance).toMatchObject({ slotId: '/web#0', epoch: 2 });
});

test('a launch that was lost on its way to an agent that is cut off is asked about when the agent is back', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [lost] = bench.offer('a1');
  bench.status(lost!.instance, 'unreachable');
  bench.run(bench.offer('a2'));
  bench.step({ kind: 'offers', offers: [anOffer('a1')] });
  expect(bench.effects('reconcile')).toEqual([
    { kind: 'reconcile', tasks: [{ taskId: lost!.instance.taskId, agentId: 'a1' }] },
  ]);
  bench.status(lost!.instance, 'gone', { reason: 'REASON_RECONCILIATION' });
  expect(bench.world.instances.has(lost!.instance.taskId)).toBe(false);
});

test('a call that could not be sent is asked about', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  bench.step({ kind: 'launch-unknown', taskIds: [launch!.instance.taskId] });
  expect(bench.effects('reconcile')).toEqual([
    { kind: 'reconcile', tasks: [{ taskId: launch!.instance.taskId, agentId: 'a1' }] },
  ]);
});

test('one answer that Mesos does not know a task is not believed, a second one later is', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  bench.wait(120);
  const old = bench.instance('/web');
  bench.status(old, 'unknown');
  bench.status(old, 'unknown');
  expect(bench.world.instances.has(old.taskId)).toBe(true);
  const asked = bench.effects('reconcile', bench.wait(10));
  expect(asked).toContainEqual({ kind: 'reconcile', tasks: [{ taskId: old.taskId, agentId: 'a1' }] });
  bench.status(old, 'unknown');
  expect(bench.world.instances.has(old.taskId)).toBe(false);
});

test('a launch that Mesos never spoke of and does not know is tried again at once', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launched] = bench.offer('a1');
  bench.connected.add(launched!.instance.agentId);
  bench.status(launched!.instance, 'unknown');
  bench.wait(10);
  bench.status(launched!.instance, 'unknown');
  expect(bench.offer('a1')[0]?.instance).toMatchObject({ slotId: '/web#0', epoch: 2 });
});

/** The bench goes on for so many seconds under a master that knows none of its tasks. */
function forgetful(bench: CoreBench, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    const asked = bench.effects('reconcile', bench.wait(1)).flatMap(({ tasks }) => tasks);
    for (const { taskId } of asked) bench.status(taskId, 'unknown');
  }
}

test('a new master that does not know the tasks loses none while agents may still come back', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 3 }));
  const tasks = bench.instances('/web');
  bench.wait(1_000);
  bench.step({ kind: 'disconnected' });
  bench.step(subscribe);
  for (const task of tasks) bench.status(task, 'unknown');
  forgetful(bench, 100);
  expect(bench.instances('/web')).toEqual(tasks);
  bench.status(tasks[0]!, 'running');
  expect(bench.killed()).toEqual([]);
  forgetful(bench, 100);
  expect(bench.instances('/web')).toEqual([tasks[0]]);
});

test('a task that Mesos does not know is not lost while its host is connected', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const task = bench.instance('/web');
  bench.connected.add(task.agentId);
  bench.status(task, 'unknown');
  forgetful(bench, 1_000);
  expect(bench.instances('/web')).toEqual([task]);
  bench.connected.clear();
  forgetful(bench, 60);
  expect(bench.instances('/web')).toEqual([]);
});

test('tasks that Mesos does not know are asked for together, and less often with time', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 1_500, cpus: 0.001, mem: 1 }));
  const tasks = bench.instances('/web');
  for (const task of tasks) {
    bench.connected.add(task.agentId);
    bench.status(task, 'unknown');
  }
  const askedAt: number[] = [];
  for (let second = 1; second <= 200; second++) {
    const asked = bench.effects('reconcile', bench.wait(1)).filter(({ tasks: named }) => named.length > 0);
    if (asked.length === 0) continue;
    expect(asked.map(({ tasks: named }) => named.length)).toEqual([1_000, 500]);
    for (const task of tasks) bench.status(task, 'unknown');
    askedAt.push(second);
  }
  expect(askedAt).toEqual([10, 20, 40, 80, 140, 200]);
});

test('a task that Mesos knew in between is not lost', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  bench.wait(120);
  const task = bench.instance('/web');
  bench.status(task, 'unknown');
  bench.status(task, 'running');
  bench.wait(20);
  bench.status(task, 'unknown');
  expect(bench.world.instances.has(task.taskId)).toBe(true);
});

test('a kill that was decided survives a restart', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const task = bench.instance('/web');
  bench.change({ kind: 'kill-tasks', taskIds: [task.taskId], scale: false, force: false });
  bench.restart();
  expect(bench.killed()).toEqual([task.taskId]);
});

test('a flip that was under way is finished after a restart', () => {
  const bench = new CoreBench();
  const labels = { 'patchpanel.handover': 'swap' };
  bench.deploy(anApp('/web', { labels }));
  const old = bench.instance('/web');
  bench.put(anApp('/web', { labels, env: { RELEASE: '2' } }));
  bench.run(bench.offer('a2'));
  bench.converge(old.slotId);
  bench.restart();
  expect(bench.killed(bench.wait(6))).toEqual([old.taskId]);
});

test('how a task failed last is remembered after a restart, and forgotten with the app', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.status(bench.instance('/web'), 'failed', { message: `exit code 3${'!'.repeat(10_000)}` });
  bench.restart();
  const failure = bench.world.lastFailures.get(appId('/web'));
  expect(failure).toMatchObject({ state: 'TASK_FAILED', message: expect.stringMatching(/^exit code 3!+$/) });
  expect(failure?.message.length).toBeLessThan(5_000);
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: true });
  expect(bench.world.apps.size).toBe(0);
  expect([...bench.store.keys()].filter((key) => key.startsWith('task-failure'))).toEqual([]);
});

test('the indexes of apps are those that a restart makes of the records', () => {
  const bench = new CoreBench();
  const mapped = (servicePort: number) => ({
    container: {
      ...anApp('/x').container,
      portMappings: [{ containerPort: 80, servicePort, protocol: 'tcp' as const, labels: {} }],
    },
  });
  bench.deploy(anApp('/shop/a.b', mapped(10_001)));
  bench.deploy(anApp('/other', mapped(10_001)));
  bench.put(anApp('/shop/a.b', mapped(10_002)));
  bench.change({ kind: 'delete-app', appId: appId('/other'), force: true });
  for (const task of bench.killed()) bench.status(task, 'killed');
  const { appsByName, servicePorts } = bench.world;
  expect([...appsByName]).toEqual([['a-b.shop', new Set(['/shop/a.b'])]]);
  expect([...servicePorts]).toEqual([[10_002, 1]]);
  bench.restart();
  expect([bench.world.appsByName, bench.world.servicePorts]).toEqual([appsByName, servicePorts]);
});

test('a quarantine goes on after a restart', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  bench.put(anApp('/web'));
  for (const task of bench.killed()) bench.status(task, 'killed');
  bench.restart();
  bench.wait(299);
  expect(bench.world.slots.size).toBe(2);
  bench.wait(2);
  expect(bench.world.slots.size).toBe(1);
});

test('without a subscription nothing is asked, and afterwards everything is', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.step({ kind: 'disconnected' });
  expect(bench.world.subscribed).toBe(false);
  bench.put(anApp('/other'));
  expect(bench.effects('revive')).toEqual([]);
  bench.step(subscribe);
  expect(bench.effects('revive')).toHaveLength(1);
});

test('a record of an unknown kind is refused with what to do', () => {
  const record = { kind: 'riddle', key: 'x', value: {} };
  expect(() => restore(createWorld(), [record as never])).toThrow(/unknown kind "riddle"; start the version/);
});
