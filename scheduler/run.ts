import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { SubscriptionOutcome } from '../src/mesos/subscription.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { codeOf, messageOf } from '../src/runtime/errors.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Scope } from '../src/runtime/scope.ts';
import { newToken } from '../src/security/secrets.ts';
import { version } from '../src/cli/version.ts';
import { hostRoutes } from './api/hosts/routes.ts';
import { HttpProblem } from './api/problems.ts';
import type { Security } from './api/security/guard.ts';
import { createServer } from './api/server.ts';
import { assemble, type Parts } from './assemble.ts';
import { advertiseUrl, printable, withoutPassword, type Config } from './config.ts';
import type { ChangeResult } from './core/events.ts';
import { boot } from './driver/boot.ts';
import { configuredNetworks, defaultNetwork, missingNetworks } from './driver/configured-networks.ts';
import { readExecutorBundle, type ExecutorBundle } from './driver/executor-bundle.ts';
import { PathFinder } from './driver/paths/path-finder.ts';
import { Secrets } from './driver/secrets.ts';
import type { Scheduler } from './driver/scheduler.ts';
import { listen } from './listeners.ts';
import { openSecurity, readCredentials, readTlsAuthority, readTlsIdentity } from './security.ts';
import { openEmbeddedStore } from './store/embedded-store.ts';

/** Why the scheduler ended. */
export type RunOutcome = SubscriptionOutcome | { readonly kind: 'failed'; readonly error: unknown };

/**
 * Runs a scheduler until the signal fires or it cannot go on, and leaves the framework and its tasks as they are.
 * @throws what keeps it from starting
 */
export async function runScheduler(config: Config, log: Logger, signal: AbortSignal): Promise<RunOutcome> {
  log.info('starting', { config: printable(config) });
  const scope = new Scope(log);
  try {
    const credentials = await readCredentials(config);
    const identity = await readTlsIdentity(config);
    const authority = await readTlsAuthority(config);
    const networks = await configuredNetworks(config.networksFile);
    const bundle = await readExecutorBundle(config.executorManifest ?? builtManifest());
    const store = scope.own('store', await openEmbeddedStore(config.stateDir), (opened) => opened.close());
    const state = await boot(store, randomUUID, newToken);
    const { from, to } = state.migrated;
    if (from < to) log.info('the stored records were brought to the current version', { from, to });
    const security = await openSecurity(config, state.hostKey, log, scope);
    const failure = new AbortController();
    const onFatal = (error: unknown): void => failure.abort(error);
    const { hostTokens } = security;
    const secrets = new Secrets({ directory: config.secretsDir, environment: process.env });
    const parts = assemble({
      config,
      log,
      store,
      bundle,
      state,
      credentials,
      hostTokens,
      secrets,
      authority,
      onFatal,
    });

    const { scheduler, client, announcer } = parts;
    scope.own('scheduler', scheduler, (started) => started.close()).start();
    for (const network of missingNetworks(networks, state.world.networks)) {
      const result = await scheduler.change({ kind: 'put-network', network });
      if (result.kind !== 'accepted') log.error('a configured network is not usable', { network, result });
    }
    const api = createServer(apiDeps(config, log, parts, state.term, bundle, security, secrets));
    const listeners = await listen(api, config.listen, identity);
    scope.defer('API', () => listeners.close());
    log.info('the API listens', { addresses: listeners.addresses, term: state.term });

    const running = client.run();
    scope.defer('Mesos stream', async () => {
      announcer.stop();
      client.stop();
      await running;
    });
    return await Promise.race([
      running,
      onceAborted(failure.signal, (error) => ({ kind: 'failed', error })),
      onceAborted(signal, () => ({ kind: 'stopped' })),
    ]);
  } finally {
    await scope.close();
  }
}

function apiDeps(
  config: Config,
  log: Logger,
  { scheduler, metrics, bus }: Parts,
  term: number,
  bundle: ExecutorBundle,
  security: Security,
  secrets: Secrets,
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
    hostRoutes: hostRoutes(executorSide(scheduler, bundle)),
    security,
    allowedOrigins: config.accessControlAllowOrigin,
    forbidden: config.forbid,
    secretProblem: (source) => secrets.problem(source),
    allowedParameters: new Set(config.allowDockerParameter),
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
      httpPort: config.listen[0]?.port ?? 0,
      pathPrefix: config.pathPrefix ?? '',
    },
    log,
  };
}

/** A scheduler that cannot take a change now says so by 503: the client may try again. */
async function answerable(change: Promise<ChangeResult>): Promise<ChangeResult> {
  try {
    return await change;
  } catch (error) {
    if (codeOf(error) !== 'unavailable') throw error;
    throw new HttpProblem(503, messageOf(error));
  }
}

const executorSide = (scheduler: Scheduler, bundle: ExecutorBundle): Parameters<typeof hostRoutes>[0] => ({
  expectsHost: (host) => scheduler.expectsHost(host),
  report: (host, report) => scheduler.report(host, report),
  counted: (host, counters) => scheduler.counters.take(host, counters),
  answered: (host, answer) => scheduler.answered(host, answer),
  connectView: (host, have, sink) => scheduler.connectView(host, have, sink),
  bundle,
});

/** The manifest that the build puts beside this program. */
const builtManifest = (): string => fileURLToPath(new URL('executor/manifest.json', import.meta.url));

function onceAborted(signal: AbortSignal, outcome: (reason: unknown) => RunOutcome): Promise<RunOutcome> {
  return new Promise((resolve) => {
    const onAbort = (): void => resolve(outcome(signal.reason));
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
}
