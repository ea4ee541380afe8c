import { expect, test } from '@jest/globals';
import { agentId, appId, taskId } from '../../src/model/ids.ts';
import { anApp, anOffer, CoreBench } from '../support/core-bench.ts';

const uuid = new Uint8Array(16).fill(7);
const stranger = taskId('stranger.instance-x._app.1');

test('a status is stored and then acknowledged; the same again writes nothing and is acknowledged again', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  const { taskId: id } = launch!.instance;
  bench.status(id, 'running', { uuid, healthy: true });
  expect(bench.frame.writes).toEqual(
    expect.arrayContaining([
      {
        kind: 'instance',
        key: id,
        value: expect.objectContaining({ condition: 'running', startedAt: bench.now }),
      },
    ]),
  );
  expect(bench.effects('acknowledge')).toEqual([{ kind: 'acknowledge', taskId: id, agentId: 'a1', uuid }]);
  bench.now += 1_000;
  bench.status(id, 'running', { uuid, healthy: true });
  expect(bench.frame.writes).toEqual([]);
  expect(bench.frame.effects).toEqual([{ kind: 'acknowledge', taskId: id, agentId: 'a1', uuid }]);
});

test('a status without a uuid is not acknowledged', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  bench.status(launch!.instance, 'running');
  expect(bench.effects('acknowledge')).toEqual([]);
});

test('an earlier condition that comes late changes nothing', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.status(bench.instance('/web'), 'starting', { uuid });
  expect(bench.instance('/web').condition).toBe('running');
  expect(bench.frame.writes).toEqual([]);
});

test('an unknown task that runs is killed and acknowledged; one that ended is acknowledged', () => {
  const bench = new CoreBench();
  bench.status(stranger, 'running', { uuid, agentId: agentId('a1') });
  expect(bench.killed()).toEqual([stranger]);
  expect(bench.effects('acknowledge')).toHaveLength(1);
  bench.status(stranger, 'failed', { uuid, agentId: agentId('a1') });
  expect(bench.killed()).toEqual([]);
  expect(bench.effects('acknowledge')).toHaveLength(1);
});

test('a task that was declared gone and runs after all is killed; the new incarnation is not touched', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const old = bench.instance('/web');
  bench.status(old, 'gone-by-operator');
  bench.run(bench.offer('a2'));
  const current = bench.instance('/web');
  bench.status(old.taskId, 'running', { agentId: old.agentId, uuid });
  expect(bench.killed()).toEqual([old.taskId]);
  expect(bench.instance('/web')).toEqual(current);
});

test('what ends is launched again in its slot with its address and the next epoch', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const { lease } = bench.slot('/web');
  bench.status(bench.instance('/web'), 'failed', {
    message: 'exit code 3',
    reason: 'REASON_COMMAND_EXECUTOR_FAILED',
  });
  expect(bench.world.lastFailures.get(appId('/web'))).toMatchObject({
    state: 'TASK_FAILED',
    message: 'exit code 3',
  });
  bench.wait(2);
  const [again] = bench.offer('a2');
  expect(again?.instance).toMatchObject({ slotId: '/web#0', epoch: 2, lease, standby: false, agentId: 'a2' });
  expect(again?.instance.taskId).toMatch(/^web\.instance-[0-9a-f-]{36}\._app\.2$/);
});

test('an unreachable instance is fenced and replaced at once by default, and killed when it comes back', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  const [replacement] = bench.offer('a2');
  expect(replacement?.instance).toMatchObject({ epoch: 2, standby: false });
  expect(bench.world.instances.get(old.taskId)).toMatchObject({ fenced: true, goal: 'stop' });
  expect(bench.killed()).toEqual([]);
  expect(bench.killed(bench.wait(20))).toEqual([]);
  bench.run([replacement!]);
  bench.status(old, 'running');
  expect(bench.killed()).toEqual([old.taskId]);
  expect(bench.slot('/web').activeEpoch).toBe(2);
  bench.status(old, 'killed');
  expect(bench.instance('/web').taskId).toBe(replacement!.instance.taskId);
});

