import type {
  AgentInfo,
  ExecutorInfo,
  FrameworkInfo,
  Resource,
  SchedulerEvent,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../../../proto/mesos.gen.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { Timings } from '../options.ts';
import type { Allocator } from './allocator.ts';
import type { Bundle } from './bundle.ts';
import type { Connection, Endpoint, ToAgent } from './messages.ts';

/** A scheduler's event stream; the shell encodes and writes. */
export interface EventStream {
  /** What the scheduler must send as Mesos-Stream-Id. */
  readonly id: string;
  send(event: SchedulerEvent): void;
  end(): void;
}

export interface Task {
  readonly taskId: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly executorId: string;
  readonly info: TaskInfo;
  readonly role: string;
  readonly resources: Bundle;
  /** The latest state that the agent knows; may be ahead of what the framework was told. */
  state: TaskState;
  /** State and uuid of the last update that went to the framework; unset until there was one. */
  told: { readonly state: TaskState; readonly uuid: string } | undefined;
  /** One status for each state that it went through, the last one last. */
  statuses: TaskStatus[];
}

export interface Offer {
  readonly id: string;
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  readonly resources: Bundle;
}

export interface Framework {
  readonly id: string;
  info: FrameworkInfo;
  stream: EventStream | undefined;
  /** Known only from an agent that registered with a new master. */
  recovered: boolean;
  readonly registeredAt: number;
  reregisteredAt: number | undefined;
  unregisteredAt: number | undefined;
  readonly tasks: Map<string, Task>;
  /** Bounded, oldest first. */
  readonly completed: Task[];
  readonly unreachable: Map<string, Task>;
  readonly offers: Set<string>;
  readonly counters: Map<string, number>;
  cancelFailover: (() => void) | undefined;
}

export interface Agent {
  readonly id: string;
  info: AgentInfo;
  endpoint: Endpoint;
  connection: Connection<ToAgent> | undefined;
  readonly total: Bundle;
  readonly registeredAt: number;
  reregisteredAt: number | undefined;
  /** By framework id. */
  readonly executors: Map<string, Map<string, ExecutorInfo>>;
  readonly tasks: Map<string, Task>;
  readonly offers: Set<string>;
  /** Tasks to kill when a disconnected agent is back, with the framework of each. */
  readonly kills: Map<string, string>;
  missedPings: number;
  answered: boolean;
  cancelPing: (() => void) | undefined;
}

/** An agent that was declared unreachable, and when (milliseconds since 1970). */
interface UnreachableAgent {
  readonly info: AgentInfo;
  readonly sinceMs: number;
}

/** All that one master run knows; nothing of it outlives the run. */
export interface MasterState {
  readonly frameworks: Map<string, Framework>;
  /** The last 50 frameworks that were torn down. */
  readonly completedFrameworks: Map<string, Framework>;
  readonly agents: Map<string, Agent>;
  readonly unreachableAgents: Map<string, UnreachableAgent>;
  readonly offers: Map<string, Offer>;
  /** The agent that last registered on a connection. */
  readonly connections: WeakMap<Connection<ToAgent>, Agent>;
  readonly counters: Map<string, number>;
  nextFramework: number;
  nextAgent: number;
  nextOffer: number;
}

export interface MasterIdentity {
  readonly id: string;
  readonly host: string;
  readonly port: number;
}

/** What the parts of a master share. */
export interface MasterContext {
  readonly identity: MasterIdentity;
  readonly startedAt: number;
  readonly state: MasterState;
  readonly allocator: Allocator;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
  /** Asks for an allocation as soon as what is under way is done. */
  readonly requestAllocation: () => void;
}

export const maxCompletedFrameworks = 50;
export const maxCompletedTasks = 1000;
export const maxUnreachableTasks = 1000;

export function emptyMasterState(): MasterState {
  return {
    frameworks: new Map(),
    completedFrameworks: new Map(),
    agents: new Map(),
    unreachableAgents: new Map(),
    offers: new Map(),
    connections: new WeakMap(),
    counters: new Map(),
    nextFramework: 0,
    nextAgent: 0,
    nextOffer: 0,
  };
}

/** Adds one to a counter of the master or of a framework. */
export function count(counters: Map<string, number>, name: string, by = 1): void {
  counters.set(name, (counters.get(name) ?? 0) + by);
}

/** Sends an event to the framework's scheduler, if it is connected. */
export function tell(framework: Framework, event: SchedulerEvent): void {
  if (framework.stream === undefined) return;
  count(framework.counters, 'events');
  count(framework.counters, `events/${(event.type ?? 'UNKNOWN').toLowerCase()}`);
  framework.stream.send(event);
}

/** Appends to a bounded archive, the oldest entry goes. */
export function archive<Value>(entries: Map<string, Value>, key: string, value: Value, limit: number): void {
  entries.delete(key);
  entries.set(key, value);
  for (const oldest of entries.keys()) {
    if (entries.size <= limit) break;
    entries.delete(oldest);
  }
}

/** Executors of one framework on an agent. */
export function executorsOf(agent: Agent, frameworkId: string): ReadonlyMap<string, ExecutorInfo> {
  return agent.executors.get(frameworkId) ?? new Map();
}

export const taskKey = (frameworkId: string, taskId: string): string => `${frameworkId}\n${taskId}`;

/** The resources of an offer or agent as this framework sees them. */
export function identityFor(framework: Framework, role: string): Partial<Resource> {
  const refined = (framework.info.capabilities ?? []).some(({ type }) => type === 'RESERVATION_REFINEMENT');
  return { ...(refined ? {} : { role: '*' }), allocation_info: { role } };
}
