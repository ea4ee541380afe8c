import type { App } from '../../../src/model/app.ts';
import type { CheckResult } from '../../../src/model/health.ts';
import type { SlotId } from '../../../src/model/ids.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { countFailure } from '../offers/backoff.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { stopInstance } from './kills.ts';
import { noteLastFailure } from './last-failure.ts';
import type { AppProgress } from '../deployments/progress.ts';
import { publishHealthKill } from '../fabric/publications.ts';
import { rollingLimits } from '../deployments/rolling.ts';

/**
 * Running, healthy and ready where it has checks for that; one that is being ended does not serve. An instance is
 * judged by the checks that it was launched with, as long as the app has any.
 */
export const isReady = (instance: Instance, app: App): boolean =>
  instance.condition === 'running' &&
  instance.goal === 'run' &&
  (app.healthChecks.length === 0 || instance.checked !== true || instance.healthy === true) &&
  (app.readinessChecks.length === 0 || instance.ready !== false);

/** A health check of the instance failed as often in a row as the check allows: it has to be replaced. */
export const isSick = (instance: Instance, app: App): boolean =>
  app.healthChecks.length > 0 &&
  instance.condition === 'running' &&
  instance.goal === 'run' &&
  failedCheck(instance) !== undefined;

/**
 * How many slots of an app may be without service at the same time because of health kills: what is bad for all, such
 * as a database that is away, must not end all.
 */
export const healthKillLimit = (app: Pick<App, 'instances' | 'upgradeStrategy'>): number =>
  Math.max(1, app.instances - rollingLimits(app).minHealthy);

/**
 * Ends sick incarnations of a slot that cost no more service than is missing already: those that are not active, and
 * the successor of one that was ended for its health. Forgets that one when its successor serves.
 */
export function tendSlot(frame: FrameBuilder, slotId: SlotId, app: App): void {
  const slot = frame.world.slots.get(slotId);
  if (slot === undefined) return;
  const incarnations = incarnationsOf(frame.world, slotId);
  const active = incarnations.find(({ epoch }) => epoch === slot.activeEpoch);
  if (slot.ailingEpoch !== undefined && active !== undefined && isRecovered(slot, active, app)) {
    const { ailingEpoch: _, ...recovered } = slot;
    frame.putSlot(recovered);
  }
  for (const instance of incarnations) {
    if (!isSick(instance, app)) continue;
    if (instance !== active || slot.ailingEpoch !== undefined) endSick(frame, app, instance);
  }
}

/** Ends active instances that are sick, as many as the app's limit leaves room for. */
export function endSickInstances(frame: FrameBuilder, app: App, progress: AppProgress): void {
  let room = healthKillLimit(app) - progress.ailing;
  for (const slotId of progress.sick) {
    if (room <= 0) return;
    const slot = frame.world.slots.get(slotId);
    const active = incarnationsOf(frame.world, slotId).find(({ epoch }) => epoch === slot?.activeEpoch);
    if (slot === undefined || active === undefined || !isSick(active, app)) continue;
    frame.putSlot({ ...slot, ailingEpoch: active.epoch });
    endSick(frame, app, active);
    room--;
  }
}

const isRecovered = (slot: Slot, active: Instance, app: App): boolean =>
  active.epoch > (slot.ailingEpoch ?? 0) && isReady(active, app);

/** The kill is the app's failure; only an instance that was never well delays the launch of the next. */
function endSick(frame: FrameBuilder, app: App, instance: Instance): void {
  const everWell = instance.checkResults?.every((result) => result?.firstSuccess !== undefined) === true;
  if (!everWell) countFailure(frame, app, instance.configVersion, 'ended');
  const cause = failedCheck(instance)?.lastFailureCause ?? 'no reason given';
  const message = `ended for its health: ${cause}`;
  noteLastFailure(frame, instance, 'killed', message);
  publishHealthKill(frame, instance, message);
  stopInstance(frame, instance);
}

const failedCheck = (instance: Instance): CheckResult | undefined =>
  instance.checkResults?.find((result) => result?.exhausted === true && !result.alive) ?? undefined;
