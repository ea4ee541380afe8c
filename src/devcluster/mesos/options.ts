import type { Server } from 'node:http';
import type { TaskInfo } from '../../../proto/mesos.gen.ts';
import type { PortRange } from '../../model/resources.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';

/** Times of the masters and agents in milliseconds; the defaults are those of Apache Mesos. */
export interface Timings {
  /** Between two allocation rounds: 1 s. */
  readonly allocationIntervalMs: number;
  /** Between two HEARTBEAT events of a scheduler's stream: 15 s. */
  readonly heartbeatIntervalMs: number;
  /** An agent that misses `maxPings` pings of this length is declared unreachable: 15 s, five times. */
  readonly pingTimeoutMs: number;
  readonly maxPings: number;
  /** Until a new leader is elected after `failover`; the standbys redirect to the dead one meanwhile: 0. */
  readonly electionMs: number;
  /** The longest random wait of an agent before it registers: 1 s. */
  readonly registrationBackoffMs: number;
  /** From the launch of an executor, fetching included, to its SUBSCRIBE: 1 min. */
  readonly executorRegistrationMs: number;
  /** How long a restarted agent waits for its executors to subscribe again: 2 s. */
  readonly executorReregistrationMs: number;
  /** From SHUTDOWN to SIGKILL where the ExecutorInfo does not say: 5 s. */
  readonly executorShutdownGraceMs: number;
  /** How long an executor goes on without its agent: 15 min. */
  readonly recoveryTimeoutMs: number;
  /** First repetition of an update that is not acknowledged; doubles up to the maximum: 10 s, 10 min. */
  readonly updateRetryMs: number;
  readonly updateRetryMaxMs: number;
  /** How long the fetcher may wait for data: 1 min. */
  readonly fetchStallMs: number;
}

export const mesosTimings: Timings = {
  allocationIntervalMs: 1_000,
  heartbeatIntervalMs: 15_000,
  pingTimeoutMs: 15_000,
  maxPings: 5,
  electionMs: 0,
  registrationBackoffMs: 1_000,
  executorRegistrationMs: 60_000,
  executorReregistrationMs: 2_000,
  executorShutdownGraceMs: 5_000,
  recoveryTimeoutMs: 900_000,
  updateRetryMs: 10_000,
  updateRetryMaxMs: 600_000,
  fetchStallMs: 60_000,
};

export interface Credential {
  readonly principal: string;
  readonly secret: string;
}

export interface DevMesosOptions {
  readonly log: Logger;
  /** Address that the masters listen on and give to schedulers; 127.0.0.1 unless told. */
  readonly host?: string;
  /** One master for each port, the first one leads; 0 takes a free port. `[0]` unless told. */
  readonly ports?: readonly number[];
  /** `zk://…/mesos`: the masters announce themselves there, as real ones do. */
  readonly zookeeper?: string;
  readonly timings?: Partial<Timings>;
  /** When given, schedulers must authenticate with HTTP basic authentication. */
  readonly credentials?: readonly Credential[];
  readonly clock?: Clock;
  /** Numbers in [0, 1); ids and delays come from it. */
  readonly random?: () => number;
}

/** What an agent offers: scalars in Mesos's units (cores, MiB), ports as inclusive ranges. */
interface AgentResources {
  readonly cpus: number;
  readonly mem: number;
  readonly disk: number;
  readonly gpus?: number;
  /** 31000-32000 unless told. */
  readonly ports?: readonly PortRange[];
}

/** Where an agent's HTTP server listens. */
interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface AgentOptions {
  /** What offers call the agent. */
  readonly hostname: string;
  readonly resources: AgentResources;
  /** Text and scalar attributes. */
  readonly attributes?: Readonly<Record<string, string | number>>;
  readonly region?: string;
  readonly zone?: string;
  /** Sandboxes are made below it. It is not removed at the end. */
  readonly workDir: string;
  /** Put before each executor's command line: `['ip', 'netns', 'exec', 'pp-h1']`. */
  readonly spawnPrefix?: readonly string[];
  /** Added to every executor's environment, like the agent flag `--executor_environment_variables`. */
  readonly executorEnvironment?: Readonly<Record<string, string>>;
  /**
   * Makes the server listen and tells where; called at every start of the agent. A free port of the masters' host
   * unless given. The server is closed by the agent.
   */
  readonly listen?: (server: Server) => Promise<ListenAddress>;
  /** What executors and offers are told instead of the host that `listen` gave. */
  readonly endpointHost?: string;
  /** `simulated`: tasks run in this process (STARTING and RUNNING at once, KILLED on KILL), for measurements. */
  readonly executor?: 'process' | 'simulated';
  /** Told of each task that a simulated executor is given. */
  readonly onSimulatedLaunch?: (task: TaskInfo) => void;
}

/** Scheduler calls that can be lost on their way after they were answered with 202. */
export type LosableCall =
  | 'ACCEPT'
  | 'DECLINE'
  | 'KILL'
  | 'ACKNOWLEDGE'
  | 'RECONCILE'
  | 'REVIVE'
  | 'SUPPRESS'
  | 'MESSAGE'
  | 'SHUTDOWN';
