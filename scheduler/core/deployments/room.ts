import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';
import { launchableFrom } from '../offers/backoff.ts';
import { launchAllowance } from '../offers/launch-rate.ts';
import { answerMs } from '../offers/places.ts';
import type { AppProgress } from './progress.ts';

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

/** The app's standbys have waited for long enough, unless nothing could be launched anyway. */
export function roomDue(frame: FrameBuilder, appId: AppId): void {
  const progress = frame.world.progress.get(appId);
  if (progress === undefined) return;
  if (!frame.world.subscribed || launchAllowance(frame) === 0) return listen(frame, appId, frame.now);
  progress.noRoom = true;
  frame.touchedApps.add(appId);
}

/** What was heard before a new subscription is not enough. */
export function listenAnew(frame: FrameBuilder): void {
  for (const appId of frame.world.wanting) {
    if (frame.world.timers.has({ kind: 'room', appId })) listen(frame, appId, frame.now);
  }
}

/** Offers are asked for within the least interval between requests, and have come some time after that. */
function listen({ world, settings }: FrameBuilder, appId: AppId, from: number): void {
  world.timers.set({ kind: 'room', appId }, from + settings.minReviveIntervalMs + answerMs);
}
