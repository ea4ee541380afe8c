import { expect, test } from '@jest/globals';
import { HandoverSteps } from '../../executor/fabric/handover-steps.ts';
import type { EndpointState } from '../../src/fabric/view.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';

const net = network('default', 7, '10.32.0.0/16');
const one = host('one', '192.0.2.1');

const viewWith = (n: number, state: EndpointState) =>
  view(
    [one],
    [net],
    [endpoint({ app: '/web', index: 0, network: net, host: one, ip: '10.32.0.5', state })],
    n,
  );

/** Steps whose waits end when the test says so, and the views in the order in which they settled. */
function newSteps() {
  const waits: (() => void)[] = [];
  const steps = new HandoverSteps(() => new Promise((resolve) => void waits.push(resolve)));
  const settled: number[] = [];
  const follow = (n: number, state: EndpointState) =>
    steps.follow(viewWith(n, state)).then(() => void settled.push(n));
  return { waits, settled, follow };
}

test('without a handover nothing is waited for, each step of one and its end once', async () => {
  const { waits, settled, follow } = newSteps();
  await follow(1, 'active');
  expect(waits).toHaveLength(0);
  const step = follow(2, 'anchored');
  expect(waits).toHaveLength(1);
  waits[0]!();
  await step;
  await follow(3, 'anchored');
  expect(waits).toHaveLength(1);
  const end = follow(4, 'active');
  expect(waits).toHaveLength(2);
  waits[1]!();
  await end;
  expect(settled).toEqual([1, 2, 3, 4]);
});

test('a view that changes no step settles no sooner than the step before it', async () => {
  const { waits, settled, follow } = newSteps();
  const all = [follow(1, 'anchored'), follow(2, 'anchored'), follow(3, 'anchored')];
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toEqual([]);
  waits[0]!();
  await Promise.all(all);
  expect(settled).toEqual([1, 2, 3]);
});

test('a later step whose wait is short settles after the earlier one', async () => {
  const { waits, settled, follow } = newSteps();
  const all = [follow(1, 'anchored'), follow(2, 'active'), follow(3, 'anchored')];
  expect(waits).toHaveLength(3);
  waits[1]!();
  waits[2]!();
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toEqual([]);
  waits[0]!();
  await Promise.all(all);
  expect(settled).toEqual([1, 2, 3]);
});
