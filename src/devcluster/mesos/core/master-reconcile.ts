import type { SchedulerCallKill, SchedulerCallReconcile, TaskState } from '../../../../proto/mesos.gen.ts';
import { type Framework, type MasterContext, type Task } from './master-state.ts';
import { tellStatus } from './master-status.ts';

/** RECONCILE: an answer for each task that is named, or the latest state of all when none is. */
export function reconcile(context: MasterContext, framework: Framework, call: SchedulerCallReconcile): void {
  const { tasks = [] } = call;
  if (tasks.length === 0) {
    for (const task of framework.tasks.values()) tellLatest(context, framework, task);
    return;
  }
  for (const { task_id: taskId, agent_id: agentId } of tasks) {
    reconcileTask(context, framework, taskId.value, agentId?.value);
  }
}

/** KILL: passed on, kept for a disconnected agent, or answered like a reconciliation when the task is unknown. */
export function kill(context: MasterContext, framework: Framework, call: SchedulerCallKill): void {
  const taskId = call.task_id.value;
  const task = framework.tasks.get(taskId);
  if (task === undefined) {
    reconcileTask(context, framework, taskId, call.agent_id?.value);
    return;
  }
  if (call.agent_id !== undefined && call.agent_id.value !== task.agentId) {
    context.log.warn('a kill names another agent and is ignored', { taskId, agent: call.agent_id.value });
    return;
  }
  const agent = context.state.agents.get(task.agentId);
  agent?.kills.set(taskId, framework.id);
  agent?.connection?.send({
    kind: 'kill-task',
    frameworkId: framework.id,
    taskId,
    policy: call.kill_policy,
  });
}

function reconcileTask(
  context: MasterContext,
  framework: Framework,
  taskId: string,
  agentId: string | undefined,
): void {
  const task = framework.tasks.get(taskId);
  if (task !== undefined) {
    tellLatest(context, framework, task);
    return;
  }
  const { state, phrase, sinceMs } = stateOfUnknown(context, agentId);
  tellStatus(context, framework, {
    taskId,
    agentId,
    state,
    reason: 'REASON_RECONCILIATION',
    message: `Reconciliation: ${phrase}`,
    unreachableSinceMs: sinceMs,
  });
}

function stateOfUnknown(
  context: MasterContext,
  agentId: string | undefined,
): { state: TaskState; phrase: string; sinceMs?: number } {
  const { agents, unreachableAgents } = context.state;
  const unreachable = agentId === undefined ? undefined : unreachableAgents.get(agentId);
  if (unreachable !== undefined) {
    return { state: 'TASK_UNREACHABLE', phrase: 'Task is unreachable', sinceMs: unreachable.sinceMs };
  }
  if (agentId !== undefined && agents.has(agentId)) {
    return { state: 'TASK_GONE', phrase: 'Task is unknown to the agent' };
  }
  return { state: 'TASK_UNKNOWN', phrase: 'Task is unknown' };
}

function tellLatest(context: MasterContext, framework: Framework, task: Task): void {
  tellStatus(context, framework, {
    taskId: task.taskId,
    state: task.told?.state ?? task.state,
    reason: 'REASON_RECONCILIATION',
    message: 'Reconciliation: Latest task state',
    task,
  });
}
