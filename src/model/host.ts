import type { AgentId, ExecutorId } from './ids.ts';

/** What an executor tells of its host when it connects and when something changes. */
export interface HostFacts {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly hostname: string;
  /** Address of this host's tunnel endpoint (VTEP). */
  readonly underlayIp: string;
  /** MTU of the underlay in bytes. */
  readonly underlayMtu: number;
  readonly datapath: 'system' | 'netdev';
  readonly ovsVersion: string;
  readonly dockerVersion: string;
  /** Whether the host carries traffic; absent before it has tried. */
  readonly selfTest?: SelfTestResult;
}

/** What a host found when it tried whether it carries traffic. */
export interface SelfTestResult {
  readonly passed: boolean;
  /** What does not work; only when not passed. */
  readonly problem?: string;
  /** Name of the other host that was reached; absent when there was none. */
  readonly peer?: string;
}

/** A host as the scheduler keeps it. */
export interface HostRecord {
  readonly facts: HostFacts;
  /** False while Mesos counts the agent as unreachable: its endpoints are fenced. */
  readonly reachable: boolean;
  readonly seenAt: number;
}
