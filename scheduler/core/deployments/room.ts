import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';
import { launchableFrom } from '../offers/backoff.ts';
import { launchAllowance } from '../offers/launch-rate.ts';
import { answerMs } from '../offers/places.ts';
import type { AppProgress } from './progress.ts';
import type { Settings } from '../world.ts';

/**
 * Finds out whether there is room for an app's standbys: they have been wanted for so long that every host with something
 * free was heard of, and none was placed. A standby that runs, or an old incarnation that drains, takes the answer
 * back: what follows may find room. Full hosts offer nothing at all, so silence is an answer, too.
 */
export function watchRoom(frame: FrameBuilder, app: App, progress: AppProgress): void {
  const timer = { kind: 'room', appId: app.id } as const;
  if (progress.standbys.size === 0 || progress.extra > 0) {
    progress.noRoom = false;
    frame.world.timers.cancel(timer);
  } else if (!progress.noRoom && !frame.world.timers.has(timer)) {
    listen(frame, app.id, Math.max(frame.now, launchableFrom(frame.world, app)));
  }
}

/**
 * The app's standbys have waited for long enough, if all the while they could have been launched: in a delay, also one
 * that began since, nothing is asked for.
 */
export function roomDue(frame: FrameBuilder, appId: AppId): void {
  const { world, now, settings } = frame;
  const app = world.apps.get(appId);
  const progress = world.progress.get(appId);
  if (app === undefined || progress === undefined) return;
  if (!world.subscribed || launchAllowance(frame) === 0) return listen(frame, appId, now);
  const launchable = launchableFrom(world, app);
  if (heardBy(launchable, settings) > now) return listen(frame, appId, launchable);
  progress.noRoom = true;
  frame.touchedApps.add(appId);
}

/** What was heard before a new subscription is not enough. */
export function listenAnew(frame: FrameBuilder): void {
  for (const appId of frame.world.wanting) {
    if (frame.world.timers.has({ kind: 'room', appId })) listen(frame, appId, frame.now);
  }
}

function listen({ world, settings }: FrameBuilder, appId: AppId, from: number): void {
  world.timers.set({ kind: 'room', appId }, heardBy(from, settings));
}

/** When all were heard: offers are asked for within the least interval between requests, and have come some time after. */
const heardBy = (from: number, { minReviveIntervalMs }: Settings): number =>
  from + minReviveIntervalMs + answerMs;
