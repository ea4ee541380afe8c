import { describe, expect, test } from '@jest/globals';
import { viewEndpoints } from '../../scheduler/core/fabric/fabric-view.ts';
import type { ViewEndpoint } from '../../src/fabric/view.ts';
import { handoverOf, handoverProblems } from '../../src/model/handover.ts';
import type { Instance } from '../../src/model/instance.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const labelled = (labels: Record<string, string> = {}, release = '1') =>
  anApp('/web', { labels, env: { RELEASE: release } });

/** A slot that has just been flipped from epoch 1 on a1 to epoch 2 on a2. */
function flipped(labels: Record<string, string> = {}): { bench: CoreBench; old: Instance; fresh: Instance } {
  const bench = new CoreBench();
  bench.deploy(labelled(labels));
  const old = bench.instance('/web');
  bench.put(labelled(labels, '2'));
  const launches = bench.offer('a2');
  bench.run(launches);
  const [launch] = launches;
  if (launch === undefined) throw new Error('nothing was launched');
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: launch.instance.epoch });
  return { bench, old, fresh: launch.instance };
}

const endpointsOf = ({ world }: CoreBench, { slotId }: Instance): readonly ViewEndpoint[] =>
  viewEndpoints(world, [slotId]).get(slotId) ?? [];

const say = (bench: CoreBench, { slotId, epoch, agentId }: Instance): readonly string[] =>
  bench.killed(bench.step({ kind: 'drained', slotId, epoch, agentId }).effects);

test.each(['drain', 'swap'])(
  'before a flip every host sends connections past the switch of the new incarnation: %s',
  (mode) => {
    const labels = { 'patchpanel.handover': mode };
    const bench = new CoreBench();
    bench.deploy(labelled(labels));
    const old = bench.instance('/web');
    bench.put(labelled(labels, '2'));
    bench.run(bench.offer('a2'));
    expect(endpointsOf(bench, old)).toMatchObject([
      { epoch: 1, state: 'active' },
      { epoch: 2, state: 'anchored' },
    ]);
    expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: [old.slotId] }]);
    // An acknowledgement of the old one says nothing about it.
    bench.step({ kind: 'converged', slotId: old.slotId, epoch: 1 });
    expect(bench.slot('/web').activeEpoch).toBe(1);
    bench.converge(old.slotId);
    expect(bench.slot('/web').activeEpoch).toBe(2);
    expect(bench.slot('/web')).not.toHaveProperty('anchoredEpoch');
  },
);

test('hosts that do not acknowledge the anchor do not hold up the flip for ever', () => {
  const bench = new CoreBench();
  bench.deploy(labelled());
  bench.put(labelled({}, '2'));
  bench.run(bench.offer('a2'));
  bench.wait(4);
  expect(bench.slot('/web').activeEpoch).toBe(1);
  bench.wait(2);
  expect(bench.slot('/web').activeEpoch).toBe(2);
});

test('an anchored incarnation that ends leaves the slot as it was', () => {
  const bench = new CoreBench();
  bench.deploy(labelled());
  const old = bench.instance('/web');
  bench.put(labelled({}, '2'));
  const launches = bench.offer('a2');
  bench.run(launches);
  bench.status(launches[0]!.instance, 'failed');
  expect(endpointsOf(bench, old)).toMatchObject([{ epoch: 1, state: 'active' }]);
  expect(bench.slot('/web')).not.toHaveProperty('anchoredEpoch');
});

test('a flipped slot keeps its old incarnation, with its connections, until the last of these has ended', () => {
  const { bench, old } = flipped();
  expect(endpointsOf(bench, old)).toMatchObject([
    { epoch: 1, state: 'draining', keepsConnections: true },
    { epoch: 2, state: 'active' },
  ]);
  expect(bench.killed(bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 }).effects)).toEqual([]);
  expect(bench.killed(bench.wait(20))).toEqual([]);
  expect(say(bench, old)).toEqual([old.taskId]);
  expect(bench.published()).toContain('slot_drained_event');
});

test('events tell the steps of a handover, each once', () => {
  const bench = new CoreBench();
  bench.deploy(labelled());
  const old = bench.instance('/web');
  const told = (act: () => unknown) => {
    act();
    return bench.published().filter((type) => type.startsWith('slot_'));
  };
  bench.put(labelled({}, '2'));
  const launches = bench.offer('a2');
  expect(told(() => bench.run(launches))).toEqual(['slot_ready_event']);
  expect(told(() => bench.converge(old.slotId))).toEqual(['slot_flipped_event']);
  expect(told(() => bench.converge(old.slotId))).toEqual(['slot_converged_event']);
  expect(told(() => bench.converge(old.slotId))).toEqual([]);
  expect(told(() => say(bench, old))).toEqual(['slot_drained_event']);
});

test('one that drains before every host has flipped stays to pass on what comes to it', () => {
  const { bench, old } = flipped();
  expect(say(bench, old)).toEqual([]);
  expect(bench.killed(bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 }).effects)).toEqual([
    old.taskId,
  ]);
});