test('an unreachable instance that is waited for is given up by wipe: replaced at once, killed when it comes back', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { unreachableStrategy: 'disabled' }), 'a1');
  const old = bench.instance('/web');
  const kill = (wipe: boolean) =>
    bench.change({ kind: 'kill-tasks', taskIds: [old.taskId], scale: false, wipe, force: false });
  bench.status(old, 'unreachable');
  kill(false);
  expect(bench.offer('a2')).toEqual([]);
  kill(true);
  expect(bench.world.instances.has(old.taskId)).toBe(false);
  expect(bench.world.lastFailures.size).toBe(0);
  const [replacement] = bench.offer('a2');
  expect(replacement?.instance).toMatchObject({ epoch: 2, lease: old.lease });
  bench.run([replacement!]);
  bench.status(old, 'running', { agentId: old.agentId });
  expect(bench.killed()).toEqual([old.taskId]);
  expect(bench.slot('/web').activeEpoch).toBe(2);
});

test('an instance that can be reached is killed by wipe and gone only when it has ended', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const { taskId: id } = bench.instance('/web');
  bench.change({ kind: 'kill-tasks', taskIds: [id], scale: false, wipe: true, force: false });
  expect(bench.killed()).toEqual([id]);
  expect(bench.offer('a2')).toEqual([]);
  bench.status(id, 'killed');
  expect(bench.offer('a2')).toHaveLength(1);
});

test('a redeploy that waits for an unreachable instance is done once that is given up', () => {
  const bench = new CoreBench();
  const upgradeStrategy = { maximumOverCapacity: 0, minimumHealthCapacity: 0 };
  const app = anApp('/web', { unreachableStrategy: 'disabled', upgradeStrategy });
  bench.deploy(app, 'a1');
  const { taskId: id } = bench.instance('/web');
  bench.status(id, 'unreachable');
  bench.put({ ...app, env: { RELEASE: '2' } });
  bench.run(bench.offer('a2'));
  expect(bench.world.deployments.size).toBe(1);
  bench.change({ kind: 'kill-tasks', taskIds: [id], scale: false, wipe: true, force: false });
  bench.run(bench.offer('a2'));
  expect(bench.world.deployments.size).toBe(0);
});

test('an unreachable instance that comes back before it was replaced is active again', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  bench.status(old, 'running');
  expect(bench.offer('a2')).toEqual([]);
  expect(bench.instance('/web')).toMatchObject({ taskId: old.taskId, condition: 'running', goal: 'run' });
  expect(bench.killed()).toEqual([]);
});

test('the time that an app waits for an unreachable instance is kept', () => {
  const bench = new CoreBench();
  bench.deploy(
    anApp('/web', { unreachableStrategy: { inactiveAfterSeconds: 30, expungeAfterSeconds: 60 } }),
    'a1',
  );
  bench.status(bench.instance('/web'), 'unreachable');
  bench.wait(29);
  expect(bench.offer('a2')).toEqual([]);
  bench.wait(1);
  expect(bench.offer('a2')).toHaveLength(1);
});

test('an app that disabled replacement waits for its unreachable instance', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { unreachableStrategy: 'disabled' }), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  bench.wait(7_200);
  expect(bench.offer('a2')).toEqual([]);
  expect(bench.world.instances.has(old.taskId)).toBe(true);
});

