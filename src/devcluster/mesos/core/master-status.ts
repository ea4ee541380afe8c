import type { TaskStatus, TaskStatusReason, TaskState } from '../../../../proto/mesos.gen.ts';
import { visibleState } from './task-states.ts';
import { count, tell, type Framework, type MasterContext, type Task } from './master-state.ts';

/** What a status made by the master says; it never has a uuid and is sent once. */
export interface MasterStatus {
  readonly taskId: string;
  readonly state: TaskState;
  readonly reason: TaskStatusReason;
  readonly message: string;
  readonly agentId?: string | undefined;
  /** Milliseconds since 1970. */
  readonly unreachableSinceMs?: number | undefined;
  /** Known tasks carry executor, health and container of their latest status. */
  readonly task?: Task | undefined;
}

/** Tells a framework about a task on the master's own behalf. */
export function tellStatus(context: MasterContext, framework: Framework, status: MasterStatus): void {
  const state = visibleState(framework.info, status.state);
  if (state === 'TASK_ERROR' || state === 'TASK_DROPPED' || state === 'TASK_LOST') {
    const short = state.toLowerCase().replace('task_', '');
    count(context.state.counters, `tasks_${short}`);
    count(context.state.counters, `task_${short}/source_master/${status.reason.toLowerCase()}`);
  }
  tell(framework, {
    type: 'UPDATE',
    update: { status: masterStatus({ ...status, state }, context.clock.now()) },
  });
}

function masterStatus(status: MasterStatus, nowMs: number): TaskStatus {
  const { task, agentId = task?.agentId } = status;
  const latest = task?.statuses.at(-1);
  return {
    task_id: { value: status.taskId },
    state: status.state,
    message: status.message,
    source: 'SOURCE_MASTER',
    reason: status.reason,
    timestamp: nowMs / 1000,
    ...(agentId === undefined ? {} : { agent_id: { value: agentId } }),
    ...(task === undefined ? {} : { executor_id: { value: task.executorId } }),
    ...(latest?.healthy === undefined ? {} : { healthy: latest.healthy }),
    ...(latest?.container_status === undefined ? {} : { container_status: latest.container_status }),
    ...(status.unreachableSinceMs === undefined
      ? {}
      : { unreachable_time: { nanoseconds: status.unreachableSinceMs * 1_000_000 } }),
  };
}
