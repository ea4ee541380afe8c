import type { App } from '../../src/model/app.ts';
import type { DeploymentStep } from '../../src/model/deployment.ts';
import type { CheckResults, HttpResponse } from '../../src/model/health.ts';
import type { HostFacts } from '../../src/model/host.ts';
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
  PathId,
  SlotId,
  TaskId,
} from '../../src/model/ids.ts';
import type { Condition } from '../../src/model/instance.ts';
import type { Network } from '../../src/model/network.ts';
import type { Reservation } from '../../src/model/reservation.ts';
import type { PortRange, Scalars } from '../../src/model/resources.ts';

/** One Mesos offer in our words. */
export interface Offer {
  readonly id: OfferId;
  readonly agentId: AgentId;
  readonly hostname: string;
  /** Where the agent listens on its host; absent: Mesos did not say. */
  readonly agentPort?: number;
  /** What is reserved for nobody. */
  readonly scalars: Scalars;
  readonly ports: readonly PortRange[];
  /** What is reserved for our role, besides; absent: nothing. */
  readonly reserved?: { readonly scalars: Scalars; readonly ports: readonly PortRange[] };
  /** Text attributes as they are, numbers as `0.###`, ranges `[1-2]`, sets `{a,b}`. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly region?: string;
  readonly zone?: string;
  /** Executors of ours that Mesos counts as running there. */
  readonly executorIds: readonly ExecutorId[];
  /** Start of announced maintenance, milliseconds since 1970. */
  readonly unavailableFrom?: number;
  /** Its end, where one was announced. */
  readonly unavailableUntil?: number;
}

/** Mesos asks for an agent's resources back: the operator has announced maintenance there. */
export interface InverseOffer {
  readonly id: OfferId;
  /** Absent when Mesos asks for no particular agent. */
  readonly agentId?: AgentId;
}

export type StatusSource = 'master' | 'agent' | 'executor';

/** A task status in our words. */
export interface StatusUpdate {
  readonly taskId: TaskId;
  readonly agentId?: AgentId;
  readonly executorId?: ExecutorId;
  readonly condition: Condition;
  /** Who says so. */
  readonly source?: StatusSource;
  readonly reason?: string;
  readonly message?: string;
  /** The executor refused the task because it cannot serve its host; nothing is wrong with the task. */
  readonly hostUnfit?: true;
  readonly healthy?: boolean;
  /** What the executor's health checks found; absent when the update does not tell. */
  readonly checkResults?: CheckResults;
  /** Present when the task has a readiness check and the update tells of it. */
  readonly ready?: boolean;
  /** The newest answer to the readiness check, if it keeps answers. */
  readonly lastResponse?: HttpResponse;
  /** Present: it must be acknowledged once it is stored. */
  readonly uuid?: Uint8Array;
}

/** Whatever the core reacts to. A change by a person is checked first (core/changes) and then comes as `change`. */
export type Event =
  | { readonly kind: 'change'; readonly change: Change; readonly request?: ChangeRequest }
  | { readonly kind: 'subscribed'; readonly frameworkId: FrameworkId }
  | { readonly kind: 'disconnected' }
  | { readonly kind: 'offers'; readonly offers: readonly Offer[] }
  | { readonly kind: 'inverse-offers'; readonly inverseOffers: readonly InverseOffer[] }
  | { readonly kind: 'status'; readonly status: StatusUpdate }
  | { readonly kind: 'agent-lost'; readonly agentId: AgentId }
  | { readonly kind: 'executor-lost'; readonly agentId: AgentId; readonly executorId: ExecutorId }
  /** The ACCEPT could not be sent: its launches are settled by reconciliation. */
  | { readonly kind: 'launch-unknown'; readonly taskIds: readonly TaskId[] }
  | { readonly kind: 'host-facts'; readonly facts: HostFacts }
  /** The hosts that read their views; told from time to time, and not before all had the time to come. */
  | { readonly kind: 'hosts-connected'; readonly agentIds: readonly AgentId[] }
  /** Every host that shares the network has acknowledged this endpoint in its present state. */
  | { readonly kind: 'converged'; readonly slotId: SlotId; readonly epoch: number }
  /** The host has seen the last connection of this draining endpoint end. */
  | {
      readonly kind: 'drained';
      readonly slotId: SlotId;
      readonly epoch: number;
      readonly agentId: AgentId;
    }
  | { readonly kind: 'tick' };

