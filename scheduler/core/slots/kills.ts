import type { Instance } from '../../../src/model/instance.ts';
import type { FrameBuilder } from '../frame.ts';

/** Retries are spaced by at most this many times the first interval. */
const maxRetryFactor = 32;

/**
 * Decides that an instance has to end: stored, sent now and again until Mesos reports the end. Nothing is sent
 * while it is unreachable; it is killed when it comes back. Deciding it twice changes nothing.
 */
export function stopInstance(frame: FrameBuilder, instance: Instance): void {
  if (instance.goal === 'stop') return;
  const stopped: Instance = { ...instance, goal: 'stop', killSentAt: frame.now };
  frame.putInstance(stopped);
  sendKill(frame, stopped, 0);
}

/** The slot went on without this instance: it is in no view again, and it is killed when it comes back. */
export function fenceInstance(frame: FrameBuilder, instance: Instance): void {
  if (instance.fenced === true) return;
  frame.putInstance({ ...instance, goal: 'stop', fenced: true });
}

/** Sends one kill and sets the time of the next; from the second on Mesos is also asked whether the task exists. */
export function sendKill(frame: FrameBuilder, instance: Instance, attempt: number): void {
  if (instance.condition === 'unreachable') return;
  const { taskId, agentId } = instance;
  const grace = frame.world.apps.get(instance.appId)?.taskKillGracePeriodSeconds;
  frame.emit(
    grace === undefined
      ? { kind: 'kill', taskId, agentId }
      : { kind: 'kill', taskId, agentId, graceMs: grace * 1000 },
  );
  if (attempt > 0) frame.emit({ kind: 'reconcile', tasks: [{ taskId, agentId }] });
  const pause = frame.settings.killRetryMs * Math.min(2 ** attempt, maxRetryFactor);
  frame.world.timers.set({ kind: 'kill', taskId, attempt: attempt + 1 }, frame.now + pause);
}
