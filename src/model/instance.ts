import type { CheckResults, HttpResponse } from './health.ts';
import type { AgentId, AppId, AppVersion, ExecutorId, NetworkName, SlotId, TaskId } from './ids.ts';

/** What a slot owns for its whole life, through every incarnation. */
export interface Lease {
  readonly network: NetworkName;
  readonly ip: string;
  /** `0a:<low byte of the VNI>:<the four bytes of the address>`. */
  readonly mac: string;
  /** `0.web`; the network's domain makes it a full name. */
  readonly hostname: string;
}

/** True when two leases name the same address; also when there is none on either side. */
export const sameLease = (one: Lease | undefined, other: Lease | undefined): boolean =>
  one?.network === other?.network && one?.ip === other?.ip;

/**
 * A numbered place of an app. INVARIANTS: `epoch` never shrinks; at most one incarnation is `active`, and only the
 * active one is reachable at the lease's address.
 */
export interface Slot {
  readonly id: SlotId;
  readonly appId: AppId;
  readonly index: number;
  /** Absent for apps on the host's network. */
  readonly lease?: Lease;
  /** The epoch of the newest incarnation; 0 before the first. */
  readonly epoch: number;
  /** The epoch that owns the address now. */
  readonly activeEpoch?: number;
  /** The epoch that takes over next: hosts send it every connection already, and it sends them on to the old one. */
  readonly anchoredEpoch?: number;
  /** When `activeEpoch` took over from an older one (milliseconds since 1970). */
  readonly flippedAt?: number;
  /** Set when the slot was scaled away: its address stays reserved until then (milliseconds since 1970). */
  readonly quarantinedUntil?: number;
  /** It was scaled away and is in service again, and nothing has been launched in it since. */
  readonly returned?: boolean;
  /** The epoch that was ended for its bad health, until a later one serves. */
  readonly ailingEpoch?: number;
}

/**
 * Mesos's task states without the TASK_ prefix, plus ours before Mesos knows the task: `provisioned` is stored and
 * about to be launched.
 */
export type Condition =
  | 'provisioned'
  | 'staging'
  | 'starting'
  | 'running'
  | 'killing'
  | 'unreachable'
  | 'finished'
  | 'failed'
  | 'killed'
  | 'error'
  | 'lost'
  | 'dropped'
  | 'gone'
  | 'gone-by-operator'
  | 'unknown';

/** One incarnation of a slot: a Mesos task. */
export interface Instance {
  readonly taskId: TaskId;
  readonly slotId: SlotId;
  readonly appId: AppId;
  readonly epoch: number;
  /** The app version it was launched with. */
  readonly version: AppVersion;
  /** `versionInfo.lastConfigChangeAt` of that version. */
  readonly configVersion: AppVersion;
  readonly agentId: AgentId;
  readonly hostname: string;
  readonly executorId: ExecutorId;
  readonly condition: Condition;
  /** `stop`: a kill was decided and is repeated until Mesos reports an end. */
  readonly goal: 'run' | 'stop';
  /** Host ports taken from the offer, in the order of the app's ports. */
  readonly hostPorts: readonly number[];
  readonly attributes: Readonly<Record<string, string>>;
  readonly region?: string;
  readonly zone?: string;
  /** Milliseconds since 1970. */
  readonly stagedAt: number;
  readonly startedAt?: number;
  /** When the condition last changed. */
  readonly since: number;
  /** It was launched with health checks: it serves when they say so. */
  readonly checked?: boolean;
  readonly healthy?: boolean;
  readonly checkResults?: CheckResults;
  /** What its readiness check says; absent: it has none. It is not taken back. */
  readonly ready?: boolean;
  /** The newest answer to its readiness check that was told until it was ready, if the check keeps answers. */
  readonly lastResponse?: HttpResponse;
  readonly message?: string;
  readonly reason?: string;
  readonly killSentAt?: number;
  /** Whether an incarnation that has the slot's place but not its address: it replaces the active one when ready. */
  readonly standby: boolean;
  /** The address that it was launched with; the slot's own may have changed since. Absent on the host's network. */
  readonly lease?: Lease;
  /** It was launched in bridge mode: its host lets it out. */
  readonly bridged?: true;
  /** Set when its slot was given to another while it was unreachable: it is in no view again, and killed on return. */
  readonly fenced?: boolean;
}

const terminal: ReadonlySet<Condition> = new Set<Condition>([
  'finished',
  'failed',
  'killed',
  'error',
  'lost',
  'dropped',
  'gone',
  'gone-by-operator',
]);

/** True when the task has ended for good and will not come back. */
export const isTerminal = (condition: Condition): boolean => terminal.has(condition);
