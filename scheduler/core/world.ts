import type { App } from '../../src/model/app.ts';
import type { Deployment } from '../../src/model/deployment.ts';
import type { HostRecord } from '../../src/model/host.ts';
import type {
  AgentId,
  AppId,
  AppVersion,
  DeploymentId,
  ExecutorId,
  FrameworkId,
  NetworkName,
  SlotId,
  TaskId,
} from '../../src/model/ids.ts';
import type { Instance, Slot } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';

/**
 * Everything that the scheduler decides from. The core owns it; the shell only reads it. Durable tables are stored
 * record by record; the rest is rebuilt or forgotten at a restart, as each comment says.
 */
export interface World {
  // Durable.
  frameworkId: FrameworkId | undefined;
  readonly apps: Map<AppId, App>;
  /** Older definitions, newest last, at most `settings.maxVersions` of each app. */
  readonly versions: Map<AppId, Map<AppVersion, App>>;
  readonly deployments: Map<DeploymentId, Deployment>;
  readonly slots: Map<SlotId, Slot>;
  readonly instances: Map<TaskId, Instance>;
  readonly networks: Map<NetworkName, Network>;
  readonly hosts: Map<AgentId, HostRecord>;
  /** The ExecutorInfo that runs on an agent, stored as launched: Mesos wants it identical for every task of it. */
  readonly executors: Map<AgentId, ExecutorRecord>;

  // Indexes of the above, kept by the frame's put and delete.
  readonly slotsOfApp: Map<AppId, Set<SlotId>>;
  readonly instancesOfSlot: Map<SlotId, Set<TaskId>>;
  readonly instancesOfAgent: Map<AgentId, Set<TaskId>>;

  // Forgotten at a restart.
  readonly launchDelays: Map<string, LaunchDelay>;
  readonly lastFailures: Map<AppId, TaskFailure>;
  readonly unplaced: Map<AppId, UnplacedReason>;
  readonly reconciling: Map<TaskId, { readonly sentAt: number; readonly attempt: number }>;
  /** True between SUBSCRIBED and the end of the stream. */
  subscribed: boolean;
  suppressed: boolean;
  lastReviveAt: number;
}

/** `info` is Mesos's ExecutorInfo in its JSON form, opaque to the core. */
export interface ExecutorRecord {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly info: unknown;
}

export interface LaunchDelay {
  readonly delayMs: number;
  /** No launch before this moment (milliseconds since 1970). */
  readonly until: number;
}

export interface TaskFailure {
  readonly appId: AppId;
  readonly taskId: TaskId;
  readonly host: string;
  readonly agentId: AgentId;
  readonly state: string;
  readonly message: string;
  readonly timestamp: number;
  readonly version: AppVersion;
}

/** Why the last offers did not do for an app: counts by reason, Marathon's words. */
export interface UnplacedReason {
  readonly since: number;
  readonly processed: number;
  readonly reasons: Readonly<Record<string, number>>;
}

/** Constants of one scheduler process; from its configuration. */
export interface Settings {
  readonly role: string;
  readonly maxVersions: number;
  /** Memory and cpus that the executor itself takes of an agent, in thousandths. */
  readonly executorResources: { readonly cpus: number; readonly mem: number };
  /** How long an offer that was not used is refused for, seconds. */
  readonly declineSeconds: number;
  readonly minReviveIntervalMs: number;
  readonly killRetryMs: number;
  /** A task that is not running after this long is killed and tried again. */
  readonly launchTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  /** How long the old incarnation may outlive the flip while hosts acknowledge it. */
  readonly flipDeadlineMs: number;
  readonly defaultNetwork: NetworkName;
  /** Names the executor's build; part of each executor id. */
  readonly executorBuild: string;
  /** Mesos's ExecutorInfo (JSON form) for a new executor id. Called once for each id; the result is stored. */
  readonly buildExecutorInfo: (executorId: ExecutorId) => unknown;
}
