import type { AppId, SlotId } from '../../../src/model/ids.ts';
import type { World } from '../world.ts';

/** Where one slot stands. */
export interface SlotStatus {
  /** False for a slot that was scaled away. */
  readonly inService: boolean;
  /** Nothing holds it and it wants an incarnation. */
  readonly vacant: boolean;
  /** Its incarnation is of an older configuration and no newer one is there. */
  readonly outdated: boolean;
  /** Its active incarnation serves: running, and healthy where the app has checks. */
  readonly ready: boolean;
  /** Its active incarnation has to be replaced for its bad health. */
  readonly sick: boolean;
  /** An incarnation was ended for its health, and no later one serves yet. */
  readonly ailing: boolean;
  /** In service: exactly one incarnation, active, up to date and ready. Scaled away: nothing runs any more. */
  readonly settled: boolean;
  /** Incarnations beyond the first that take resources. */
  readonly extra: number;
}

/**
 * Sums over the slots of an app, kept as its slots change so that an event costs what it touches, not what the app
 * has. INVARIANT: each set and sum agrees with `statuses`; `standbys` is a subset of the outdated ones.
 */
export interface AppProgress {
  readonly statuses: Map<SlotId, SlotStatus>;
  readonly vacant: Set<SlotId>;
  readonly outdatedReady: Set<SlotId>;
  readonly outdatedUnready: Set<SlotId>;
  /** Outdated slots that the rolling upgrade wants a standby for. */
  readonly standbys: Set<SlotId>;
  /** No host has room for any of `standbys`. */
  noRoom: boolean;
  readonly unsettled: Set<SlotId>;
  readonly sick: Set<SlotId>;
  ailing: number;
  inService: number;
  ready: number;
  extra: number;
}

/** The progress of an app, made empty when there is none. */
export function progressOf(world: World, appId: AppId): AppProgress {
  const known = world.progress.get(appId);
  if (known !== undefined) return known;
  const progress: AppProgress = {
    statuses: new Map(),
    vacant: new Set(),
    outdatedReady: new Set(),
    outdatedUnready: new Set(),
    standbys: new Set(),
    noRoom: false,
    unsettled: new Set(),
    sick: new Set(),
    ailing: 0,
    inService: 0,
    ready: 0,
    extra: 0,
  };
  world.progress.set(appId, progress);
  return progress;
}

/** Replaces what is known of a slot; undefined: the slot is gone. True when the slot newly wants an incarnation. */
export function recordStatus(progress: AppProgress, slot: SlotId, status: SlotStatus | undefined): boolean {
  const before = progress.statuses.get(slot);
  if (before !== undefined) addUp(progress, before, -1);
  if (status === undefined) progress.statuses.delete(slot);
  else {
    progress.statuses.set(slot, status);
    addUp(progress, status, 1);
  }
  const newlyVacant = status?.vacant === true && !progress.vacant.has(slot);
  member(progress.vacant, slot, status?.vacant === true);
  member(progress.outdatedReady, slot, status?.outdated === true && status.ready);
  member(progress.outdatedUnready, slot, status?.outdated === true && !status.ready);
  member(progress.unsettled, slot, status?.settled === false);
  member(progress.sick, slot, status?.sick === true);
  if (status?.outdated !== true) progress.standbys.delete(slot);
  return newlyVacant;
}

/** True when a slot of the app wants an incarnation, launch delays aside. */
export const wantsLaunch = (progress: AppProgress): boolean =>
  progress.vacant.size > 0 || progress.standbys.size > 0;

/** True when a slot of the app runs an older configuration, and no newer one beside it. */
export const hasOutdated = (progress: AppProgress): boolean =>
  progress.outdatedReady.size > 0 || progress.outdatedUnready.size > 0;

function addUp(progress: AppProgress, status: SlotStatus, sign: 1 | -1): void {
  if (status.inService) progress.inService += sign;
  if (status.ready) progress.ready += sign;
  if (status.ailing) progress.ailing += sign;
  progress.extra += sign * status.extra;
}

function member(set: Set<SlotId>, slot: SlotId, wanted: boolean): void {
  if (wanted) set.add(slot);
  else set.delete(slot);
}
