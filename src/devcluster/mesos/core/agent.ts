import type { AgentInfo, ExecutorCall } from '../../../../proto/mesos.gen.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Timings } from '../options.ts';
import {
  endExecutor,
  endMissingExecutors,
  shutdownExecutor,
  shutdownFramework,
  subscribeExecutor,
} from './agent-executors.ts';
import {
  executorOf,
  executorsIn,
  type AgentContext,
  type AgentState,
  type ContainerEnd,
  type Containers,
  type Executor,
  type ExecutorStream,
} from './agent-state.ts';
import { killTask, runTask } from './agent-tasks.ts';
import { makeUpdate, takeAcknowledgement, takeExecutorUpdate } from './agent-updates.ts';
import { reregistration } from './agent-report.ts';
import type { Connection, Endpoint, ToAgent, ToMaster } from './messages.ts';
import { UpdateSender } from './update-streams.ts';

export interface AgentCoreOptions {
  /** What an earlier run left behind; changed in place. */
  readonly state: AgentState;
  /** Without the id, which the master gives. */
  readonly info: AgentInfo;
  readonly endpoint: Endpoint;
  readonly workDir: string;
  readonly executorEnvironment: Readonly<Record<string, string>>;
  readonly containers: Containers;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
}

/**
 * One run of an agent's process: everything that it decides, without HTTP and processes.
 * INVARIANTS: tasks reach an executor in the order of their launch and at most once in a run; a task has exactly one
 * terminal update; after `stop` nothing is sent any more and the state can be given to the next run.
 */
export class Agent {
  readonly #context: AgentContext;
  #connection: Connection<ToMaster> | undefined;
  #registered = false;
  #recovering = false;
  #cancelRecovery: (() => void) | undefined;
  #cancelRegistration: (() => void) | undefined;

