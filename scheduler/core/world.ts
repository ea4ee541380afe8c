import type { App } from '../../src/model/app.ts';
import type { AppRules } from '../../src/model/app-rules.ts';
import type { Deployment, DeploymentAction, EndedDeployment } from '../../src/model/deployment.ts';
import type { Group, Revision } from '../../src/model/group.ts';
import type { HostRecord } from '../../src/model/host.ts';
import type {
  AgentId,
  AppId,
  AppVersion,
  DeploymentId,
  ExecutorId,
  FrameworkId,
  GroupId,
  NetworkName,
  OfferId,
  SlotId,
  TaskId,
} from '../../src/model/ids.ts';
import type { Interconnect } from '../../src/fabric/interconnect.ts';
import type { Instance, Slot } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';
import type { Placement } from '../../src/model/placement.ts';
import type { Reservation } from '../../src/model/reservation.ts';
import type { Offer } from './events.ts';
import type { ExposedPort } from './fabric/exposed-ports.ts';
import type { Accepted } from './offers/offer-pool.ts';
import type { SeenPlace } from './offers/places.ts';
import type { AppProgress } from './deployments/progress.ts';
import type { TaskCounts } from './slots/task-counts.ts';
import type { Timers } from './timers.ts';

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
  /** The root is always there. */
  readonly groups: Map<GroupId, Group>;
  /** What the newest accepted changes replaced, newest last. */
  readonly revisions: Map<AppVersion, Revision>;
  /** Definitions of apps in them. */
  revisedApps: number;
  readonly deployments: Map<DeploymentId, Deployment>;
  /** The newest deployments that have ended, newest last. */
  readonly endedDeployments: Map<DeploymentId, EndedDeployment>;
  /** How the task failed that failed last, of each app. */
  readonly lastFailures: Map<AppId, TaskFailure>;
  readonly slots: Map<SlotId, Slot>;
  readonly instances: Map<TaskId, Instance>;
  readonly networks: Map<NetworkName, Network>;
  /** By what holds the address, see reservationSlot. */
  readonly reservations: Map<SlotId, Reservation>;
  readonly hosts: Map<AgentId, HostRecord>;
  /** The ExecutorInfo that runs on an agent, stored as launched: Mesos wants it identical for every task of it. */
  readonly executors: Map<AgentId, ExecutorRecord>;

  // Indexes of the above, kept by the frame's put and delete.
  /** What is directly in each group, also what is leaving; groups with nothing in them are not in it. */
  readonly contents: Map<GroupId, GroupContents>;
  readonly slotsOfApp: Map<AppId, Set<SlotId>>;
  readonly instancesOfSlot: Map<SlotId, Set<TaskId>>;
  readonly instancesOfAgent: Map<AgentId, Set<TaskId>>;
  /** Of these, those that are unreachable. Looked at with each status, so none may be searched for. */
  readonly unreachableOfAgent: Map<AgentId, Set<TaskId>>;
  /** The number of the last change of each app, its slots or its tasks; those without have not changed since a restore. */
  readonly appChanges: Map<AppId, number>;
  /** The number of the last change of a network. */
  networksChange: number;
  /** Of each app with a task that is in one of the counts; changed by replacing them. */
  readonly taskCounts: Map<AppId, TaskCounts>;
  /** What the running deployment of an app does with it. */
  readonly jobs: Map<AppId, DeploymentJob>;
  /** Who holds an address: slots (their lease), instances (the lease they were launched with) and reservations. */
  readonly addresses: Map<NetworkName, AddressBook>;
  /** By the name within a network's domain, `db.shop`; also apps on the host's network, which have none. */
  readonly appsByName: Map<string, Set<AppId>>;
  /** How many ports of apps have a service port. */
  readonly servicePorts: Map<number, number>;
  /** The ports that apps publish on hosts; apps that publish none are not in it. */
  readonly exposures: Map<AppId, readonly ExposedPort[]>;
  /** Of each network the tasks that have ports of their host, or are let out by it, if there are any. */
  readonly forwarding: Map<NetworkName, Set<TaskId>>;
  /** Where the slots of an app stand; recomputed slot by slot as they change. */
  readonly progress: Map<AppId, AppProgress>;
  /** Slots whose anchored epoch every host knows; it may flip. */
  readonly anchorsHold: Map<SlotId, number>;
  /** The draining incarnation of a slot that nobody is connected to any more; hosts say it again to a new leader. */
  readonly drained: Map<SlotId, number>;
  /** Apps with a slot that wants an incarnation, the longest unserved first. */
  readonly wanting: Set<AppId>;
  /** What the next ticks have to look at. */
  readonly timers: Timers;
  /** False until the first event after a restore has rebuilt what is derived. */
  primed: boolean;

  // Forgotten at a restart.
  /** By app id and configuration, `/web@<lastConfigChangeAt>`. */
  readonly launchDelays: Map<string, LaunchDelay>;
  readonly unplaced: Map<AppId, UnplacedReason>;
  /** Hosts whose executor cannot serve them, until a task runs there, the agent goes, or long after the last try. */
  readonly unfitHosts: Map<AgentId, UnfitHost>;
  /** Tasks that Mesos was asked about and has not answered for. */
  readonly reconciling: Map<TaskId, { readonly sentAt: number; readonly attempt: number }>;
  /** When Mesos first said that it does not know the task; it is believed when it says so again later. */
  readonly unknownSince: Map<TaskId, number>;
  /** True between SUBSCRIBED and the end of the stream. */
  subscribed: boolean;
  /** When the last subscription began (milliseconds since 1970). */
  subscribedAt: number | undefined;
  suppressed: boolean;
  /** When offers were asked for the first time in this subscription (milliseconds since 1970). */
  listeningSince: number | undefined;
  /** Each revive adds its interval to this moment; the allowance is what lies between it and now. */
  revivesPaidUntil: number;
  /** When offers were last asked for (milliseconds since 1970). */
  revivedAt: number;
  /** Agents that have offered something, as constraints see them. */
  readonly places: Map<AgentId, SeenPlace>;
  /** The interval of the launch rate: when it began and how many launches of it count. */
  readonly launchWindow: { startedAt: number; used: number };
}

