import type { ExecutorCallSubscribe } from '../../../../proto/mesos.gen.ts';
import { formatDuration } from '../../../mesos/duration.ts';
import { graceMs } from './agent-environment.ts';
import {
  executorsIn,
  type AgentContext,
  type ContainerEnd,
  type Executor,
  type ExecutorStream,
} from './agent-state.ts';
import { forgetIfDone, makeUpdate, takeExecutorUpdate } from './agent-updates.ts';
import { isTerminal } from './task-states.ts';

/** SUBSCRIBE of an executor, for the first time or again. */
export function subscribeExecutor(
  context: AgentContext,
  executor: Executor,
  call: ExecutorCallSubscribe,
  stream: ExecutorStream,
): void {
  executor.stream?.end();
  const framework = context.state.frameworks.get(executor.frameworkId);
  if (framework === undefined || framework.terminating || executor.state.startsWith('terminat')) {
    stream.send({ type: 'SHUTDOWN' });
    stream.end();
    return;
  }
  executor.stream = stream;
  executor.state = 'running';
  executor.cancelTimer?.();
  if (!context.isRecovering() && !executor.everHadTask && executor.queued.size === 0) {
    // Its tasks were killed before it came up: nothing will ever be given to it.
    shutdownExecutor(context, executor);
    return;
  }
  stream.send({
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: executor.info,
      framework_info: framework.info,
      agent_info: { ...context.info, id: { value: context.state.agentId ?? '' } },
      container_id: { value: executor.containerId },
    },
  });
  for (const { status } of call.unacknowledged_updates ?? []) takeExecutorUpdate(context, executor, status);
  dropUnseen(context, executor, new Set((call.unacknowledged_tasks ?? []).map((task) => task.task_id.value)));
  deliverQueued(executor);
}

/** Hands queued tasks to an executor that runs. */
export function deliverQueued(executor: Executor): void {
  if (executor.state !== 'running' || executor.stream === undefined) return;
  for (const [taskId, info] of executor.queued) {
    executor.queued.delete(taskId);
    executor.launched.set(taskId, { info, state: 'TASK_STAGING', status: undefined });
    executor.everHadTask = true;
    executor.stream.send({ type: 'LAUNCH', launch: { task: info } });
  }
}

/** SHUTDOWN event, then SIGKILL after the grace period. */
export function shutdownExecutor(context: AgentContext, executor: Executor): void {
  if (executor.state.startsWith('terminat')) return;
  executor.state = 'terminating';
  executor.stream?.send({ type: 'SHUTDOWN' });
  executor.cancelTimer?.();
  executor.cancelTimer = context.clock.after(graceMs(context, executor), () =>
    context.containers.destroy(executor.containerId),
  );
}

/** Shuts all executors of a framework down; nobody wants to hear of its tasks any more. */
export function shutdownFramework(context: AgentContext, frameworkId: string): void {
  const framework = context.state.frameworks.get(frameworkId);
  if (framework === undefined) return;
  framework.terminating = true;
  context.updates.drop(frameworkId);
  for (const executor of framework.executors.values()) {
    shutdownExecutor(context, executor);
    forgetIfDone(context, executor);
  }
}

/** An executor that has not subscribed in time is destroyed. */
export function watchRegistration(context: AgentContext, executor: Executor): void {
  const limitMs = context.timings.executorRegistrationMs;
  executor.cancelTimer = context.clock.after(limitMs, () => {
    executor.ending = {
      state: 'TASK_FAILED',
      reason: 'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
      message: `Executor did not register within ${formatDuration(limitMs)}`,
    };
    executor.state = 'terminating';
    context.containers.destroy(executor.containerId);
  });
}

/** After a restart of the agent: executors that have not subscribed again in time are destroyed. */
export function endMissingExecutors(context: AgentContext): void {
  const limit = formatDuration(context.timings.executorReregistrationMs);
  for (const executor of executorsIn(context.state)) {
    if (executor.state === 'running' || executor.state === 'terminated') continue;
    executor.ending = {
      state: 'TASK_GONE',
      reason: 'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
      message: `Executor did not reregister within ${limit}`,
    };
    executor.state = 'terminating';
    context.containers.destroy(executor.containerId);
  }
}

/** The container is gone: the tasks that were alive have failed. */
export function endExecutor(context: AgentContext, containerId: string, end: ContainerEnd): void {
  const executor = executorsIn(context.state).find((one) => one.containerId === containerId);
  if (executor === undefined || executor.state === 'terminated') return;
  executor.cancelTimer?.();
  executor.state = 'terminated';
  executor.stream?.end();
  executor.stream = undefined;
  context.tellMaster({
    kind: 'executor-exited',
    frameworkId: executor.frameworkId,
    executorId: executor.info.executor_id.value,
    status: end.kind === 'exited' ? end.status : -1,
  });
  failTasks(context, executor, end);
  forgetIfDone(context, executor);
}

function failTasks(context: AgentContext, executor: Executor, end: ContainerEnd): void {
  for (const [taskId, info] of executor.queued) {
    executor.launched.set(taskId, { info, state: 'TASK_STAGING', status: undefined });
  }
  executor.queued.clear();
  if (context.state.frameworks.get(executor.frameworkId)?.terminating === true) return;
  const ending = executor.ending ?? defaultEnding(end);
  for (const [taskId, task] of executor.launched) {
    if (isTerminal(task.state)) continue;
    makeUpdate(context, {
      frameworkId: executor.frameworkId,
      taskId,
      executorId: executor.info.executor_id.value,
      ...ending,
    });
  }
}

function defaultEnding(end: ContainerEnd) {
  if (end.kind === 'not-started') {
    const message = `Failed to launch container: ${end.message}`;
    return { state: 'TASK_FAILED', reason: 'REASON_CONTAINER_LAUNCH_FAILED', message } as const;
  }
  return {
    state: 'TASK_FAILED',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: 'Executor terminated',
  } as const;
}

/** Tasks that were on their way when the agent or the connection died and never reached the executor. */
function dropUnseen(context: AgentContext, executor: Executor, seen: ReadonlySet<string>): void {
  for (const [taskId, task] of executor.launched) {
    if (task.state !== 'TASK_STAGING' || seen.has(taskId)) continue;
    makeUpdate(context, {
      frameworkId: executor.frameworkId,
      taskId,
      executorId: executor.info.executor_id.value,
      state: 'TASK_DROPPED',
      reason: 'REASON_AGENT_RESTARTED',
      message: 'Task launched during agent restart',
    });
  }
}
