import { deliverQueued, shutdownExecutor, watchRegistration } from './agent-executors.ts';
import { executorEnvironment, sandboxPath } from './agent-environment.ts';
import {
  executorOf,
  executorOfTask,
  type AgentContext,
  type AgentFramework,
  type Executor,
} from './agent-state.ts';
import { makeUpdate } from './agent-updates.ts';
import { randomUuidText } from './ids.ts';
import type { ToAgent } from './messages.ts';

type RunTask = Extract<ToAgent, { kind: 'run-task' }>;
type KillTask = Extract<ToAgent, { kind: 'kill-task' }>;

/** A launch from the master: the executor is started when it is new, the task waits until it has subscribed. */
export function runTask(context: AgentContext, message: RunTask): void {
  const frameworkId = message.framework.id?.value ?? '';
  const executorId = message.executor.executor_id.value;
  const running = executorOf(context, frameworkId, executorId);
  const problem = whyNot(running, message.launchExecutor);
  if (problem !== undefined) {
    drop(context, message, problem);
    return;
  }
  const framework = frameworkFor(context, frameworkId, message);
  const executor = running ?? startExecutor(context, frameworkId, framework, message);
  executor.queued.set(message.task.task_id.value, message.task);
  deliverQueued(executor);
}

/** A kill from the master. */
export function killTask(context: AgentContext, { frameworkId, taskId, policy }: KillTask): void {
  const executor = executorOfTask(context, frameworkId, taskId);
  const executorId = executor?.info.executor_id.value;
  if (executor === undefined) {
    makeUpdate(context, {
      frameworkId,
      taskId,
      state: 'TASK_DROPPED',
      reason: 'REASON_EXECUTOR_TERMINATED',
      message: 'Cannot find executor',
    });
    return;
  }
  const queued = executor.queued.get(taskId);
  if (queued !== undefined) {
    executor.queued.delete(taskId);
    // Kept until the scheduler has acknowledged the end, like a task that ran.
    executor.launched.set(taskId, { info: queued, state: 'TASK_STAGING', status: undefined });
    makeUpdate(context, {
      frameworkId,
      taskId,
      executorId,
      state: 'TASK_KILLED',
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
      message: 'Task killed while it was queued',
    });
    if (executor.queued.size === 0 && !executor.everHadTask) shutdownExecutor(context, executor);
    return;
  }
  if (executor.state !== 'running') return;
  const kill = { task_id: { value: taskId }, ...(policy === undefined ? {} : { kill_policy: policy }) };
  executor.stream?.send({ type: 'KILL', kill });
}

function whyNot(running: Executor | undefined, launchExecutor: boolean): string | undefined {
  if (running === undefined) {
    return launchExecutor ? undefined : 'No executor is expected to launch and there is none running';
  }
  if (running.state === 'terminating' || running.state === 'terminated') return `Executor ${running.state}`;
  return launchExecutor ? 'Master wants to launch executor, but one already exists' : undefined;
}

function drop(context: AgentContext, message: RunTask, problem: string): void {
  const frameworkId = message.framework.id?.value ?? '';
  const executorId = message.executor.executor_id.value;
  // The master counts the executor as started: it must learn that it was not.
  if (message.launchExecutor && executorOf(context, frameworkId, executorId)?.state === 'terminated') {
    context.tellMaster({ kind: 'executor-exited', frameworkId, executorId, status: -1 });
  }
  makeUpdate(context, {
    frameworkId,
    taskId: message.task.task_id.value,
    executorId,
    state: 'TASK_DROPPED',
    reason: 'REASON_EXECUTOR_TERMINATED',
    message: problem,
  });
}

function frameworkFor(
  context: AgentContext,
  frameworkId: string,
  { framework: info }: RunTask,
): AgentFramework {
  const known = context.state.frameworks.get(frameworkId);
  const framework: AgentFramework = known ?? { info, executors: new Map(), terminating: false };
  framework.info = info;
  context.state.frameworks.set(frameworkId, framework);
  return framework;
}

function startExecutor(
  context: AgentContext,
  frameworkId: string,
  framework: AgentFramework,
  { executor: info }: RunTask,
): Executor {
  const containerId = randomUuidText(context.random);
  const executor: Executor = {
    frameworkId,
    info,
    containerId,
    directory: sandboxPath(context, frameworkId, info.executor_id.value, containerId),
    state: 'registering',
    pid: undefined,
    stream: undefined,
    queued: new Map(),
    launched: new Map(),
    everHadTask: false,
    ending: undefined,
    cancelTimer: undefined,
  };
  framework.executors.set(info.executor_id.value, executor);
  watchRegistration(context, executor);
  context.containers.launch({
    containerId,
    info,
    user: info.command?.user ?? framework.info.user,
    directory: executor.directory,
    environment: executorEnvironment(context, framework, executor),
  });
  return executor;
}
