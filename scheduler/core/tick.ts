import type { TaskId } from '../../src/model/ids.ts';
import type { Instance } from '../../src/model/instance.ts';
import { countFailure, delayDue } from './offers/backoff.ts';
import { unfitDue } from './fabric/unfit-hosts.ts';
import { deadlineDue } from './deployments/deadlines.ts';
import { roomDue } from './deployments/room.ts';
import { finishInstance } from './slots/endings.ts';
import type { FrameBuilder } from './frame.ts';
import { sendKill, stopInstance } from './slots/kills.ts';
import { launchTokensDue } from './offers/launch-rate.ts';
import { reviveDue, suppressWhenIdle } from './offers/offer-flow.ts';
import { askForTask, askForUnknown, reconcileEverything, retryReconcile } from './slots/recovery.ts';
import { anchorHolds, drainOver, flipDone } from './slots/handover.ts';
import type { Timer } from './timers.ts';

/** Looks at everything that fell due. Costs what is due. */
export function tick(frame: FrameBuilder): void {
  const unknown: TaskId[] = [];
  for (
    let due = frame.world.timers.takeDue(frame.now);
    due !== undefined;
    due = frame.world.timers.takeDue(frame.now)
  ) {
    fire(frame, due, unknown);
  }
  askForUnknown(frame, unknown);
  suppressWhenIdle(frame);
}

/** Tasks that Mesos did not know go to `unknown`: thousands may be due at once, and are asked for together. */
function fire(frame: FrameBuilder, timer: Timer, unknown: TaskId[]): void {
  switch (timer.kind) {
    case 'launch':
      return launchDue(frame, timer.taskId);
    case 'kill': {
      const instance = frame.world.instances.get(timer.taskId);
      if (instance !== undefined) sendKill(frame, instance, timer.attempt);
      return;
    }
    case 'unreachable':
      return unreachableDue(frame, timer.taskId);
    case 'unknown':
      unknown.push(timer.taskId);
      return;
    case 'anchor':
      return anchorHolds(frame, timer.slotId);
    case 'flip':
      return flipDone(frame, timer.slotId);
    case 'drain':
      return drainOver(frame, timer.slotId);
    case 'quarantine': {
      const slot = frame.world.slots.get(timer.slotId);
      if (slot !== undefined) frame.touchSlot(slot.appId, slot.id);
      return;
    }
    case 'delay':
      return delayDue(frame, timer.key);
    case 'room':
      return roomDue(frame, timer.appId);
    case 'unfit':
      return unfitDue(frame, timer.agentId);
    case 'deadline':
      return deadlineDue(frame, timer.deploymentId);
    case 'reconcile-retry':
      return retryReconcile(frame);
    case 'reconcile-all':
      if (frame.world.subscribed) reconcileEverything(frame);
      return;
    case 'revive':
      return reviveDue(frame);
    case 'launch-tokens':
      return launchTokensDue(frame);
  }
}

/** A launch takes long: Mesos is asked about one that it never spoke of; one that never runs is given up. */
function launchDue(frame: FrameBuilder, taskId: TaskId): void {
  const instance = frame.world.instances.get(taskId);
  if (instance === undefined || instance.goal === 'stop') return;
  if (
    instance.condition === 'running' ||
    instance.condition === 'killing' ||
    instance.condition === 'unreachable'
  )
    return;
  const deadline = instance.stagedAt + frame.settings.launchTimeoutMs;
  if (frame.now < deadline) {
    if (instance.condition === 'provisioned') askForTask(frame, instance);
    frame.world.timers.set({ kind: 'launch', taskId }, deadline);
    return;
  }
  const app = frame.world.apps.get(instance.appId);
  if (app !== undefined) countFailure(frame, app, instance.configVersion, 'ended');
  stopInstance(frame, instance);
}

/** An unreachable instance may be replaced now; one that was is forgotten some time later. */
function unreachableDue(frame: FrameBuilder, taskId: TaskId): void {
  const instance = frame.world.instances.get(taskId);
  if (instance?.condition !== 'unreachable') return;
  const forgetAt = instance.since + keptMs(frame, instance);
  if (instance.goal === 'stop' && frame.now >= forgetAt) {
    finishInstance(frame, instance, { condition: 'lost', message: 'unreachable for too long: forgotten' });
    return;
  }
  frame.touchSlot(instance.appId, instance.slotId);
  frame.world.timers.set(
    { kind: 'unreachable', taskId },
    frame.now < forgetAt ? forgetAt : frame.now + keptMs(frame, instance),
  );
}

/**
 * How long a lost instance that was replaced stays in the books, in milliseconds. Out of the books it is killed on its
 * return all the same, as a task that nobody knows; 0, Marathon's default, is no reason to lose sight of it at once.
 */
function keptMs({ world, settings }: FrameBuilder, { appId }: Instance): number {
  const strategy = world.apps.get(appId)?.unreachableStrategy ?? 'disabled';
  if (strategy === 'disabled' || strategy.expungeAfterSeconds === 0) return settings.unreachableKeepMs;
  return Math.max(strategy.inactiveAfterSeconds, strategy.expungeAfterSeconds) * 1000;
}
