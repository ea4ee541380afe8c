import { launchableFrom } from './backoff.ts';
import type { FrameBuilder } from '../frame.ts';
import { launchAllowance } from './launch-rate.ts';
import { listenMs } from './places.ts';

/** Work that stays unmet is told to Mesos again after this long: filters and lost calls must not hide offers for ever. */
const repeatReviveMs = 60_000;

/** Revives in a row before the interval between them holds: deployments that follow each other find every host. */
const reviveBurst = 4;

/** Asks for offers when there is new work; not more often than the settings allow. */
export function regulateOffers(frame: FrameBuilder): void {
  const { world, settings, now } = frame;
  if (!frame.newWork || !world.subscribed || !hasWork(frame)) return;
  const earliest = world.revivesPaidUntil - (reviveBurst - 1) * settings.minReviveIntervalMs;
  if (now >= earliest) revive(frame);
  else world.timers.set({ kind: 'revive' }, earliest);
}

/** The time to repeat an unmet request for offers. */
export function reviveDue(frame: FrameBuilder): void {
  if (frame.world.subscribed && hasWork(frame)) revive(frame);
}

/** Tells Mesos, once, to keep its offers as long as nothing wants to be launched; not before those asked for have come. */
export function suppressWhenIdle(frame: FrameBuilder): void {
  const { world, now } = frame;
  if (!world.subscribed || world.suppressed || world.wanting.size > 0) return;
  if (now < world.revivedAt + listenMs) return;
  world.suppressed = true;
  frame.emit({ kind: 'suppress' });
}

function revive(frame: FrameBuilder): void {
  frame.world.suppressed = false;
  frame.world.revivedAt = frame.now;
  frame.world.listeningSince ??= frame.now;
  frame.world.revivesPaidUntil =
    Math.max(frame.world.revivesPaidUntil, frame.now) + frame.settings.minReviveIntervalMs;
  frame.world.timers.set({ kind: 'revive' }, frame.now + repeatReviveMs);
  frame.newWork = false;
  frame.emit({ kind: 'revive' });
}

/** Whether something can be launched now. */
function hasWork(frame: FrameBuilder): boolean {
  if (launchAllowance(frame) === 0) return false;
  for (const appId of frame.world.wanting) {
    const app = frame.world.apps.get(appId);
    if (app !== undefined && launchableFrom(frame.world, app) <= frame.now) return true;
  }
  return false;
}