/** What a person wants of a group; what is absent stays as it is. Ids are absolute, definitions are normalised. */
export interface GroupUpdate {
  readonly id: GroupId;
  /** The apps in it: others that are directly in it go. */
  readonly apps?: readonly App[];
  /** The groups in it: others that are directly in it go, with everything below them. */
  readonly groups?: readonly GroupUpdate[];
  readonly dependencies?: readonly PathId[];
  readonly enforceRole?: boolean;
}

/** What a person asked for. */
export type Change =
  /** Create or replace apps; with `create` they must not exist yet. The definitions are normalised and validated. */
  | {
      readonly kind: 'put-apps';
      readonly apps: readonly App[];
      readonly force: boolean;
      readonly create?: boolean;
    }
  | { readonly kind: 'delete-app'; readonly appId: AppId; readonly force: boolean }
  | { readonly kind: 'restart-app'; readonly appId: AppId; readonly force: boolean }
  /** Kill tasks; with `scale` the apps shrink by as many, with `wipe` (never both) unreachable ones are given up. */
  | {
      readonly kind: 'kill-tasks';
      readonly taskIds: readonly TaskId[];
      readonly scale: boolean;
      readonly wipe?: boolean;
      readonly force: boolean;
    }
  | { readonly kind: 'cancel-deployment'; readonly deploymentId: DeploymentId; readonly force: boolean }
  /** Create or change a group; with `create` it must not exist yet. */
  | {
      readonly kind: 'put-group';
      readonly update: GroupUpdate;
      readonly force: boolean;
      readonly create?: boolean;
      readonly dryRun?: boolean;
    }
  /** Multiply the instances of all apps below a group. */
  | {
      readonly kind: 'scale-group';
      readonly groupId: GroupId;
      readonly scaleBy: number;
      readonly force: boolean;
      readonly dryRun?: boolean;
    }
  /** Bring an older version of all that is below a group back. */
  | {
      readonly kind: 'revert-group';
      readonly groupId: GroupId;
      readonly version: AppVersion;
      readonly force: boolean;
      readonly dryRun?: boolean;
    }
  | { readonly kind: 'delete-group'; readonly groupId: GroupId; readonly force: boolean }
  | { readonly kind: 'put-network'; readonly network: Network }
  | { readonly kind: 'delete-network'; readonly name: NetworkName }
  /** Without an address it gets the next free one, or keeps the one that it has. */
  | { readonly kind: 'put-reservation'; readonly reservation: ReservationWish }
  | { readonly kind: 'delete-reservation'; readonly network: NetworkName; readonly name: string }
  | { readonly kind: 'reset-delay'; readonly appId: AppId };

/** What is known of the request behind a change. */
export interface ChangeRequest {
  /** Where it came from and what it asked for; events tell it. */
  readonly origin?: { readonly clientIp: string; readonly uri: string };
  /** The versions of apps and groups that the change was made from (undefined: there was none); others make it stale. */
  readonly basedOn?: ReadonlyMap<PathId, AppVersion | undefined>;
}

/** A reservation as it is asked for: MAC and address may be left to us. */
export type ReservationWish = Omit<Reservation, 'ip' | 'mac'> & Partial<Pick<Reservation, 'ip' | 'mac'>>;

/** The answer to a change. A refusal stored nothing. */
export type ChangeResult =
  | {
      readonly kind: 'accepted';
      readonly deploymentId?: DeploymentId;
      readonly version?: string;
      /** What would be done; only when that was all that was asked. */
      readonly steps?: readonly DeploymentStep[];
    }
  | { readonly kind: 'not-found'; readonly message: string }
  /** An app is not (any more) what the change was based on. */
  | { readonly kind: 'stale'; readonly message: string }
  /** `deployments`: the ones that hold the lock. */
  | { readonly kind: 'conflict'; readonly message: string; readonly deployments: readonly DeploymentId[] }
  /** As many deployments run as may. */
  | { readonly kind: 'too-many'; readonly message: string }
  | {
      readonly kind: 'invalid';
      readonly details: readonly Refusal[];
    };

/** What is wrong with a change, and where: in the definition of the app, where one is named, else in the request. */
export interface Refusal {
  readonly appId?: AppId;
  readonly path: string;
  readonly errors: readonly string[];
}

/** What cannot be told from events: time, randomness, and who is connected just now. */
export interface Context {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** A fresh RFC 4122 version 4 UUID as text. */
  readonly uuid: () => string;
  /** Whether an executor on the host reads its view. */
  readonly isConnected: (host: AgentId) => boolean;
}
