import type { AgentId } from '../../model/ids.ts';
import type { AgentOptions, LosableCall } from './options.ts';
import type { ClusterSnapshot } from './snapshot.ts';

/** What people, tests and the command line do with the Mesos of the one-machine cluster. */
export interface MesosControl {
  /** Base URL of the leading master, `http://127.0.0.1:5050`. */
  readonly url: string;
  /** All masters, the standbys included. */
  readonly urls: readonly string[];
  /** Starts an agent and waits until it is registered. */
  addAgent(options: AgentOptions): Promise<AgentId>;
  /** The agent's process ends as by SIGKILL; its executors live on and the master sees the connection break. */
  stopAgent(agentId: AgentId): Promise<void>;
  /** Starts a stopped agent with what it had checkpointed and waits until it is registered again. */
  startAgent(agentId: AgentId): Promise<void>;
  /** Nothing passes between the agent and the master any more, without either noticing at once. */
  cutAgent(agentId: AgentId): void;
  healAgent(agentId: AgentId): void;
  /** The master declares the agent unreachable now instead of after the pings. */
  markUnreachable(agentId: AgentId): void;
  /** SIGKILL to the process groups of the agent's executors; gives how many there were. */
  killExecutor(agentId: AgentId): number;
  /** The leader dies with all that it knew; another master leads (or the same one anew, if it is alone). */
  failover(): Promise<void>;
  /** Breaks the scheduler's stream as by a reset; false when it has none. */
  dropConnection(frameworkId: string): boolean;
  /** The next `count` calls of this type are answered 202 and forgotten. */
  lose(call: LosableCall, count: number): void;
  /** The next `count` status updates with a uuid are sent to the scheduler twice. */
  duplicateUpdates(count: number): void;
  state(): ClusterSnapshot;
  /** Resolves as soon as `condition` holds; rejects with code `deadline` and the name `what` otherwise. */
  waitFor(what: string, condition: (state: ClusterSnapshot) => boolean, timeoutMs: number): Promise<void>;
  /** Ends executors, agents and masters and waits for them. */
  close(): Promise<void>;
}