test('it goes when its time is over, counted from the flip, whatever still is connected', () => {
  const { bench, old } = flipped({ 'patchpanel.drainSeconds': '8' });
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  expect(bench.killed(bench.wait(7))).toEqual([]);
  expect(bench.killed(bench.wait(2))).toEqual([old.taskId]);
});

test('where hosts do not acknowledge the flip it drains after their deadline', () => {
  const { bench, old } = flipped({ 'patchpanel.drainSeconds': '8' });
  expect(bench.killed(bench.wait(6))).toEqual([]);
  expect(bench.killed(bench.wait(3))).toEqual([old.taskId]);
});

test('only the host of the draining incarnation can say that it is done, and not of the active one', () => {
  const { bench, old, fresh } = flipped();
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  expect(say(bench, { ...old, agentId: fresh.agentId })).toEqual([]);
  expect(say(bench, fresh)).toEqual([]);
});

test('when the new incarnation dies while the old one drains, the old one has the address again', () => {
  const { bench, old, fresh } = flipped();
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  bench.status(fresh, 'failed');
  expect(endpointsOf(bench, old)).toMatchObject([{ epoch: 1, state: 'active' }]);
  expect(bench.killed(bench.wait(40))).toEqual([]);
});

/** The incarnation that was flipped to fails, and the next one is flipped to in its place. */
function flipAgain(bench: CoreBench, { slotId }: Instance, fresh: Instance, afterSeconds: number): void {
  bench.status(fresh, 'failed');
  bench.wait(afterSeconds);
  const launches = bench.offer('a3');
  bench.run(launches);
  bench.converge(slotId);
  expect(bench.slot('/web').activeEpoch).toBe(launches[0]?.instance.epoch);
}

test('after a flip that was taken back the next one gives hosts and connections all of their time', () => {
  const { bench, old, fresh } = flipped();
  bench.converge(old.slotId);
  flipAgain(bench, old, fresh, 27);
  expect(bench.killed(bench.wait(4))).toEqual([]);
  bench.converge(old.slotId);
  expect(bench.killed(bench.wait(25))).toEqual([]);
  expect(bench.killed(bench.wait(2))).toEqual([old.taskId]);
});

test('what served again after a flip that was taken back has connections again, whatever was said of it before', () => {
  const { bench, old, fresh } = flipped();
  expect(say(bench, old)).toEqual([]);
  flipAgain(bench, old, fresh, 2);
  expect(bench.killed(bench.converge(old.slotId).effects)).toEqual([]);
  expect(say(bench, old)).toEqual([old.taskId]);
});

test('when the host of the old incarnation dies in the middle, one active endpoint is left', () => {
  const { bench, old, fresh } = flipped();
  bench.status(old, 'unreachable');
  expect(endpointsOf(bench, old)).toMatchObject([{ epoch: fresh.epoch, state: 'active' }]);
});

test('with swap nothing is kept, and with recreate nothing runs beside the old one', () => {
  const swap = flipped({ 'patchpanel.handover': 'swap' });
  expect(endpointsOf(swap.bench, swap.old)[0]).toMatchObject({ state: 'draining' });
  expect(endpointsOf(swap.bench, swap.old)[0]).not.toHaveProperty('keepsConnections');
  expect(swap.bench.killed(swap.bench.converge(swap.old.slotId).effects)).toEqual([swap.old.taskId]);

  const bench = new CoreBench();
  bench.deploy(labelled({ 'patchpanel.handover': 'recreate' }));
  const old = bench.instance('/web');
  bench.put(labelled({ 'patchpanel.handover': 'recreate' }, '2'));
  expect(bench.killed()).toEqual([old.taskId]);
  expect(bench.offer('a2')).toEqual([]);
  bench.status(old, 'killed');
  expect(bench.offer('a2').map(({ instance }) => instance.standby)).toEqual([false]);
});

test('a drain that was under way goes on after a restart of the scheduler', () => {
  const { bench, old } = flipped({ 'patchpanel.drainSeconds': '8' });
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  bench.restart();
  expect(bench.killed(bench.wait(4))).toEqual([]);
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  expect(bench.killed(bench.wait(6))).toEqual([old.taskId]);
});

describe('the labels', () => {
  test('have defaults', () => {
    expect(handoverOf({ labels: {} })).toEqual({ mode: 'drain', drainMs: 30_000 });
    expect(handoverOf({ labels: { 'patchpanel.drainSeconds': '1.5' } }).drainMs).toBe(1500);
  });

  test.each([
    [{ 'patchpanel.handover': 'slowly' }, 'must be one of drain, swap, recreate'],
    [{ 'patchpanel.drainSeconds': 'long' }, 'must be a number of seconds from 0 to 86400'],
    [{ 'patchpanel.drainSeconds': '-1' }, 'must be a number of seconds from 0 to 86400'],
    [{ 'patchpanel.drainSeconds': '1e9' }, 'must be a number of seconds from 0 to 86400'],
  ])('%j are refused', (labels, problem) => {
    expect(handoverProblems(labels)).toEqual([{ label: Object.keys(labels)[0], problem }]);
  });
});
