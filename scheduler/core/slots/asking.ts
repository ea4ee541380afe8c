import type { AgentId, TaskId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { FrameBuilder } from '../frame.ts';

/** Tasks in one RECONCILE call. */
const batchSize = 1000;
const firstRetryMs = 5_000;
const longestRetryMs = 600_000;

/** Asks Mesos for these tasks, and again later until it has answered for each. */
export function askFor(frame: FrameBuilder, instances: readonly Instance[], attempt: number): void {
  const { world, now } = frame;
  for (const { taskId } of instances) world.reconciling.set(taskId, { sentAt: now, attempt });
  if (world.subscribed) {
    for (let from = 0; from < instances.length; from += batchSize) {
      const batch = instances.slice(from, from + batchSize);
      frame.emit({ kind: 'reconcile', tasks: batch.map(({ taskId, agentId }) => ({ taskId, agentId })) });
    }
  }
  if (instances.length > 0) {
    world.timers.set(
      { kind: 'reconcile-retry' },
      now + Math.min(firstRetryMs * 2 ** attempt, longestRetryMs),
    );
  }
}

/** What of ours is on the agent. */
export function instancesOf(frame: FrameBuilder, agentId: AgentId): Instance[] {
  const ids = frame.world.instancesOfAgent.get(agentId) ?? new Set<TaskId>();
  return [...ids].flatMap((id) => frame.world.instances.get(id) ?? []);
}
