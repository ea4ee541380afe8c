import { randomUUID } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { SubscriptionOutcome } from '../src/mesos/subscription.ts';
import type { Credentials } from '../src/mesos/credentials.ts';
import type { MasterSource } from '../src/mesos/master-source.ts';
import type { MesosTls } from '../src/mesos/tls.ts';
import type { Network } from '../src/model/network.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { codeOf, messageOf } from '../src/runtime/errors.ts';
import type { Logger, LogLevelControl } from '../src/runtime/logger.ts';
import { Scope } from '../src/runtime/scope.ts';
import { newToken } from '../src/security/secrets.ts';
import { version } from '../src/cli/version.ts';
import { hostRoutes } from './api/hosts/routes.ts';
import { HttpProblem } from './api/problems.ts';
import type { Security } from './api/security/guard.ts';
import { HostTokens } from './api/security/host-tokens.ts';
import { createServer } from './api/server.ts';
import { assemble, type Parts } from './assemble.ts';
import { advertiseUrl, withoutPassword, type Config } from './config.ts';
import { boot, type BootState } from './driver/boot.ts';
import { defaultNetwork, missingNetworks } from './driver/configured-networks.ts';
import type { ExecutorBundle } from './driver/executor-bundle.ts';
import type { Mandate } from './driver/mandate.ts';
import type { Secrets } from './driver/secrets.ts';
import { PathFinder } from './driver/paths/path-finder.ts';
import type { Scheduler } from './driver/scheduler.ts';
import type { FrontDoor } from './front-door.ts';
import type { Store } from './store/store.ts';
import { SupersededError } from './store/superseded.ts';

/** What a scheduler has whether it leads or not. */
export interface Surroundings {
  readonly config: Config;
  readonly log: Logger & LogLevelControl;
  readonly door: FrontDoor;
  readonly bundle: ExecutorBundle;
  readonly credentials: Credentials | undefined;
  readonly masters: MasterSource;
  readonly mesosTls: MesosTls | undefined;
  /** PEM of the authority that executors are to trust. */
  readonly authority: string | undefined;
  /** That the configuration asks for. */
  readonly networks: readonly Network[];
  readonly security: Omit<Security, 'hostTokens'>;
  readonly secrets: Secrets;
}

/** What leading takes besides. */
export interface Office {
  /** The right to write; closed by lead(). */
  readonly store: Store;
  readonly mandate: Mandate;
  /** Gives the lead up; undefined where there are no others. */
  readonly abdicate: (() => void) | undefined;
  /** What is served at our addresses from the end of the lead on. */
  readonly standIn: FastifyInstance | undefined;
}

/** Why a scheduler does not lead any more. */
export type LeadOutcome =
  | SubscriptionOutcome
  | { readonly kind: 'failed'; readonly error: unknown }
  /** Another one leads, or may. */
  | { readonly kind: 'superseded'; readonly reason: string };

/**
 * Leads until the signal fires or it cannot go on, and leaves the framework and its tasks as they are.
 * @throws what keeps it from beginning
 */
export async function lead(around: Surroundings, office: Office, signal: AbortSignal): Promise<LeadOutcome> {
  const { log, door, networks } = around;
  const scope = new Scope(log);
  try {
    const store = scope.own('store', office.store, (opened) => opened.close());
    const state = await boot(store, randomUUID, newToken);
    const { from, to } = state.migrated;
    if (from < to) log.info('the stored records were brought to the current version', { from, to });
    const hostTokens = new HostTokens(state.hostKey);
    const failure = new AbortController();
    const parts = assemble({
      ...around,
      store,
      state,
      hostTokens,
      mandate: office.mandate,
      onFatal: (error) => failure.abort(error),
    });
    const { scheduler, client, announcer } = parts;
    scope.own('scheduler', scheduler, (started) => started.close()).start();
    for (const network of missingNetworks(networks, state.world.networks)) {
      const result = await scheduler.change({ kind: 'put-network', network });
      if (result.kind !== 'accepted') log.error('a configured network is not usable', { network, result });
    }
    const api = createServer(apiDeps(around, office, parts, state));
    scope.defer('API', async () => {
      if (office.standIn !== undefined) await door.serve(office.standIn);
      await api.close();
    });
    const addresses = await door.serve(api);
    log.info('the API listens', { addresses, term: state.term });

    const running = client.run();
    scope.defer('Mesos stream', async () => {
      announcer.stop();
      client.stop();
      await running;
    });
    return await Promise.race([
      running,
      onceAborted(failure.signal, failed),
      onceAborted(signal, (): LeadOutcome => ({ kind: 'stopped' })),
    ]);
  } catch (error) {
    if (error instanceof SupersededError) return failed(error);
    throw error;
  } finally {
    await scope.close();
  }
}

