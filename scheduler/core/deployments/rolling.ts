import type { App } from '../../../src/model/app.ts';
import { handoverOf } from '../../../src/model/handover.ts';
import type { SlotId } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { phaseOf } from './jobs.ts';
import { stopInstance } from '../slots/kills.ts';
import type { AppProgress } from './progress.ts';
import { watchRoom } from './room.ts';

/** Doubles such as 10 × 0.7 may lie a hair above the whole number that is meant. */
const epsilon = 1e-9;

/** How many instances an upgrade keeps serving, and how many may run at once. */
export interface RollingLimits {
  readonly minHealthy: number;
  readonly maxCapacity: number;
}

/**
 * Marathon's upgrade maths: ceil(n × minimumHealthCapacity) keep serving, trunc(n × (1 + maximumOverCapacity)) may
 * run. Where that leaves no move at all, one more may run.
 */
export function rollingLimits(app: Pick<App, 'instances' | 'upgradeStrategy'>): RollingLimits {
  const { maximumOverCapacity, minimumHealthCapacity } = app.upgradeStrategy;
  const minHealthy = Math.max(0, Math.ceil(app.instances * minimumHealthCapacity - epsilon));
  const maxCapacity = Math.trunc(app.instances * (1 + maximumOverCapacity) + epsilon);
  return { minHealthy, maxCapacity: minHealthy >= maxCapacity ? minHealthy + 1 : maxCapacity };
}

/** Where old incarnations go first, none may run beside another, and one place at least may be empty. */
function handoverLimits(app: App): RollingLimits {
  const limits = rollingLimits(app);
  if (handoverOf(app).mode !== 'recreate') return limits;
  return { minHealthy: Math.min(limits.minHealthy, app.instances - 1), maxCapacity: app.instances };
}

/**
 * Takes the next steps of an app's upgrade: as long as capacity allows and hosts have room, an outdated slot gets a
 * standby beside its old incarnation; otherwise the old one ends first, those that do not serve before those that do.
 */
export function rollForward(frame: FrameBuilder, app: App, progress: AppProgress): void {
  if (phaseOf(frame.world, app.id) !== 'acting') {
    progress.standbys.clear();
    watchRoom(frame, app, progress);
    return;
  }
  const { minHealthy, maxCapacity } = handoverLimits(app);
  let over = maxCapacity - app.instances - progress.extra - progress.standbys.size;
  let spare = progress.ready - minHealthy;
  for (const [slots, serving] of [
    [progress.outdatedUnready, false],
    [progress.outdatedReady, true],
  ] as const) {
    for (const slot of slots) {
      const mayEnd = !serving || spare > 0;
      if (over <= 0 && !mayEnd) break;
      const isWaiting = progress.standbys.has(slot);
      const mayStandBy = isWaiting || over > 0;
      if (mayEnd && (!mayStandBy || (progress.noRoom && takesRoom(frame, slot)))) {
        endIncarnations(frame, slot);
        if (serving) spare--;
      } else if (mayStandBy && !isWaiting) {
        over--;
        progress.standbys.add(slot);
        frame.newWork = true;
      }
    }
  }
  watchRoom(frame, app, progress);
}

/** The end of what is unreachable makes no room. */
const takesRoom = (frame: FrameBuilder, slot: SlotId): boolean =>
  incarnationsOf(frame.world, slot).some(({ condition }) => condition !== 'unreachable');

function endIncarnations(frame: FrameBuilder, slot: SlotId): void {
  for (const instance of incarnationsOf(frame.world, slot)) stopInstance(frame, instance);
}
