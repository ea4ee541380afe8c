import type {
  AgentInfo,
  ExecutorEvent,
  ExecutorInfo,
  FrameworkInfo,
  TaskInfo,
  TaskState,
  TaskStatus,
  TaskStatusReason,
} from '../../../../proto/mesos.gen.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Timings } from '../options.ts';
import type { Endpoint, ToMaster } from './messages.ts';
import type { UpdateSender, UpdateStreams } from './update-streams.ts';

/** An executor's event stream; the shell encodes and writes. */
export interface ExecutorStream {
  send(event: ExecutorEvent): void;
  end(): void;
}

interface LaunchedTask {
  readonly info: TaskInfo;
  state: TaskState;
  /** The latest status from the executor. */
  status: TaskStatus | undefined;
}

/** What the tasks of an executor become when it ends. */
interface Ending {
  readonly state: TaskState;
  readonly reason: TaskStatusReason;
  readonly message: string;
}

export interface Executor {
  readonly frameworkId: string;
  readonly info: ExecutorInfo;
  readonly containerId: string;
  /** The sandbox. */
  readonly directory: string;
  state: 'registering' | 'running' | 'terminating' | 'terminated';
  pid: number | undefined;
  stream: ExecutorStream | undefined;
  /** Wait until the executor has subscribed. */
  readonly queued: Map<string, TaskInfo>;
  /** Were sent to it; those that ended stay until the scheduler acknowledged it. */
  readonly launched: Map<string, LaunchedTask>;
  everHadTask: boolean;
  ending: Ending | undefined;
  cancelTimer: (() => void) | undefined;
}

export interface AgentFramework {
  info: FrameworkInfo;
  readonly executors: Map<string, Executor>;
  terminating: boolean;
}

/** What an agent has on its disk: it outlives the agent's process. */
export interface AgentState {
  agentId: string | undefined;
  readonly frameworks: Map<string, AgentFramework>;
  readonly updates: UpdateStreams;
}

export const emptyAgentState = (): AgentState => ({
  agentId: undefined,
  frameworks: new Map(),
  updates: new Map(),
});

/** A container to start. */
export interface ContainerRequest {
  readonly containerId: string;
  readonly info: ExecutorInfo;
  readonly user: string;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** How a container ended: exited with a waitpid status, or it could not be started at all. */
export type ContainerEnd =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'not-started'; readonly message: string };

/** What an agent needs of the machine. The answers come back through the agent's `container…` methods. */
export interface Containers {
  launch(request: ContainerRequest): void;
  /** SIGKILL to the process group. */
  destroy(containerId: string): void;
}

/** What the parts of an agent share. */
export interface AgentContext {
  readonly state: AgentState;
  readonly info: AgentInfo;
  readonly endpoint: Endpoint;
  readonly workDir: string;
  readonly executorEnvironment: Readonly<Record<string, string>>;
  readonly containers: Containers;
  readonly updates: UpdateSender;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
  /** Dropped while there is no master. */
  readonly tellMaster: (message: ToMaster) => void;
  readonly isRecovering: () => boolean;
}

export function executorOf(
  context: AgentContext,
  frameworkId: string,
  executorId: string,
): Executor | undefined {
  return context.state.frameworks.get(frameworkId)?.executors.get(executorId);
}

/** All executors of all frameworks. */
export function executorsIn(state: AgentState): Executor[] {
  return [...state.frameworks.values()].flatMap(({ executors }) => [...executors.values()]);
}

/** The executor that holds a task, queued or launched. */
export function executorOfTask(
  context: AgentContext,
  frameworkId: string,
  taskId: string,
): Executor | undefined {
  for (const executor of context.state.frameworks.get(frameworkId)?.executors.values() ?? []) {
    if (executor.queued.has(taskId) || executor.launched.has(taskId)) return executor;
  }
  return undefined;
}