const failed = (error: unknown): LeadOutcome =>
  error instanceof SupersededError
    ? { kind: 'superseded', reason: error.message }
    : { kind: 'failed', error };

function apiDeps(
  { config, log, bundle, security, secrets }: Surroundings,
  { mandate, abdicate }: Office,
  { scheduler, metrics, bus }: Parts,
  { term, hostKey }: BootState,
): Parameters<typeof createServer>[0] {
  const paths = new PathFinder({
    world: () => scheduler.world,
    ask: (host, frame, entrance) => scheduler.askHost(host, frame, entrance),
  });
  return {
    world: () => scheduler.world,
    change: (change, request) => answerable(scheduler.change(change, request)),
    hostStatus: (host) => scheduler.hostStatus(host),
    counters: scheduler.counters,
    findPath: (from, to, traffic) => paths.find(from, to, traffic),
    now: () => systemClock.now(),
    after: (delayMs, action) => systemClock.after(delayMs, action),
    events: bus,
    term,
    onSlowClient: () => {
      metrics.eventCutOffs.inc();
      log.warn('a client reads its event stream too slowly and was cut off');
    },
    metrics: () => metrics.text(),
    metricValues: () => metrics.values(),
    logLevel: log,
    hostRoutes: hostRoutes(executorSide(scheduler, bundle)),
    security: { ...security, hostTokens: new HostTokens(hostKey) },
    allowedOrigins: config.accessControlAllowOrigin,
    secretProblem: (source) => secrets.problem(source),
    abdicate,
    isStale: () => !mandate.holds(),
    info: {
      version,
      frameworkName: config.frameworkName,
      role: config.role,
      user: config.user,
      hostname: config.hostname,
      advertiseUrl: advertiseUrl(config),
      master: config.master.map(withoutPassword).join(','),
      failoverTimeoutSeconds: config.failoverTimeout,
      defaultNetwork: defaultNetwork.name,
      defaultImage: config.defaultImage,
      httpPort: config.listen.find(({ tls }) => !tls)?.port,
      httpsPort: config.listen.find(({ tls }) => tls)?.port,
      build: bundle.build,
      declineOfferMs: config.declineSeconds * 1000,
      minReviveIntervalMs: config.minReviveInterval * 1000,
      reconcileIntervalMs: config.reconcileInterval * 1000,
      launchTimeoutMs: config.launchTimeout * 1000,
      maxVersions: config.maxVersions,
      zkSessionTimeoutMs: config.zkSessionTimeout * 1000,
      envVarsPrefix: config.envVarsPrefix,
      launchTokens: config.launchTokens,
      launchTokenIntervalMs: config.launchTokenInterval * 1000,
      maxInstancesPerOffer: config.maxInstancesPerOffer,
      pathPrefix: config.pathPrefix ?? '',
      zk: config.zk === undefined ? undefined : withoutPassword(config.zk),
    },
    log,
  };
}

/** A scheduler that cannot take something now says so by 503: the client may try again. */
async function answerable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (codeOf(error) !== 'unavailable') throw error;
    throw new HttpProblem(503, messageOf(error));
  }
}

const executorSide = (scheduler: Scheduler, bundle: ExecutorBundle): Parameters<typeof hostRoutes>[0] => ({
  expectsHost: (host) => scheduler.expectsHost(host),
  report: (host, report) => answerable(scheduler.report(host, report)),
  counted: (host, counters) => scheduler.counters.take(host, counters),
  answered: (host, answer) => scheduler.answered(host, answer),
  connectView: (host, have, sink) => scheduler.connectView(host, have, sink),
  bundle,
});

function onceAborted(signal: AbortSignal, outcome: (reason: unknown) => LeadOutcome): Promise<LeadOutcome> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(outcome(signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
