import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/runtime/clock.ts';

test('what is further away than a timer can count does not happen at once', async () => {
  let early = false;
  const cancel = systemClock.after(2 ** 31 + 1000, () => (early = true));
  await new Promise<void>((resolve) => void systemClock.after(50, resolve));
  cancel();
  expect(early).toBe(false);
});