test('a replaced instance that stays away is forgotten in the end', () => {
  const bench = new CoreBench({ unreachableKeepMs: 60_000 });
  bench.deploy(anApp('/web'), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  bench.run(bench.offer('a2'));
  bench.wait(61);
  expect(bench.world.instances.has(old.taskId)).toBe(false);
});

test('an app says how long a replaced instance that stays away is remembered; it is killed when it is back after that', () => {
  const bench = new CoreBench();
  const unreachableStrategy = { inactiveAfterSeconds: 10, expungeAfterSeconds: 40 };
  bench.deploy(anApp('/web', { unreachableStrategy }), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  bench.wait(11);
  bench.run(bench.offer('a2'));
  bench.wait(20);
  expect(bench.world.instances.has(old.taskId)).toBe(true);
  bench.wait(10);
  expect(bench.world.instances.has(old.taskId)).toBe(false);
  bench.status(old, 'running', { agentId: old.agentId });
  expect(bench.killed()).toEqual([old.taskId]);
});

test('a kill is stored, sent, and sent again until Mesos reports the end', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { taskKillGracePeriodSeconds: 7 }));
  const task = bench.instance('/web');
  bench.change({ kind: 'kill-tasks', taskIds: [task.taskId], scale: false, force: false });
  expect(bench.effects('kill')).toEqual([
    { kind: 'kill', taskId: task.taskId, agentId: 'a1', graceMs: 7_000 },
  ]);
  expect(bench.world.instances.get(task.taskId)).toMatchObject({ goal: 'stop', killSentAt: bench.now });
  expect(bench.killed(bench.wait(5))).toEqual([task.taskId]);
  expect(bench.killed(bench.wait(5))).toEqual([]);
  expect(bench.killed(bench.wait(5))).toEqual([task.taskId]);
  bench.status(task, 'killed');
  expect(bench.killed(bench.wait(600))).toEqual([]);
});

test('a launch of which Mesos never speaks is asked about, then killed', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  const { taskId: id } = launch!.instance;
  expect(bench.effects('reconcile', bench.wait(60))).toContainEqual({
    kind: 'reconcile',
    tasks: [{ taskId: id, agentId: 'a1' }],
  });
  expect(bench.killed(bench.wait(240))).toEqual([id]);
});

test('the executor of an agent is replaced by one with a new id when Mesos says that it ended', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const first = bench.instance('/web');
  bench.status(first, 'dropped', { reason: 'REASON_EXECUTOR_TERMINATED' });
  const [second] = bench.offer('a1');
  expect(second!.executorId).not.toBe(first.executorId);
  bench.step({ kind: 'executor-lost', agentId: agentId('a1'), executorId: first.executorId });
  expect(bench.world.executors.get(agentId('a1'))?.executorId).toBe(second!.executorId);
  bench.step({ kind: 'executor-lost', agentId: agentId('a1'), executorId: second!.executorId });
  expect(bench.world.executors.size).toBe(0);
});

test('a host is unreachable from the loss of its agent to the first news of it', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const task = bench.instance('/web');
  const facts = {
    agentId: task.agentId,
    executorId: task.executorId,
    hostname: 'a1',
    underlayIp: '198.19.0.1',
    underlayMtu: 1500,
    datapath: 'netdev' as const,
    ovsVersion: '3',
    dockerVersion: '20',
  };
  bench.step({ kind: 'host-facts', facts });
  bench.step({ kind: 'host-facts', facts });
  expect(bench.frame.writes).toEqual([]);
  bench.step({ kind: 'agent-lost', agentId: task.agentId });
  expect(bench.world.hosts.get(task.agentId)?.reachable).toBe(false);
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: ['/web#0'] }]);
  expect(bench.effects('reconcile')).toEqual([
    { kind: 'reconcile', tasks: [{ taskId: task.taskId, agentId: 'a1' }] },
  ]);
  bench.step({ kind: 'offers', offers: [anOffer('a1')] });
  expect(bench.world.hosts.get(task.agentId)?.reachable).toBe(true);
});

test.each([
  ['executor', true],
  ['agent', false],
] as const)(
  'a container that the %s says could not be launched: the executor is kept: %s',
  (source, kept) => {
    const bench = new CoreBench();
    bench.deploy(anApp('/web'));
    const instance = bench.instance('/web');
    bench.status(instance, 'failed', { source, reason: 'REASON_CONTAINER_LAUNCH_FAILED' });
    expect(bench.world.executors.has(instance.agentId)).toBe(kept);
  },
);
