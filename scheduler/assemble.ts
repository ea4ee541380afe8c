import { randomUUID } from 'node:crypto';
import type { ExecutorInfo } from '../proto/mesos.gen.ts';
import { subscribe } from '../src/mesos/calls.ts';
import type { Credentials } from '../src/mesos/credentials.ts';
import type { MasterSource } from '../src/mesos/master-source.ts';
import { SchedulerClient } from '../src/mesos/scheduler-client.ts';
import type { MesosTls } from '../src/mesos/tls.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { PatchpanelError } from '../src/runtime/errors.ts';
import type { Logger } from '../src/runtime/logger.ts';
import type { HostTokens } from './api/security/host-tokens.ts';
import { advertiseUrl, type Config } from './config.ts';
import type { Launch } from './core/effects.ts';
import { viewNetwork } from './core/fabric/fabric-view.ts';
import { acceptedBy } from './core/offers/launching.ts';
import { step } from './core/step.ts';
import type { Settings, World } from './core/world.ts';
import type { BootState } from './driver/boot.ts';
import { EventBus } from './driver/event-bus.ts';
import type { ExecutorBundle } from './driver/executor-bundle.ts';
import type { Mandate } from './driver/mandate.ts';
import { frameworkInfo } from './driver/mesos/framework-info.ts';
import { LeaderAnnouncer } from './driver/mesos/leader-announcer.ts';
import { MesosLink } from './driver/mesos/mesos-link.ts';
import type { PreparedLaunch } from './driver/mesos/task-info.ts';
import type { SecretReader } from './driver/mesos/task-secrets.ts';
import { taskSpec, type SchedulerReach, type TaskSurroundings } from './driver/mesos/task-spec.ts';
import { SchedulerMetrics } from './driver/metrics.ts';
import { Scheduler } from './driver/scheduler.ts';
import { coreSettings, frameworkOptions } from './settings.ts';
import type { Store } from './store/store.ts';

/** The parts of a scheduler, wired to each other and not yet started. */
export interface Parts {
  readonly scheduler: Scheduler;
  readonly client: SchedulerClient;
  readonly announcer: LeaderAnnouncer;
  readonly metrics: SchedulerMetrics;
  readonly bus: EventBus;
}

export interface AssembleOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly store: Store;
  readonly bundle: ExecutorBundle;
  readonly state: BootState;
  readonly credentials: Credentials | undefined;
  readonly hostTokens: HostTokens;
  readonly secrets: SecretReader;
  /** PEM of the authority that executors are to trust. */
  readonly authority: string | undefined;
  readonly masters: MasterSource;
  readonly mesosTls: MesosTls | undefined;
  readonly mandate: Mandate;
  /** Deciding or storing failed. */
  readonly onFatal: (error: unknown) => void;
}

/** Events kept for observers that come back. */
const keptEvents = 1024;
const announceMs = 10_000;

/** Makes the parts and joins them. Nothing is opened or sent yet. */
export function assemble(options: AssembleOptions): Parts {
  const {
    config,
    log,
    store,
    bundle,
    state,
    credentials,
    mesosTls,
    hostTokens,
    secrets,
    authority,
    onFatal,
  } = options;
  const { world, term, frameworkId } = state;
  const clock = systemClock;
  const metrics = new SchedulerMetrics();
  const bus = new EventBus(keptEvents, (error) => log.warn('an observer of events failed', { error }));
  const settings = coreSettings(config, bundle, frameworkId, (need, offers) =>
    link.takeForExecutor(need, offers),
  );
  const reach: SchedulerReach = {
    url: advertiseUrl(config),
    tokenOf: (host) => hostTokens.tokenOf(host),
    authority,
  };

  const link = new MesosLink({
    call: (call) => client.call(call),
    submit: (event) => scheduler.submit(event),
    publish: (event) => bus.publish(event, clock.now()),
    prepareLaunch: (launch) =>
      prepareLaunch(world, settings, launch, reach, { secrets, envVarsPrefix: config.envVarsPrefix }),
    onSubscribed: () => announcer.start(),
    log,
    metrics,
  });
  const scheduler = new Scheduler({
    world,
    term,
    interconnect: settings.interconnect,
    step: (event) =>
      step(world, settings, event, {
        now: clock.now(),
        uuid: randomUUID,
        isConnected: (host) => scheduler.isConnected(host),
      }),
    store,
    mesos: {
      prepare: (effect) => link.prepare(effect),
      release: (offers) => link.release(offers),
    },
    bus,
    clock,
    log,
    metrics,
    mandate: options.mandate,
    onFatal,
  });
  const client = new SchedulerClient({
    masters: options.masters,
    encoding: config.encoding,
    ...(credentials === undefined ? {} : { credentials }),
    ...(mesosTls === undefined ? {} : { tls: mesosTls }),
    log,
    // Without work it begins as it would go on: suppressed.
    subscribe: () =>
      subscribe(
        frameworkInfo(frameworkOptions(config), frameworkId),
        world.wanting.size === 0 ? [config.role] : [],
      ),
    onEvent: (event) => link.onEvent(event),
    onDisconnected: (reason) => link.onDisconnected(reason),
  });
  const announcer = new LeaderAnnouncer({
    clock,
    send: (call) => client.call(call),
    executors: () => world.executors.values(),
    isConnected: (host) => scheduler.isConnected(host),
    leader: { url: reach.url, term },
    everyMs: announceMs,
  });
  return { scheduler, client, announcer, metrics, bus };
}

/** Looks up what a launch needs of the world, which is as the launch's frame left it. */
function prepareLaunch(
  world: World,
  settings: Settings,
  launch: Launch,
  reach: SchedulerReach,
  surroundings: TaskSurroundings,
): PreparedLaunch {
  const { lease } = launch.slot;
  const network = lease === undefined ? undefined : viewNetwork(world, settings.interconnect, lease.network);
  const record = world.executors.get(launch.instance.agentId);
  if (record?.executorId !== launch.executorId) {
    throw new PatchpanelError(
      'conflict',
      `the executor ${launch.executorId} of ${launch.instance.taskId} is gone`,
    );
  }
  // Stored by us as what executorInfo() made.
  return {
    launch,
    spec: () => taskSpec(launch, network, reach, surroundings),
    accepted: acceptedBy(launch.app, settings),
    executor: record.info as ExecutorInfo,
  };
}
