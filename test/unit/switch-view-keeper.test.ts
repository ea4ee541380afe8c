import { expect, test } from '@jest/globals';
import { ViewKeeper } from '../../executor/fabric/view-keeper.ts';
import type { View } from '../../src/fabric/view.ts';
import { view } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

/** Saving holds everything up for so long. */
function keeperThatTakes(saveMs: number) {
  const clock = new ManualClock();
  const saved: number[] = [];
  const keeper = new ViewKeeper({
    clock,
    random: () => 0,
    log: recordingLogger(),
    save: ({ version }: View) => {
      clock.advance(saveMs);
      saved.push(version.n);
      return Promise.resolve();
    },
  });
  const keep = async (n: number) => {
    keeper.keep(view([], [], [], n));
    await settled();
  };
  return { clock, saved, keeper, keep };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

test('small views are on disk at once', async () => {
  const { saved, keep } = keeperThatTakes(2);
  for (const n of [1, 2, 3]) await keep(n);
  expect(saved).toEqual([1, 2, 3]);
});

test('a large view that follows another is put off, and only the newest is saved then', async () => {
  const { clock, saved, keep } = keeperThatTakes(50);
  for (const n of [1, 2, 3]) await keep(n);
  expect(saved).toEqual([1]);
  clock.advance(999);
  await settled();
  expect(saved).toEqual([1]);
  clock.advance(1);
  await settled();
  expect(saved).toEqual([1, 3]);
});

test('however long it took to save a view, the next one is not put off for more than two seconds', async () => {
  const { clock, saved, keep } = keeperThatTakes(5_000);
  for (const n of [1, 2]) await keep(n);
  clock.advance(2_000);
  await settled();
  expect(saved).toEqual([1, 2]);
});

test('the newest view is on disk when the executor ends in order', async () => {
  const { clock, saved, keeper, keep } = keeperThatTakes(50);
  for (const n of [1, 2]) await keep(n);
  await keeper.stop();
  expect(saved).toEqual([1, 2]);
  expect(clock.pendingTimers).toBe(0);
});
