import type { World } from '../core/world.ts';
import type { Change, ChangeRequest, ChangeResult } from '../core/events.ts';
import type { AgentId, NetworkName } from '../../src/model/ids.ts';
import type { FabricCounters } from '../driver/counters/fabric-counters.ts';
import type { PathFinder } from '../driver/paths/path-finder.ts';
import type { MetricValues } from '../driver/metrics.ts';
import type { Logger, LogLevelControl } from '../../src/runtime/logger.ts';
import type { FastifyPluginAsync } from 'fastify';
import type { Security } from './security/guard.ts';
import type { EventSource } from './v2/events/event-feed.ts';

/** What the API needs of the rest of the scheduler. */
export interface ApiDeps {
  /** The world as of now: read it, never change it, never keep it over an await. */
  readonly world: () => World;
  /** Resolves when the change is durable or refused. */
  readonly change: (change: Change, request?: ChangeRequest) => Promise<ChangeResult>;
  /** What the view stream of a host knows. */
  readonly hostStatus: (agentId: AgentId) => HostStreamStatus | undefined;
  /** What the hosts' switches dropped and delivered. */
  readonly counters: Pick<FabricCounters, 'drops' | 'traffic'>;
  /** See PathFinder.find. */
  readonly findPath: PathFinder['find'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Calls `action` once after `delayMs`; the result cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void;
  readonly events: EventSource;
  /** The leader's term: event ids begin with it. */
  readonly term: number;
  /** Called when a client that reads its event stream too slowly was cut off. */
  readonly onSlowClient: () => void;
  /** Prometheus text. */
  readonly metrics: () => Promise<string>;
  /** The same as values. */
  readonly metricValues: () => Promise<MetricValues>;
  readonly logLevel: LogLevelControl;
  /** Routes for executors. */
  readonly hostRoutes: FastifyPluginAsync;
  readonly security: Security;
  /** Origins whose pages may read the API; `*`: all. */
  readonly allowedOrigins: readonly string[];
  /** Why the scheduler has no secret of this source, if it has none. */
  readonly secretProblem: (source: string) => string | undefined;
  /** Lets another scheduler lead; undefined where there are no others. */
  readonly abdicate?: (() => void) | undefined;
  /** Whether what is read here may be out of date: this scheduler does not know whether it still leads. */
  readonly isStale?: () => boolean;
  readonly info: ApiInfo;
  readonly log: Logger;
}

export interface HostStreamStatus {
  readonly connected: boolean;
  /** `term.n` of the newest view that the host has put in force. */
  readonly applied: string | undefined;
  /** Changes that the host has been sent and has not acknowledged. */
  readonly lag: number;
  readonly problem: string | undefined;
}

/** Constants that `/v2/info` shows. */
export interface ApiInfo {
  readonly version: string;
  readonly frameworkName: string;
  readonly role: string;
  readonly user: string;
  readonly hostname: string;
  readonly advertiseUrl: string;
  readonly master: string;
  readonly failoverTimeoutSeconds: number;
  readonly defaultNetwork: NetworkName;
  /** What an app runs that names no image. */
  readonly defaultImage: string | undefined;
  /** What a proxy puts before our paths, without a slash at its end; empty: nothing. */
  readonly pathPrefix: string;
  /** Where the state is in ZooKeeper, without the password. */
  readonly zk?: string | undefined;
  readonly httpPort: number | undefined;
  readonly httpsPort: number | undefined;
  /** Names the executor's build. */
  readonly build: string;
  readonly declineOfferMs: number;
  readonly minReviveIntervalMs: number;
  readonly reconcileIntervalMs: number;
  readonly launchTimeoutMs: number;
  readonly maxVersions: number;
  readonly zkSessionTimeoutMs: number;
  readonly envVarsPrefix: string;
  /** 0: any number. */
  readonly launchTokens: number;
  readonly launchTokenIntervalMs: number;
  /** 0: any number. */
  readonly maxInstancesPerOffer: number;
}
