import { expect, test } from '@jest/globals';
import { ViewFollower } from '../../executor/fabric/view-follower.ts';
import type { View } from '../../src/fabric/view.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const viewOf = (n: number): View => ({ version: { term: 1, n }, hosts: [], networks: [], endpoints: [] });
const [first, second] = [viewOf(1), viewOf(2)];
/** Lets promises that are settled tell so. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A switch that puts views in force, or not, when the test says so. */
function newBench() {
  const clock = new ManualClock();
  const told: number[] = [];
  const asked: { readonly n: number; readonly end: (error?: Error) => Promise<unknown> }[] = [];
  const log = recordingLogger();
  const follower = new ViewFollower({
    clock,
    random: () => 0.5,
    log,
    enforce: ({ version: { n } }) =>
      new Promise((resolve, reject) => {
        const end = (error?: Error) => {
          if (error === undefined) resolve();
          else reject(error);
          return turn();
        };
        asked.push({ n, end });
      }),
    onInForce: ({ version: { n } }) => void told.push(n),
  });
  return { clock, told, asked, log, follower };
}

test('a view that fails again and again is told as soon as it is in force, without another one coming', async () => {
  const { clock, told, asked, log, follower } = newBench();
  follower.follow(first);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    await asked.at(-1)!.end(new Error('ovsdb-server is away'));
    clock.advance(10_000);
    expect(asked).toHaveLength(attempt + 2);
  }
  expect(told).toEqual([]);
  await asked.at(-1)!.end();
  expect(told).toEqual([1]);
  expect(clock.pendingTimers).toBe(0);
  expect(log.lines).toEqual(['a view could not be put in force; it is tried again']);
});

test('a view that was replaced is not tried again, and is no news after the newer one', async () => {
  const { clock, told, asked, follower } = newBench();
  follower.follow(first);
  await asked[0]!.end(new Error('busy'));
  clock.advance(10_000);
  follower.follow(second);
  expect(asked.map(({ n }) => n)).toEqual([1, 1, 2]);
  await asked[2]!.end();
  await asked[1]!.end();
  expect(told).toEqual([2]);

  follower.follow(viewOf(3));
  follower.follow(viewOf(4));
  await asked[3]!.end(new Error('busy'));
  expect(clock.pendingTimers).toBe(0);
  await asked[4]!.end();
  expect(told).toEqual([2, 4]);
});

test('views that come together do not wait for each other, and each is told', async () => {
  const { told, asked, follower } = newBench();
  follower.follow(first);
  follower.follow(second);
  expect(asked.map(({ n }) => n)).toEqual([1, 2]);
  await asked[0]!.end();
  await asked[1]!.end();
  expect(told).toEqual([1, 2]);
});

test('after stop() nothing is tried or told', async () => {
  const { clock, told, asked, follower } = newBench();
  follower.follow(first);
  await asked[0]!.end(new Error('busy'));
  follower.stop();
  expect(clock.pendingTimers).toBe(0);

  const late = newBench();
  late.follower.follow(first);
  late.follower.follow(second);
  late.follower.stop();
  await late.asked[0]!.end();
  await late.asked[1]!.end(new Error('aborted'));
  expect([late.clock.pendingTimers, told, late.told, late.log.lines]).toEqual([0, [], [], []]);
});
