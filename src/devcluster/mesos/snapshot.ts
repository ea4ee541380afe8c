import type { AgentId } from '../../model/ids.ts';

/** A task as its agent sees it. */
interface TaskSnapshot {
  readonly taskId: string;
  readonly state: string;
}

export interface ExecutorSnapshot {
  readonly frameworkId: string;
  readonly executorId: string;
  readonly containerId: string;
  readonly state: 'registering' | 'running' | 'terminating' | 'terminated';
  /** Process id of the executor in the root namespace; undefined before it runs and for simulated ones. */
  readonly pid: number | undefined;
  /** The sandbox. */
  readonly directory: string;
  /** Tasks that have not ended, the queued ones included. */
  readonly tasks: readonly TaskSnapshot[];
}

export interface AgentSnapshot {
  readonly agentId: AgentId;
  readonly hostname: string;
  /** `host:port` of its HTTP server, as executors are told. */
  readonly endpoint: string;
  readonly process: 'up' | 'recovering' | 'down';
  readonly link: 'up' | 'cut';
  /** What the leading master thinks of it. */
  readonly registration: 'active' | 'disconnected' | 'unreachable' | 'unknown';
  readonly executors: readonly ExecutorSnapshot[];
}

export interface FrameworkSnapshot {
  readonly frameworkId: string;
  readonly name: string;
  readonly connected: boolean;
  readonly tasks: readonly TaskSnapshot[];
}

interface MasterSnapshot {
  readonly url: string;
  readonly leader: boolean;
}

/** The whole cluster at one moment. */
export interface ClusterSnapshot {
  readonly masters: readonly MasterSnapshot[];
  readonly agents: readonly AgentSnapshot[];
  readonly frameworks: readonly FrameworkSnapshot[];
}
