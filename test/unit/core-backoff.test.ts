import { expect, test } from '@jest/globals';
import { appId } from '../../src/model/ids.ts';
import type { Condition } from '../../src/model/instance.ts';
import { launchableFrom } from '../../scheduler/core/offers/backoff.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

/** Milliseconds until the app may launch again. */
const delay = (bench: CoreBench): number =>
  Math.max(0, launchableFrom(bench.world, bench.app('/web')) - bench.now);

/** Launches what is wanted and lets it end. */
function launchAndEnd(bench: CoreBench, condition: Condition, reason?: string): void {
  bench.run(bench.offer('a1'));
  bench.status(bench.instance('/web'), condition, reason === undefined ? {} : { reason });
}

test('each failure multiplies the delay by the factor, up to the maximum', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { backoffSeconds: 2, backoffFactor: 3, maxLaunchDelaySeconds: 10 }));
  const delays = Array.from({ length: 4 }, () => {
    launchAndEnd(bench, 'failed');
    const ms = delay(bench);
    bench.wait(ms / 1000);
    return ms;
  });
  expect(delays).toEqual([2_000, 6_000, 10_000, 10_000]);
});

test.each<[Condition, string | undefined, number]>([
  ['failed', undefined, 1_000],
  ['finished', undefined, 1_000],
  ['gone', undefined, 1_000],
  ['error', 'REASON_TASK_INVALID', 60_000],
  ['killed', undefined, 0],
  ['gone-by-operator', undefined, 0],
  ['dropped', 'REASON_INVALID_OFFERS', 0],
  ['failed', 'REASON_AGENT_DRAINING', 0],
])('a task that ends as %s (%s) delays the next by %i ms', (condition, reason, expected) => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  launchAndEnd(bench, condition, reason);
  expect(delay(bench)).toBe(expected);
});

test('a task that Mesos refuses for its executor does not count against the app, the next one gets a new executor', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [first] = bench.offer('a1');
  bench.status(bench.instance('/web'), 'error', {
    source: 'master',
    reason: 'REASON_TASK_INVALID',
    message: 'ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID.',
  });
  expect(delay(bench)).toBe(0);
  const [second] = bench.offer('a1');
  expect(second?.executorId).toBeDefined();
  expect(second?.executorId).not.toBe(first?.executorId);
});

test('launches that Mesos keeps dropping are delayed in the end', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  for (let i = 0; i < 5; i++) launchAndEnd(bench, 'dropped', 'REASON_INVALID_OFFERS');
  expect(delay(bench)).toBe(0);
  launchAndEnd(bench, 'dropped', 'REASON_INVALID_OFFERS');
  expect(delay(bench)).toBe(1_000);
});

test('many instances that fail together count once', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 3 }));
  for (const instance of bench.instances('/web')) bench.status(instance, 'failed');
  expect(delay(bench)).toBe(1_000);
});

test('a long time without a failure clears the delay', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { maxLaunchDelaySeconds: 20 }));
  launchAndEnd(bench, 'failed');
  bench.wait(1);
  launchAndEnd(bench, 'failed');
  bench.wait(30);
  launchAndEnd(bench, 'failed');
  expect(delay(bench)).toBe(1_000);
  bench.wait(60);
  expect(bench.world.launchDelays.size).toBe(0);
});

test('a person can reset the delay, and a deployment does', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { backoffSeconds: 100 }));
  bench.status(bench.instance('/web'), 'failed');
  expect(bench.offer('a1')).toEqual([]);
  bench.change({ kind: 'reset-delay', appId: appId('/web') });
  expect(bench.offer('a1')).toHaveLength(1);
});

test('the delay of one app does not hold up another', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/other'));
  bench.status(bench.instance('/web'), 'failed');
  expect(bench.offer('a1').map(({ app }) => app.id)).toEqual(['/other']);
});