  constructor(options: AgentCoreOptions) {
    const tellMaster = (message: ToMaster) => {
      if (this.#registered) this.#connection?.send(message);
    };
    const updates = new UpdateSender({
      streams: options.state.updates,
      clock: options.clock,
      timings: options.timings,
      forward: (frameworkId, status) => {
        const task = executorOf(this.#context, frameworkId, status.executor_id?.value ?? '');
        const latestState = task?.launched.get(status.task_id.value)?.state ?? status.state;
        tellMaster({ kind: 'status-update', frameworkId, status, latestState });
      },
    });
    this.#context = { ...options, updates, tellMaster, isRecovering: () => this.#recovering };
    this.#recover();
  }

  get isRecovering(): boolean {
    return this.#recovering;
  }

  get isRegistered(): boolean {
    return this.#registered;
  }

  executor(frameworkId: string, executorId: string): Executor | undefined {
    return executorOf(this.#context, frameworkId, executorId);
  }

  hasFramework(frameworkId: string): boolean {
    return this.#context.state.frameworks.has(frameworkId);
  }

  /** There is a leading master at the other end: the agent registers after a random wait. */
  connect(connection: Connection<ToMaster>): void {
    this.disconnect();
    this.#connection = connection;
    if (!this.#recovering) this.#register();
  }

  /** The master is gone, or the connection to it. */
  disconnect(): void {
    this.#cancelRegistration?.();
    this.#registered = false;
    this.#connection = undefined;
    this.#context.updates.pause();
  }

  /** A message from the master. */
  receive(message: ToAgent): void {
    const context = this.#context;
    switch (message.kind) {
      case 'registered':
        context.state.agentId = message.agentId;
        return this.#begin();
      case 'reregistered':
        this.#begin();
        return this.#dropMissing(message.missing);
      case 'run-task':
        return runTask(context, message);
      case 'kill-task':
        return killTask(context, message);
      case 'shutdown-executor':
        return this.#shutdown(message.frameworkId, message.executorId);
      case 'shutdown-framework':
        return shutdownFramework(context, message.frameworkId);
      case 'update-framework':
        // A real agent hands what waits to the scheduler that has just come, without waiting for the next repetition.
        if (this.hasFramework(message.frameworkId)) context.updates.resume();
        return;
      case 'framework-message':
        executorOf(context, message.frameworkId, message.executorId)?.stream?.send({
          type: 'MESSAGE',
          message: { data: message.data },
        });
        return;
      case 'acknowledge':
        return takeAcknowledgement(context, message.frameworkId, message.taskId, message.uuid);
      case 'ping':
        this.#connection?.send({ kind: 'pong' });
    }
  }

  /** SUBSCRIBE of an executor that this agent has. */
  subscribe(executor: Executor, call: ExecutorCall, stream: ExecutorStream): void {
    subscribeExecutor(this.#context, executor, call.subscribe ?? {}, stream);
  }

  /** Any other call of a subscribed executor; it was checked before. */
  call(executor: Executor, { update, message }: ExecutorCall): void {
    if (update) takeExecutorUpdate(this.#context, executor, update.status);
    if (message === undefined) return;
    const executorId = executor.info.executor_id.value;
    const { frameworkId } = executor;
    this.#context.tellMaster({ kind: 'executor-message', frameworkId, executorId, data: message.data });
  }

  /** The executor's end of a stream is gone. */
  streamClosed(stream: ExecutorStream): void {
    const executor = executorsIn(this.#context.state).find((one) => one.stream === stream);
    if (executor !== undefined) executor.stream = undefined;
  }

  containerStarted(containerId: string, pid: number): void {
    const executor = executorsIn(this.#context.state).find((one) => one.containerId === containerId);
    if (executor !== undefined) executor.pid = pid;
  }

  containerEnded(containerId: string, end: ContainerEnd): void {
    endExecutor(this.#context, containerId, end);
  }

  /** The process dies: no timer and no stream is left, what is on the disk stays. */
  stop(): void {
    this.disconnect();
    this.#cancelRecovery?.();
    for (const executor of executorsIn(this.#context.state)) {
      executor.cancelTimer?.();
      executor.stream = undefined;
    }
  }

  /** Executors of an earlier run get a moment to subscribe again before the agent registers. */
  #recover(): void {
    const { state, clock, timings } = this.#context;
    const alive = executorsIn(state).filter((executor) => executor.state !== 'terminated');
    if (alive.length === 0) return;
    this.#recovering = true;
    for (const executor of alive) {
      if (executor.state !== 'terminating') executor.state = 'registering';
      for (const [taskId, info] of executor.queued) {
        executor.launched.set(taskId, { info, state: 'TASK_STAGING', status: undefined });
      }
      executor.queued.clear();
    }
    this.#cancelRecovery = clock.after(timings.executorReregistrationMs, () => {
      endMissingExecutors(this.#context);
      this.#recovering = false;
      if (this.#connection !== undefined) this.#register();
    });
  }

  #register(): void {
    const { clock, random, timings, state, info, endpoint } = this.#context;
    const delayMs = state.agentId === undefined ? 0 : random() * timings.registrationBackoffMs;
    this.#cancelRegistration = clock.after(delayMs, () => {
      this.#connection?.send(
        state.agentId === undefined
          ? { kind: 'register', info, endpoint }
          : reregistration(this.#context, state.agentId),
      );
    });
  }

  #begin(): void {
    this.#registered = true;
    this.#context.updates.resume();
  }

  #dropMissing(missing: readonly { frameworkId: string; taskId: string }[]): void {
    for (const { frameworkId, taskId } of missing) {
      makeUpdate(this.#context, {
        frameworkId,
        taskId,
        state: 'TASK_DROPPED',
        reason: 'REASON_RECONCILIATION',
        message: 'Reconciliation: task unknown to the agent',
      });
    }
    // A real agent sends what waits a second time, when it has told the master of its resources.
    this.#context.updates.resume();
  }

  #shutdown(frameworkId: string, executorId: string): void {
    const executor = executorOf(this.#context, frameworkId, executorId);
    if (executor !== undefined) shutdownExecutor(this.#context, executor);
  }
}
