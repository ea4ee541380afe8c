import type { FrameBuilder } from '../frame.ts';

/**
 * How many tasks may be launched now (Marathon's launch tokens): a number for each interval; a task that runs gives
 * its own back, so the limit is on what is on its way.
 */
export function launchAllowance({ world, settings, now }: FrameBuilder): number {
  if (settings.launchTokens === 0) return Number.POSITIVE_INFINITY;
  return isOver(world.launchWindow.startedAt, settings.launchTokenIntervalMs, now)
    ? settings.launchTokens
    : Math.max(0, settings.launchTokens - world.launchWindow.used);
}

/** Counts launches; when the allowance is used up, what waits is looked at again when the interval ends. */
export function countLaunches(frame: FrameBuilder, launches: number): void {
  const { world, settings, now } = frame;
  if (settings.launchTokens === 0) return;
  const { launchWindow: window } = world;
  if (isOver(window.startedAt, settings.launchTokenIntervalMs, now)) {
    window.startedAt = now;
    window.used = 0;
  }
  window.used += launches;
  if (window.used >= settings.launchTokens) {
    world.timers.set({ kind: 'launch-tokens' }, window.startedAt + settings.launchTokenIntervalMs);
  }
}

/** A launched task runs. */
export function launchConfirmed({ world }: FrameBuilder): void {
  world.launchWindow.used = Math.max(0, world.launchWindow.used - 1);
}

/** A new interval: what waited for it can go on. */
export function launchTokensDue(frame: FrameBuilder): void {
  if (frame.world.wanting.size > 0) frame.newWork = true;
}

const isOver = (startedAt: number, intervalMs: number, now: number): boolean => now >= startedAt + intervalMs;
