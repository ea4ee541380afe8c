import type { DevClusterStatus } from './options.ts';

/** What people and tests can do to a running cluster. Hosts are named `h1`, `pp-h1` or by their agent's id. */
export interface ClusterControls {
  status(): Promise<DevClusterStatus>;
  /** Pulls cables without anybody being told: the management one, or all. */
  cut(host: string, what: 'management' | 'all'): Promise<void>;
  heal(host: string): Promise<void>;
  /** As if the power went: agent, executor, containers and switch end at once. */
  stopHost(host: string): Promise<void>;
  /** Power is back: the switch with its database, the agent with its checkpoints; no container. */
  startHost(host: string): Promise<void>;
  /** SIGKILL; gives how many executors there were. */
  killExecutor(host: string): Promise<number>;
  /** SIGKILL to the host's ovs-vswitchd, then a new one. */
  restartSwitch(host: string): Promise<void>;
  /** The agent's process alone; executors and containers run on. */
  stopAgent(host: string): Promise<void>;
  startAgent(host: string): Promise<void>;
  /** The leading Mesos master dies with all that it knew and another one leads. */
  failover(): Promise<void>;
  /** SIGKILL to the scheduler, of several to the one that leads. */
  killScheduler(): Promise<void>;
  /** Starts every scheduler that does not run on what is stored; when all run, the leading one after ending it. */
  restartScheduler(): Promise<void>;
}
