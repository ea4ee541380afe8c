import type { TaskState, TaskStatus, TaskStatusReason } from '../../../../proto/mesos.gen.ts';
import { randomUuid } from './ids.ts';
import type { AgentContext, Executor } from './agent-state.ts';
import { executorOf, executorOfTask } from './agent-state.ts';
import { isTerminal } from './task-states.ts';

/** An update from an executor; it is acknowledged to the executor whether or not it says anything new. */
export function takeExecutorUpdate(context: AgentContext, executor: Executor, given: TaskStatus): void {
  const status = complete(context, executor, given);
  const task = executor.launched.get(status.task_id.value);
  const isNews = !context.updates.isKnown(executor.frameworkId, status);
  if (task === undefined || (isNews && isTerminal(task.state))) {
    context.log.warn('an update of a task that is unknown or has ended is dropped', {
      taskId: status.task_id.value,
      state: status.state,
    });
  } else if (isNews) {
    task.state = status.state;
    task.status = status;
    context.updates.add(executor.frameworkId, status);
  }
  if (status.uuid === undefined) return;
  executor.stream?.send({
    type: 'ACKNOWLEDGED',
    acknowledged: { task_id: status.task_id, uuid: status.uuid },
  });
}

/** What the agent itself says about a task. */
export interface AgentStatus {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly executorId?: string | undefined;
  readonly state: TaskState;
  readonly reason: TaskStatusReason;
  readonly message: string;
}

/** An update of the agent's own, brought to the scheduler like those of executors. */
export function makeUpdate(context: AgentContext, update: AgentStatus): void {
  const { frameworkId, taskId, executorId } = update;
  const status: TaskStatus = {
    task_id: { value: taskId },
    state: update.state,
    message: update.message,
    source: 'SOURCE_AGENT',
    reason: update.reason,
    agent_id: { value: context.state.agentId ?? '' },
    ...(executorId === undefined ? {} : { executor_id: { value: executorId } }),
    timestamp: context.clock.now() / 1000,
    uuid: randomUuid(context.random),
  };
  const executor = executorId === undefined ? undefined : executorOf(context, frameworkId, executorId);
  const task = executor?.launched.get(taskId);
  if (task !== undefined) task.state = update.state;
  context.updates.add(frameworkId, status);
}

/** An acknowledgement of the scheduler; the last one of a task ends the agent's knowledge of it. */
export function takeAcknowledgement(
  context: AgentContext,
  frameworkId: string,
  taskId: string,
  uuid: Uint8Array,
): void {
  const result = context.updates.acknowledge(frameworkId, taskId, uuid);
  if (result === 'unexpected') {
    context.log.debug('an acknowledgement does not belong to the update under way', { taskId });
  }
  if (result !== 'last') return;
  const executor = executorOfTask(context, frameworkId, taskId);
  executor?.launched.delete(taskId);
  if (executor !== undefined) forgetIfDone(context, executor);
}

/** Forgets an executor that has ended and whose updates have all been acknowledged. */
export function forgetIfDone(context: AgentContext, executor: Executor): void {
  const framework = context.state.frameworks.get(executor.frameworkId);
  if (framework === undefined || executor.state !== 'terminated') return;
  if (executor.launched.size > 0 && !framework.terminating) return;
  framework.executors.delete(executor.info.executor_id.value);
  if (framework.executors.size > 0) return;
  context.state.frameworks.delete(executor.frameworkId);
  if (framework.terminating) context.updates.drop(executor.frameworkId);
}

/** The status with what the agent adds: its id, the container, and its own address where there is no other. */
function complete(context: AgentContext, executor: Executor, status: TaskStatus): TaskStatus {
  const given = status.container_status;
  return {
    ...status,
    agent_id: { value: context.state.agentId ?? '' },
    executor_id: executor.info.executor_id,
    timestamp: status.timestamp ?? context.clock.now() / 1000,
    container_status: {
      container_id: { value: executor.containerId },
      network_infos: given?.network_infos ?? [
        { ip_addresses: [{ protocol: 'IPv4', ip_address: context.endpoint.host }] },
      ],
      ...(executor.pid === undefined ? {} : { executor_pid: executor.pid }),
    },
  };
}
