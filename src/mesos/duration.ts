import type { DurationInfo } from '../../proto/mesos.gen.ts';
import { PatchpanelError } from '../runtime/errors.ts';

const unitMs: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['ms', 1],
  ['secs', 1000],
  ['mins', 60_000],
  ['hrs', 3_600_000],
  ['days', 86_400_000],
  ['weeks', 604_800_000],
]);

/**
 * Milliseconds of a duration as Mesos prints it: `15mins`, `1.5mins`, `2secs`.
 * @throws PatchpanelError `invalid` for anything else
 */
export function parseDuration(text: string): number {
  const match = /^(-?\d+(?:\.\d+)?)([a-z]+)$/.exec(text.trim());
  const unit = match?.[2] === undefined ? undefined : unitMs.get(match[2]);
  if (unit === undefined) {
    throw new PatchpanelError(
      'invalid',
      `${JSON.stringify(text)} is not a duration: a number and one of ${[...unitMs.keys()].join(', ')}`,
    );
  }
  return Number(match![1]) * unit;
}

/** A bit less than Mesos's durations can hold, so that the nearest number fits, too: about 146 years. */
const longestNanoseconds = 2 ** 62;

/** Milliseconds as a message; what is longer than Mesos can say becomes the longest that it can. */
export const durationInfo = (ms: number): DurationInfo => ({
  nanoseconds: Math.min(Math.round(ms * 1e6), longestNanoseconds),
});

/** Milliseconds in the form of parseDuration, in the largest unit that needs no fraction. */
export function formatDuration(ms: number): string {
  const units = [...unitMs.entries()].toReversed();
  const [name, size] = units.find(([, unit]) => ms !== 0 && Number.isInteger(ms / unit)) ?? ['ms', 1];
  return `${ms / size}${name}`;
}
