import type { AgentId, ExecutorId, FrameworkId, TaskId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { askFor, instancesOf } from './asking.ts';
import { finishInstance } from './endings.ts';
import type { FrameBuilder } from '../frame.ts';
import { agentUnreachable } from '../fabric/hosts.ts';
import { forgetUnfit } from '../fabric/unfit-hosts.ts';
import { sendKill } from './kills.ts';
import { listenAnew } from '../deployments/room.ts';
import { forgetPlace } from '../offers/places.ts';

/** Mesos is asked again about a task that it does not know after this long, and later with growing pauses up to the second. */
const unknownConfirmMs = 10_000;
const longestUnknownPauseMs = 60_000;

/**
 * A master without a registry does not know a task before its agent has registered again, and an agent with a fixed
 * address of the master may notice only by its pings (five of 15 s) that there is a new one.
 */
const agentsReturnMs = 120_000;

/** A subscription began: Mesos may have forgotten offers, filters and calls, so everything is said and asked anew. */
export function subscribed(frame: FrameBuilder, frameworkId: FrameworkId): void {
  const { world } = frame;
  const again = world.frameworkId !== undefined;
  if (world.frameworkId !== frameworkId) frame.putFrameworkId(frameworkId);
  world.subscribed = true;
  world.subscribedAt = frame.now;
  world.suppressed = false;
  world.listeningSince = undefined;
  world.revivesPaidUntil = 0;
  world.places.clear();
  world.unknownSince.clear();
  frame.publish(again ? 'scheduler_reregistered_event' : 'scheduler_registered_event', { frameworkId });
  reconcileEverything(frame);
  for (const instance of world.instances.values()) if (instance.goal === 'stop') sendKill(frame, instance, 0);
  if (world.wanting.size > 0) frame.newWork = true;
  listenAnew(frame);
}

/** The stream ended. Nothing is known to have happened to any task. */
export function disconnected(frame: FrameBuilder): void {
  if (!frame.world.subscribed) return;
  frame.world.subscribed = false;
  frame.world.timers.cancel({ kind: 'reconcile-retry' });
  frame.publish('scheduler_disconnected_event', {});
}

/** Asks for every task by name, and later for those that Mesos knows and we do not. */
export function reconcileEverything(frame: FrameBuilder): void {
  frame.world.reconciling.clear();
  askFor(frame, [...frame.world.instances.values()], 0);
  frame.world.timers.set({ kind: 'reconcile-all' }, frame.now + frame.settings.reconcileIntervalMs);
  if (frame.world.instances.size === 0) frame.emit({ kind: 'reconcile', tasks: [] });
}

/** Asks again for what was not answered, with growing pauses; silence is never taken for a loss. */
export function retryReconcile(frame: FrameBuilder): void {
  const { world } = frame;
  if (!world.subscribed) return;
  const waiting: Instance[] = [];
  let attempt = 0;
  for (const [taskId, asked] of world.reconciling) {
    const instance = world.instances.get(taskId);
    if (instance !== undefined) waiting.push(instance);
    attempt = Math.max(attempt, asked.attempt + 1);
  }
  world.reconciling.clear();
  if (waiting.length > 0) askFor(frame, waiting, attempt);
  // Once what is known was asked for: whatever else runs under our name.
  if (attempt <= 1) frame.emit({ kind: 'reconcile', tasks: [] });
}

/** Mesos answered for the task. */
export function answered(frame: FrameBuilder, taskId: TaskId): void {
  frame.world.reconciling.delete(taskId);
}

/** The agent is gone from Mesos's books: fenced at once; what became of its tasks is asked, never assumed. */
export function agentLost(frame: FrameBuilder, agentId: AgentId): void {
  agentUnreachable(frame, agentId);
  forgetPlace(frame, agentId);
  forgetUnfit(frame, agentId);
  askFor(frame, instancesOf(frame, agentId), 0);
}

/** The executor ended. Its tasks' own updates follow; the next task there gets an executor with a new id. */
export function executorLost(frame: FrameBuilder, agentId: AgentId, executorId: ExecutorId): void {
  if (frame.world.executors.get(agentId)?.executorId === executorId) frame.deleteExecutor(agentId);
  askFor(
    frame,
    instancesOf(frame, agentId).filter((instance) => instance.executorId === executorId),
    0,
  );
}

/** It is not known whether these launches were taken: Mesos is asked. */
export function launchUnknown(frame: FrameBuilder, taskIds: readonly TaskId[]): void {
  askFor(
    frame,
    taskIds.flatMap((id) => frame.world.instances.get(id) ?? []),
    0,
  );
}

/** Asks for one task, outside the rounds. */
export function askForTask(frame: FrameBuilder, instance: Instance): void {
  askFor(frame, [instance], 0);
}

/** Mesos does not know the task. Believed when it says so again, to a question asked later. */
export function taskUnknown(frame: FrameBuilder, instance: Instance): void {
  const { world, now } = frame;
  const since = world.unknownSince.get(instance.taskId);
  if (since === undefined) {
    world.unknownSince.set(instance.taskId, now);
    world.timers.set({ kind: 'unknown', taskId: instance.taskId }, now + unknownConfirmMs);
    return;
  }
  if (now < since + unknownConfirmMs || mayComeBack(frame, instance)) return;
  finishInstance(frame, instance, {
    condition: 'lost',
    reason: 'REASON_TASK_UNKNOWN',
    message: 'Mesos does not know the task',
  });
}

/** Whether a task that Mesos does not know may run: it did, and its agent may only have to register with a new master. */
function mayComeBack(frame: FrameBuilder, { condition, agentId }: Instance): boolean {
  if (condition === 'provisioned') return false;
  return frame.now < (frame.world.subscribedAt ?? frame.now) + agentsReturnMs || frame.isConnected(agentId);
}

/** Asks once more about these tasks, where Mesos still does not know them. */
export function askForUnknown(frame: FrameBuilder, taskIds: readonly TaskId[]): void {
  const { world, now } = frame;
  const asked = taskIds.flatMap((taskId) => {
    const since = world.unknownSince.get(taskId);
    const instance = world.instances.get(taskId);
    if (since === undefined || instance === undefined) return [];
    const pauseMs = Math.min(Math.max(now - since, unknownConfirmMs), longestUnknownPauseMs);
    world.timers.set({ kind: 'unknown', taskId }, now + pauseMs);
    return [instance];
  });
  askFor(frame, asked, 0);
}
