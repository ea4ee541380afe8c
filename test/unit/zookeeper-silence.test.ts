import { expect, test } from '@jest/globals';
import { isSilent, nextPingInMs } from '../../src/zookeeper/silence.ts';

const timeoutMs = 2_000;

test('a server that answered lately is not given up', () => {
  expect(isSilent({ now: 10_000, heardAtMs: 9_000, pingedAtMs: 9_600, timeoutMs })).toBe(false);
});

test('a server from which nothing came for two thirds of the timeout is given up', () => {
  expect(isSilent({ now: 10_000, heardAtMs: 8_600, pingedAtMs: 9_600, timeoutMs })).toBe(true);
});

test('a server is not given up for what may lie unread since a pause of this process', () => {
  expect(isSilent({ now: 10_000, heardAtMs: 6_800, pingedAtMs: 6_900, timeoutMs })).toBe(false);
});

test('a server that stays silent after the pause is given up', () => {
  const pause = { now: 10_000, heardAtMs: 6_800, pingedAtMs: 6_900, timeoutMs };
  expect(isSilent({ ...pause, now: 10_400, pingedAtMs: pause.now })).toBe(true);
});

test('pings go five times within the timeout', () => {
  expect(nextPingInMs({ now: 10_000, heardAtMs: 9_900, timeoutMs })).toBe(400);
});

test('a server is asked the last time just when it becomes too silent, not later', () => {
  const heardAtMs = 9_000;
  let now = 9_900;
  while (!isSilent({ now, heardAtMs, pingedAtMs: now - 1, timeoutMs })) {
    now += Math.max(1, nextPingInMs({ now, heardAtMs, timeoutMs }));
  }
  expect(now - heardAtMs).toBeLessThan((timeoutMs * 2) / 3 + 1);
});

test('after a pause of this process the server gets the usual time', () => {
  expect(nextPingInMs({ now: 10_000, heardAtMs: 6_800, timeoutMs })).toBe(400);
});