/** `info` is Mesos's ExecutorInfo in its JSON form, opaque to the core. */
export interface ExecutorRecord {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly info: unknown;
}

/** What is directly in a group. */
export interface GroupContents {
  readonly apps: Set<AppId>;
  readonly groups: Set<GroupId>;
}

/** An app's part in a deployment: `step` is the one in which the work on it is done. */
export interface DeploymentJob {
  readonly deploymentId: DeploymentId;
  readonly action: DeploymentAction;
  readonly step: number;
}

/** The addresses of one network that are held, with their holders, `/web#0` or a task id. */
export interface AddressBook {
  readonly holders: Map<string, Set<SlotId | TaskId>>;
  /** No address below this one (as a number) is free. */
  firstFree: number;
}

export interface LaunchDelay {
  readonly delayMs: number;
  /** No launch before this moment (milliseconds since 1970). */
  readonly until: number;
  /** Launches in a row that Mesos dropped and that were tried again at once. */
  readonly drops: number;
}

/** A host that its executor cannot serve. Times are milliseconds since 1970. */
export interface UnfitHost {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** What the executor said last. */
  readonly problem: string;
  /** The first time in a row. */
  readonly since: number;
  readonly pauseMs: number;
  /** No launch there before this moment. */
  readonly until: number;
}

/** `timestamp` is in milliseconds since 1970. */
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

/**
 * Why the last offers did not do for an app: counts by reason, Marathon's words. They begin anew with every launch.
 * Times are milliseconds since 1970.
 */
export interface UnplacedReason {
  readonly since: number;
  /** The last launch of the app while it has waited. */
  readonly lastUsedAt?: number;
  readonly processed: number;
  /** Of all offers since then. */
  readonly reasons: Readonly<Record<string, number>>;
  /** The newest unused offer of each agent, the oldest first; kept and changed from one offer to the next. */
  readonly lastOffers: Map<AgentId, UnusedOffer>;
}

/** An offer that an app could not use, and the first reason. */
export interface UnusedOffer {
  readonly offer: Offer;
  readonly reason: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** Constants of one scheduler process; from its configuration. */
export interface Settings {
  readonly role: string;
  /** What apps may ask for. */
  readonly rules: AppRules;
  readonly maxVersions: number;
  /** Accepted changes that are remembered, for older versions of groups. */
  readonly maxRevisions: number;
  /** Deployments that may run at the same time. */
  readonly maxRunningDeployments: number;
  /** Deployments that are remembered after their end. */
  readonly maxEndedDeployments: number;
  /** How long a deployment may take whose apps do not say; undefined: as long as it takes. */
  readonly deploymentDeadlineMs: number | undefined;
  /** Memory and cpus that the executor itself takes of an agent, in thousandths. */
  readonly executorResources: { readonly cpus: number; readonly mem: number };
  /** Which hosts apps prefer that do not say it themselves. */
  readonly placement: Placement;
  /** What of an offer apps use that do not say it themselves. */
  readonly acceptedByDefault: Accepted;
  /** Launches in each interval; 0: any number. */
  readonly launchTokens: number;
  readonly launchTokenIntervalMs: number;
  /** Launches on one host's offers at a time; 0: any number. */
  readonly maxInstancesPerOffer: number;
  /** An offer is not used when announced maintenance of its agent begins so soon. */
  readonly drainingMs: number;
  /** How long an offer that was not used is refused for, seconds. */
  readonly declineSeconds: number;
  readonly minReviveIntervalMs: number;
  readonly killRetryMs: number;
  /** A task that is not running after this long is killed and tried again. */
  readonly launchTimeoutMs: number;
  readonly reconcileIntervalMs: number;
  /** How long the old incarnation may outlive the flip while hosts acknowledge it. */
  readonly flipDeadlineMs: number;
  /** How long an instance that was replaced while it was unreachable stays in the books, to be killed on return. */
  readonly unreachableKeepMs: number;
  readonly defaultNetwork: NetworkName;
  /** Where this scheduler's own API is. */
  readonly api: { readonly hostname: string; readonly ports: readonly number[] };
  /** How the hosts are interconnected. */
  readonly interconnect: Interconnect;
  /** Names the executor's build; part of each executor id. */
  readonly executorBuild: string;
  /**
   * Mesos's ExecutorInfo (JSON form) for a new executor id, which takes its resources of these offers. Called once
   * for each id; the result is stored.
   */
  readonly buildExecutorInfo: (executorId: ExecutorId, offerIds: readonly OfferId[]) => unknown;
  /** Whether tasks may be launched on a stored ExecutorInfo: its resources belong to the role that we have now. */
  readonly isOfOurRole: (info: unknown) => boolean;
  /** What of its resources a stored ExecutorInfo has from those that are reserved for our role. */
  readonly reservedOfExecutor: (info: unknown) => { readonly cpus: number; readonly mem: number };
}
