import type { App } from '../../../src/model/app.ts';
import type { SlotId } from '../../../src/model/ids.ts';
import { sameLease } from '../../../src/model/instance.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { anchored, awaitFlip, dropAnchor, endOutgoing, forgetFlip } from './handover.ts';
import { isReady, isSick, tendSlot } from './health.ts';
import { phaseOf } from '../deployments/jobs.ts';
import type { Phase } from '../deployments/jobs.ts';
import { fenceInstance, stopInstance } from './kills.ts';
import type { SlotStatus } from '../deployments/progress.ts';

/**
 * Brings one slot in order and says where it stands. Decides alone what concerns only this slot: which incarnation
 * is active, the flip from old to new, the end of what is superfluous. Whether an outdated slot gets a new
 * incarnation is for `rolling`, since it depends on the others. Doing it twice changes nothing.
 */
export function advanceSlot(frame: FrameBuilder, slotId: SlotId): SlotStatus | undefined {
  const slot = frame.world.slots.get(slotId);
  if (slot === undefined) return undefined;
  const app = frame.world.apps.get(slot.appId);
  const phase = phaseOf(frame.world, slot.appId);
  if (app === undefined || slot.quarantinedUntil !== undefined) return retireSlot(frame, slot, phase);
  chooseActive(frame, slot, app);
  flipWhenReady(frame, slotId, app);
  endSuperfluous(frame, slotId, app);
  tendSlot(frame, slotId, app);
  return statusOf(frame, slotId, app);
}

/** The incarnations that hold the slot: not fenced, and not unreachable for longer than the app allows. */
export const holdersOf = (frame: FrameBuilder, slotId: SlotId, app: App): Instance[] =>
  incarnationsOf(frame.world, slotId).filter((instance) => !isAbsent(instance, app, frame.now));

/** True for an incarnation that may be replaced though it has not ended. */
export function isAbsent(instance: Instance, app: App, now: number): boolean {
  if (instance.fenced === true) return true;
  if (instance.condition !== 'unreachable' || app.unreachableStrategy === 'disabled') return false;
  return now >= instance.since + app.unreachableStrategy.inactiveAfterSeconds * 1000;
}

/** True when an incarnation of the slot is what the app's definition asks for. */
export const isUpToDate = (instance: Instance, slot: Slot, app: App): boolean =>
  instance.configVersion === app.versionInfo.lastConfigChangeAt && sameLease(instance.lease, slot.lease);

function retireSlot(frame: FrameBuilder, slot: Slot, phase: Phase): SlotStatus | undefined {
  const instances = incarnationsOf(frame.world, slot.id);
  if (phase !== 'waiting') for (const instance of instances) stopInstance(frame, instance);
  const until = slot.lease === undefined ? 0 : (slot.quarantinedUntil ?? 0);
  if (instances.length === 0 && phase !== 'waiting' && frame.now >= until) {
    frame.deleteSlot(slot);
    return undefined;
  }
  if (instances.length === 0) frame.world.timers.set({ kind: 'quarantine', slotId: slot.id }, until);
  const alive = instances.some(
    (instance) => instance.condition !== 'unreachable' && instance.fenced !== true,
  );
  return {
    inService: false,
    vacant: false,
    outdated: false,
    ready: false,
    sick: false,
    ailing: false,
    settled: !alive,
    extra: 0,
  };
}

/** The slot's active incarnation is gone: the newest other one takes its place at once. */
function chooseActive(frame: FrameBuilder, slot: Slot, app: App): void {
  const held = holdersOf(frame, slot.id, app);
  if (held.some((instance) => instance.epoch === slot.activeEpoch)) return;
  const next = held.findLast((instance) => instance.goal === 'run');
  if (next !== undefined) activate(frame, slot, next);
}

/** Gives the slot's address to an incarnation and fences the ones that nobody can reach. */
function activate(frame: FrameBuilder, slot: Slot, next: Instance): void {
  forgetFlip(frame, slot.id);
  const { anchoredEpoch: _over, ...rest } = slot;
  frame.putSlot({ ...rest, activeEpoch: next.epoch });
  if (next.standby) frame.putInstance({ ...next, standby: false });
  fenceUnreachable(frame, slot.id, next.epoch);
}

/** Fences every unreachable incarnation of the slot but the one of `epoch`. */
export function fenceUnreachable(frame: FrameBuilder, slotId: SlotId, epoch: number): void {
  for (const other of incarnationsOf(frame.world, slotId)) {
    if (other.epoch !== epoch && other.condition === 'unreachable') fenceInstance(frame, other);
  }
}

function flipWhenReady(frame: FrameBuilder, slotId: SlotId, app: App): void {
  const slot = frame.world.slots.get(slotId);
  if (slot === undefined) return;
  const active = slot.activeEpoch ?? 0;
  const next = holdersOf(frame, slotId, app).findLast((instance) => instance.epoch > active);
  if (next === undefined || !isUpToDate(next, slot, app) || !isReady(next, app)) {
    return dropAnchor(frame, slot);
  }
  const step = { slot: slotId, appId: app.id, epoch: next.epoch };
  if (slot.anchoredEpoch !== next.epoch) frame.publish('slot_ready_event', step);
  if (!anchored(frame, slot, next)) return;
  activate(frame, { ...slot, flippedAt: frame.now }, next);
  frame.publish('slot_flipped_event', { ...step, previousEpoch: active });
}

/** Ends standbys that nobody waits for and, once due, what a flip left behind. */
function endSuperfluous(frame: FrameBuilder, slotId: SlotId, app: App): void {
  const slot = frame.world.slots.get(slotId);
  if (slot === undefined) return;
  const running = holdersOf(frame, slotId, app).filter((instance) => instance.goal === 'run');
  const active = running.find((instance) => instance.epoch === slot.activeEpoch);
  const newest = running.at(-1);
  for (const instance of running) {
    if (instance.epoch <= (slot.activeEpoch ?? 0)) continue;
    const superseded = active !== undefined && isUpToDate(active, slot, app);
    if (superseded || instance !== newest || !isUpToDate(instance, slot, app)) stopInstance(frame, instance);
  }
  const outgoing = running.some((instance) => instance.epoch < (slot.activeEpoch ?? 0));
  if (!outgoing) return;
  if (slot.lease === undefined) endOutgoing(frame, slotId);
  else awaitFlip(frame, slotId);
}

function statusOf(frame: FrameBuilder, slotId: SlotId, app: App): SlotStatus | undefined {
  const slot = frame.world.slots.get(slotId);
  if (slot === undefined) return undefined;
  const held = holdersOf(frame, slotId, app);
  const running = held.filter((instance) => instance.goal === 'run');
  const active = running.find((instance) => instance.epoch === slot.activeEpoch);
  const ready = active !== undefined && isReady(active, app);
  const upToDate = running.some((instance) => isUpToDate(instance, slot, app));
  return {
    inService: true,
    // Before its turn comes, a deployment must not start what was never there.
    vacant: held.length === 0 && (!isIdle(slot) || phaseOf(frame.world, app.id) !== 'waiting'),
    outdated: active !== undefined && !upToDate,
    ready,
    sick: active !== undefined && isSick(active, app),
    ailing: slot.ailingEpoch !== undefined,
    settled: held.length === 1 && ready && upToDate,
    extra: Math.max(0, held.length - 1),
  };
}

/** Nothing has been launched in it since it came into service. */
const isIdle = (slot: Slot): boolean => slot.epoch === 0 || slot.returned === true;
