import type { App } from '../../../src/model/app.ts';
import { handoverOf } from '../../../src/model/handover.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import type { AgentId, SlotId } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { stopInstance } from './kills.ts';

/** Whether old incarnations of the app keep their connections after a flip. */
export function drains(app: Pick<App, 'labels'>): boolean {
  const { mode, drainMs } = handoverOf(app);
  return mode === 'drain' && drainMs > 0;
}

/** The slot was flipped and an old incarnation is still there: hosts get some time to acknowledge the new one. */
export function awaitFlip(frame: FrameBuilder, slotId: SlotId): void {
  const { timers } = frame.world;
  if (timers.has({ kind: 'flip', slotId }) || timers.has({ kind: 'drain', slotId })) return;
  timers.set({ kind: 'flip', slotId }, frame.now + frame.settings.flipDeadlineMs);
}

/**
 * Whether a ready incarnation may take the slot over from one that runs. Every host must send connections past its switch
 * first, so that it turns to the new one there and nowhere else: this asks for that, and is asked again when hosts have
 * acknowledged it or have had time to.
 */
export function anchored(frame: FrameBuilder, slot: Slot, next: Instance): boolean {
  const { world, now, settings } = frame;
  const active = incarnationsOf(world, slot.id).find(({ epoch }) => epoch === slot.activeEpoch);
  if (slot.lease === undefined || active?.condition !== 'running') return true;
  if (slot.anchoredEpoch !== next.epoch) {
    world.anchorsHold.delete(slot.id);
    frame.putSlot({ ...slot, anchoredEpoch: next.epoch });
  }
  if (world.anchorsHold.get(slot.id) === next.epoch) {
    world.timers.cancel({ kind: 'anchor', slotId: slot.id });
    return true;
  }
  const timer = { kind: 'anchor', slotId: slot.id } as const;
  if (!world.timers.has(timer)) world.timers.set(timer, now + settings.flipDeadlineMs);
  return false;
}

/** What was about to take over is not ready any more. */
export function dropAnchor(frame: FrameBuilder, slot: Slot): void {
  if (slot.anchoredEpoch === undefined) return;
  frame.world.timers.cancel({ kind: 'anchor', slotId: slot.id });
  const { anchoredEpoch: _dropped, ...rest } = slot;
  frame.putSlot(rest);
}

/** Every host sends connections past the anchor's switch, or has had the time to. */
export function anchorHolds(frame: FrameBuilder, slotId: SlotId): void {
  const slot = frame.world.slots.get(slotId);
  if (slot?.anchoredEpoch === undefined) return;
  frame.world.anchorsHold.set(slotId, slot.anchoredEpoch);
  frame.touchSlot(slot.appId, slotId);
}

/** Every host has the incarnation in force in the state that it has now. */
export function converged(frame: FrameBuilder, slotId: SlotId, epoch: number): void {
  const slot = frame.world.slots.get(slotId);
  if (slot?.anchoredEpoch === epoch) return anchorHolds(frame, slotId);
  if (slot?.activeEpoch !== epoch) return;
  if (!incarnationsOf(frame.world, slotId).some((instance) => instance.epoch < epoch)) return;
  if (frame.world.timers.has({ kind: 'flip', slotId })) {
    frame.publish('slot_converged_event', { slot: slotId, appId: slot.appId, epoch });
  }
  flipDone(frame, slotId);
}

/** The old incarnation gets nothing new any more: it may go, or end what it has. */
export function flipDone(frame: FrameBuilder, slotId: SlotId): void {
  const { world, now } = frame;
  world.timers.cancel({ kind: 'flip', slotId });
  const slot = world.slots.get(slotId);
  const app = slot === undefined ? undefined : world.apps.get(slot.appId);
  if (slot === undefined || app === undefined || !drains(app)) return endOutgoing(frame, slotId);
  const until = (slot.flippedAt ?? now) + handoverOf(app).drainMs;
  if (now >= until) return drainOver(frame, slotId);
  if (isDrained(frame, slotId)) return drainEnded(frame, slotId, 'its last connection has ended');
  world.timers.set({ kind: 'drain', slotId }, until);
}

/** A host says that nobody is connected to the old incarnation any more. */
export function drained(
  frame: FrameBuilder,
  { slotId, epoch, agentId }: { readonly slotId: SlotId; readonly epoch: number; readonly agentId: AgentId },
): void {
  const active = frame.world.slots.get(slotId)?.activeEpoch ?? 0;
  const known = incarnationsOf(frame.world, slotId).find((instance) => instance.epoch === epoch);
  if (epoch >= active || known?.agentId !== agentId || known.goal === 'stop') return;
  frame.world.drained.set(slotId, epoch);
  // Until every host has flipped it is still needed to pass on what comes to it.
  if (frame.world.timers.has({ kind: 'drain', slotId })) {
    drainEnded(frame, slotId, 'its last connection has ended');
  }
}

/** Its connections have had long enough. */
export const drainOver = (frame: FrameBuilder, slotId: SlotId): void =>
  drainEnded(frame, slotId, 'the time for its connections is over');

/** Ends the incarnations that a flip left behind. */
export function endOutgoing(frame: FrameBuilder, slotId: SlotId): void {
  forgetFlip(frame, slotId);
  const active = frame.world.slots.get(slotId)?.activeEpoch ?? 0;
  for (const instance of incarnationsOf(frame.world, slotId)) {
    if (instance.epoch < active) stopInstance(frame, instance);
  }
}

/** What was awaited and said of the last flip holds no more: it is over, was taken back, or another one follows. */
export function forgetFlip({ world }: FrameBuilder, slotId: SlotId): void {
  world.timers.cancel({ kind: 'flip', slotId });
  world.timers.cancel({ kind: 'drain', slotId });
  world.drained.delete(slotId);
}

/** True when the newest of the old incarnations has no connections left. */
function isDrained(frame: FrameBuilder, slotId: SlotId): boolean {
  const active = frame.world.slots.get(slotId)?.activeEpoch ?? 0;
  const outgoing = incarnationsOf(frame.world, slotId).filter(({ epoch }) => epoch < active);
  return frame.world.drained.get(slotId) === outgoing.at(-1)?.epoch;
}

function drainEnded(frame: FrameBuilder, slotId: SlotId, reason: string): void {
  const slot = frame.world.slots.get(slotId);
  const active = slot?.activeEpoch ?? 0;
  for (const { epoch, appId, goal } of incarnationsOf(frame.world, slotId)) {
    if (epoch >= active || goal === 'stop') continue;
    frame.publish('slot_drained_event', { slot: slotId, appId, epoch, activeEpoch: active, reason });
  }
  endOutgoing(frame, slotId);
}
