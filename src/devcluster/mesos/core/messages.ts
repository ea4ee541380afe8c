import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  KillPolicy,
  Resource,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../../../proto/mesos.gen.ts';

/** A task as an agent reports it when it registers again. */
export interface TaskReport {
  readonly frameworkId: string;
  readonly executorId: string;
  readonly info: TaskInfo;
  /** The latest state, and that of the update which waits for its acknowledgement. */
  readonly state: TaskState;
  readonly unacknowledged: { readonly state: TaskState; readonly uuid: Uint8Array } | undefined;
  /** The latest status from the executor. */
  readonly status: TaskStatus | undefined;
}

export interface ExecutorReport {
  readonly frameworkId: string;
  readonly info: ExecutorInfo;
}

/** What an agent tells the master. */
export type ToMaster =
  | { readonly kind: 'register'; readonly info: AgentInfo; readonly endpoint: Endpoint }
  | {
      readonly kind: 'reregister';
      readonly agentId: string;
      readonly info: AgentInfo;
      readonly endpoint: Endpoint;
      readonly frameworks: readonly FrameworkInfo[];
      readonly executors: readonly ExecutorReport[];
      readonly tasks: readonly TaskReport[];
    }
  | {
      readonly kind: 'status-update';
      readonly frameworkId: string;
      readonly status: TaskStatus;
      readonly latestState: TaskState;
    }
  | {
      readonly kind: 'executor-message';
      readonly frameworkId: string;
      readonly executorId: string;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: 'executor-exited';
      readonly frameworkId: string;
      readonly executorId: string;
      /** As waitpid gives it. */
      readonly status: number;
    }
  | { readonly kind: 'pong' };

/** What the master tells an agent. */
export type ToAgent =
  | { readonly kind: 'registered'; readonly agentId: string }
  | {
      readonly kind: 'reregistered';
      /** Tasks that the master knows on this agent and the agent did not report. */
      readonly missing: readonly { readonly frameworkId: string; readonly taskId: string }[];
    }
  | {
      readonly kind: 'run-task';
      readonly framework: FrameworkInfo;
      readonly executor: ExecutorInfo;
      readonly task: TaskInfo;
      /** The master does not know the executor on this agent: it must be started. */
      readonly launchExecutor: boolean;
    }
  | {
      readonly kind: 'kill-task';
      readonly frameworkId: string;
      readonly taskId: string;
      readonly policy: KillPolicy | undefined;
    }
  | { readonly kind: 'shutdown-executor'; readonly frameworkId: string; readonly executorId: string }
  | { readonly kind: 'shutdown-framework'; readonly frameworkId: string }
  /** Its scheduler subscribed again, perhaps another one. */
  | { readonly kind: 'update-framework'; readonly frameworkId: string }
  | {
      readonly kind: 'framework-message';
      readonly frameworkId: string;
      readonly executorId: string;
      readonly data: Uint8Array;
    }
  | {
      readonly kind: 'acknowledge';
      readonly frameworkId: string;
      readonly taskId: string;
      readonly uuid: Uint8Array;
    }
  | { readonly kind: 'ping' };

/** Where an agent's HTTP server is reached. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** One connection to a peer; messages arrive in order or, once it is broken, not at all. */
export interface Connection<Message> {
  send(message: Message): void;
  /** Breaks it; both ends may call it, twice too. */
  close(): void;
}

/** The resources of a task or executor with the role that they were offered to. */
export function withRole(resources: readonly Resource[] = [], role: string): Resource[] {
  return resources.map((resource) =>
    resource.allocation_info?.role === undefined ? { ...resource, allocation_info: { role } } : resource,
  );
}
