import type { NameServerPlace } from '../adapters/dnsmasq/name-server.ts';
import type { EndpointKey, ViewVersion } from '../../src/fabric/view.ts';
import type { AgentId, ExecutorId, FrameworkId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';

/** What the network side must know of its host; all of it comes from the executor's configuration. */
export interface SwitchConfig {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  /** This run of the executor, see ExecutorLives. */
  readonly runId: string;
  /** Whose views these are: what is kept on disk of another framework is not used, its terms mean nothing here. */
  readonly frameworkId?: FrameworkId;
  readonly hostname: string;
  /** Identity of this host in `external_ids:patchpanel-owner`: only bridges and ports that carry it are ours. */
  readonly hostKey: string;
  /** Directory of `db.sock` and `<bridge>.mgmt`. */
  readonly ovsRunDir: string;
  /** Directory for the last good view, the leader's URL and the counters; made when missing. */
  readonly stateDir: string;
  /** Name of our bridge, at most 15 characters. */
  readonly bridge: string;
  /** Address of this host's tunnel endpoint. */
  readonly underlayIp: string;
  /** auto: system where Open vSwitch offers it, else netdev. */
  readonly datapath: 'auto' | 'system' | 'netdev';
  /** Where names are served from; absent: they are not. */
  readonly names?: NameServerPlace;
  /** Only passed on in the host's facts. */
  readonly dockerVersion: string;
  /** The built program that self-tests run in namespaces; without it the host does not test itself. */
  readonly selfTestProgram?: string;
  /** Fixed URL of the scheduler's API, for debugging: what leaders announce is then ignored. */
  readonly schedulerUrl?: string;
}

/** What the network side needs from its surroundings. */
export interface SwitchSurroundings {
  readonly clock: Clock;
  readonly log: Logger;
  /** Numbers in [0, 1) for the jitter of back-offs. */
  readonly random: () => number;
  /**
   * The port of an attached endpoint is broken for good (its veth is gone, Open vSwitch reports an error): the task
   * that uses it must be failed. Called once per loss; detach() it afterwards.
   */
  readonly onPortLost: (endpoint: EndpointKey, reason: string) => void;
  /** The same for what another executor of this host attached; its port is removed already. */
  readonly onInheritedLost: (endpoint: EndpointKey) => void;
}

/** A moment's picture, for logs, metrics and diagnosis. */
export interface SwitchStatus {
  /** Whether Open vSwitch answers and our flows are in force. */
  readonly ready: boolean;
  readonly datapath: 'system' | 'netdev' | undefined;
  readonly ovsVersion: string;
  /** Number of this executor's run on the bridge; part of each flow's cookie. */
  readonly round: number;
  /** The version in force. */
  readonly applied: ViewVersion | undefined;
  readonly schedulerUrl: string | undefined;
  readonly schedulerConnected: boolean;
  /** Why the newest view or its flows are not in force; undefined when all is well. */
  readonly problem: string | undefined;
  readonly ports: number;
  readonly flows: number;
  readonly resyncs: number;
  readonly straysFound: number;
  readonly straysRemoved: number;
}
