import type { App } from '../../../src/model/app.ts';
import type { AppId, AppVersion } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';
import type { World } from '../world.ts';

/** Launches in a row that Mesos may drop before it counts as a failure. */
const freeDrops = 5;
/** A task that Mesos calls invalid fails again for sure: the least pause after one. */
const invalidTaskPauseMs = 60_000;

export type Failure = 'ended' | 'invalid-task' | 'dropped';

const keyOf = (app: AppId, config: AppVersion): string => `${app}@${config}`;

/** The moment before which nothing of the app's present configuration is launched; 0: at once. */
export const launchableFrom = (world: World, app: App): number =>
  world.launchDelays.get(keyOf(app.id, app.versionInfo.lastConfigChangeAt))?.until ?? 0;

/**
 * Counts a failure of an instance of `config` (Marathon's rule: each failure multiplies the delay by the app's
 * factor up to its maximum). Failures during a delay are one with the failure that began it; a time without
 * failures as long as the longest delay clears the count.
 */
export function countFailure(frame: FrameBuilder, app: App, config: AppVersion, failure: Failure): void {
  const { launchDelays, timers } = frame.world;
  const key = keyOf(app.id, config);
  const known = launchDelays.get(key);
  const maxMs = app.maxLaunchDelaySeconds * 1000;
  const previous = known !== undefined && frame.now <= known.until + maxMs ? known : undefined;
  const drops = failure === 'dropped' ? (previous?.drops ?? 0) + 1 : 0;
  if (failure === 'dropped' && drops <= freeDrops) {
    launchDelays.set(key, { delayMs: previous?.delayMs ?? 0, until: previous?.until ?? frame.now, drops });
    timers.set({ kind: 'delay', key }, frame.now + maxMs);
    return;
  }
  if (previous !== undefined && frame.now < previous.until) return;
  const first = previous === undefined || previous.delayMs === 0;
  const grown = first ? app.backoffSeconds * 1000 : previous.delayMs * app.backoffFactor;
  const least = failure === 'invalid-task' ? invalidTaskPauseMs : 0;
  const delayMs = Math.round(Math.min(Math.max(grown, least), Math.max(maxMs, least)));
  launchDelays.set(key, { delayMs, until: frame.now + delayMs, drops });
  timers.set({ kind: 'delay', key }, frame.now + delayMs);
}

/** Forgets the app's delays; what waits can be launched at once. */
export function resetDelays(frame: FrameBuilder, app: App): void {
  for (const key of frame.world.launchDelays.keys()) {
    if (!key.startsWith(`${app.id}@`)) continue;
    frame.world.launchDelays.delete(key);
    frame.world.timers.cancel({ kind: 'delay', key });
  }
  if (frame.world.wanting.has(app.id)) frame.newWork = true;
}

/** A delay ended: its app may launch. Later, without further failures, it is forgotten. */
export function delayDue(frame: FrameBuilder, key: string): void {
  const delay = frame.world.launchDelays.get(key);
  if (delay === undefined) return;
  const app = frame.world.apps.get(key.slice(0, key.lastIndexOf('@')) as AppId);
  const keepMs = (app?.maxLaunchDelaySeconds ?? 0) * 1000;
  if (app === undefined || frame.now >= delay.until + keepMs) {
    frame.world.launchDelays.delete(key);
  } else {
    frame.world.timers.set({ kind: 'delay', key }, delay.until + keepMs);
  }
  if (app !== undefined && frame.world.wanting.has(app.id)) frame.newWork = true;
}
