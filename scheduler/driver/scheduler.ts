import type { EndpointKey, EndpointState, ViewVersion } from '../../src/fabric/view.ts';
import type { Entrance, HostAnswer, PathFrame } from '../../src/fabric/path/question.ts';
import type { HostReport } from '../../src/fabric/view-wire.ts';
import type { Interconnect } from '../../src/fabric/interconnect.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Effect, Frame } from '../core/effects.ts';
import type { Change, ChangeRequest, ChangeResult, Event, Offer } from '../core/events.ts';
import { viewEndpoints } from '../core/fabric/fabric-view.ts';
import type { World } from '../core/world.ts';
import type { RecordWrite, Store } from '../store/store.ts';
import { soleMandate, type Mandate } from './mandate.ts';
import type { EventBus } from './event-bus.ts';
import { FramePipeline } from './frame-pipeline.ts';
import type { MesosEffect } from './mesos/mesos-link.ts';
import type { SchedulerMetrics } from './metrics.ts';
import { networksUpdate, showEverything, slotsUpdate, touchesNetworks } from './view-updates.ts';
import type { HostStreamStatus, ViewSink } from './views/host-feed.ts';
import { dropPlace } from './counters/drop-place.ts';
import { FabricCounters } from './counters/fabric-counters.ts';
import { HostQuestions } from './views/host-questions.ts';
import { defaultViewLimits, ViewHub } from './views/hub.ts';

export interface SchedulerOptions {
  /** As restored from the store; from now on only `step` changes it. */
  readonly world: World;
  /** The leader's term, greater than any before. */
  readonly term: number;
  readonly interconnect: Interconnect;
  readonly step: (event: Event) => Frame;
  readonly store: Store;
  readonly mesos: {
    readonly prepare: (effect: MesosEffect) => () => void;
    readonly release: (offers: readonly Offer[]) => void;
  };
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
  /** Whether this scheduler may decide; always, unless there are others. */
  readonly mandate?: Mandate;
  /** Deciding or storing failed: the process must end, its state survives. */
  readonly onFatal: (error: unknown) => void;
}

const tickMs = 1_000;

/** How often the core is told which hosts are connected; they have come by then. */
const hostsMs = 3_600_000;

/**
 * The running scheduler: the one place where events meet the world, the store, Mesos, the views and the observers.
 * The API reads `world` and asks for changes; nobody but the core writes it.
 */
export class Scheduler {
  readonly world: World;
  readonly #options: SchedulerOptions;
  readonly #pipeline: FramePipeline;
  readonly #hub: ViewHub;
  readonly #questions: HostQuestions;
  /** What the hosts' switches dropped and delivered. */
  readonly counters: FabricCounters;
  readonly #mandate: Mandate;
  #cancelTick: (() => void) | undefined;
  #cancelHosts: (() => void) | undefined;
  #stopWaking: (() => void) | undefined;
  #tickWaits = false;

  constructor(options: SchedulerOptions) {
    const { world, term, clock, metrics, log } = options;
    this.world = world;
    this.#options = options;
    this.#mandate = options.mandate ?? soleMandate;
    this.#pipeline = new FramePipeline({
      mayDecide: () => this.#mandate.holds(),
      step: options.step,
      commit: (writes) => this.#commit(writes),
      prepare: (frame, event) => this.#prepare(frame, event),
      onFatal: options.onFatal,
      observeStep: (seconds) => metrics.stepSeconds.observe(seconds),
      monotonicMs: () => performance.now(),
    });
    this.#hub = new ViewHub({
      ...defaultViewLimits,
      term,
      clock,
      isReachable: (host) => world.hosts.get(host)?.reachable !== false,
      onConverged: (endpoint, state) => this.#converged(endpoint, state),
      onCutOff: (host) => {
        metrics.viewCutOffs.inc();
        log.warn('a host reads its view too slowly and was cut off', { agentId: host });
      },
    });
    this.counters = new FabricCounters(
      () => clock.now(),
      (host, subject) => dropPlace(world, host, subject),
    );
    this.#questions = new HostQuestions({
      clock,
      send: (host, question) => this.#hub.ask(host, question),
    });
    metrics.observe({
      queuedEvents: () => this.#pipeline.queued,
      undurableFrames: () => this.#pipeline.undurable,
      reconcileRemaining: () => world.reconciling.size,
      instances: () => world.instances.size,
      viewLag: () =>
        [...world.hosts.keys()].reduce((sum, host) => sum + (this.#hub.status(host)?.lag ?? 0), 0),
      dropped: () => this.counters.dropSeries(),
      delivered: () => this.counters.delivered,
      pendingEndpoints: () => this.#hub.pendingEndpoints,
      connectedHosts: () => this.#connectedHosts().length,
    });
  }

  /** Puts the restored world into the views and begins to tick. */
  start(): void {
    showEverything(this.world, this.#options.interconnect, this.#hub);
    this.#stopWaking = this.#mandate.onChange(() => this.#pipeline.wake());
    this.#tick();
    this.#tellHosts();
  }

  /**
   * Decides on a change. Resolves when it is durable, or at once when it is refused.
   * @throws PatchpanelError `unavailable` when too much waits already, while nothing may be decided, at a stop and after
   * a failure
   */
  async change(change: Change, request?: ChangeRequest): Promise<ChangeResult> {
    this.#requireRoom();
    const result = await this.#pipeline.submit({
      kind: 'change',
      change,
      ...(request === undefined ? {} : { request }),
    });
    if (result === undefined) throw new PatchpanelError('protocol', `no answer to the change ${change.kind}`);
    return result;
  }

  /** Queues an event of Mesos; resolves when there is room for the next. */
  submit(event: Event): Promise<void> {
    // A rejection means that we are stopping or have failed; both are told elsewhere, and Mesos will repeat itself.
    void this.#pipeline.submit(event).catch(() => undefined);
    return this.#pipeline.room();
  }

  /** Whether tasks of ours are or were to be on the host: others may not tell facts. */
  expectsHost(host: AgentId): boolean {
    return this.world.executors.has(host) || this.world.instancesOfAgent.has(host);
  }

  /**
   * Takes a host's report in; resolves when what it changes is durable.
   * @throws PatchpanelError `unavailable` as change()
   */
  async report(host: AgentId, report: HostReport): Promise<void> {
    this.#requireRoom();
    if (report.facts !== undefined) {
      await this.#pipeline.submit({ kind: 'host-facts', facts: report.facts });
    }
    if (report.applied !== undefined) this.#hub.acknowledge(host, report.applied);
    this.#hub.reportProblem(host, report.problem);
    for (const { slot, epoch } of report.drained ?? []) {
      await this.#pipeline.submit({ kind: 'drained', slotId: slot, epoch, agentId: host });
    }
  }

  /** Begins a host's view stream; call the result when its connection is gone. */
  connectView(host: AgentId, have: ViewVersion | undefined, sink: ViewSink): () => void {
    return this.#hub.connect(host, have, sink);
  }

  hostStatus(host: AgentId): HostStreamStatus | undefined {
    return this.#hub.status(host);
  }

  /** See HostQuestions.ask. */
  askHost(host: AgentId, frame: PathFrame, entrance: Entrance): Promise<HostAnswer> {
    return this.#questions.ask(host, frame, entrance);
  }

  /** A host answers; false when nobody waits for it. */
  answered(host: AgentId, answer: HostAnswer): boolean {
    return this.#questions.answered(host, answer);
  }

  isConnected(host: AgentId): boolean {
    return this.#hub.isConnected(host);
  }

  /** Decides nothing more; resolves when what was decided is durable and has been carried out. */
  async close(): Promise<void> {
    this.#cancelTick?.();
    this.#cancelHosts?.();
    this.#stopWaking?.();
    this.#hub.close();
    await this.#pipeline.close();
  }

  /** For who comes without flow control: nobody is kept waiting for what may take long. */
  #requireRoom(): void {
    if (!this.#mandate.holds()) {
      throw new PatchpanelError(
        'unavailable',
        'ZooKeeper cannot be reached, so nothing can be decided: try again in a moment',
      );
    }
    if (this.#pipeline.full) {
      throw new PatchpanelError('unavailable', 'the scheduler is overloaded: try again in a moment');
    }
  }

  async #commit(writes: readonly RecordWrite[]): Promise<void> {
    const end = this.#options.metrics.commitSeconds.startTimer();
    await this.#options.store.commit(writes);
    end();
    this.#options.metrics.commits.inc();
    this.#options.metrics.records.inc(writes.length);
  }

  #prepare(frame: Frame, event: Event): readonly (() => void)[] {
    const actions = frame.effects.map((effect) => this.#prepareEffect(effect));
    if (event.kind === 'offers') this.#options.mesos.release(event.offers);
    return touchesNetworks(event)
      ? [networksUpdate(this.world, this.#options.interconnect, this.#hub), ...actions]
      : actions;
  }

  #prepareEffect(effect: Effect): () => void {
    switch (effect.kind) {
      case 'fabric-changed':
        return slotsUpdate(this.world, this.#options.interconnect, this.#hub, effect.slots);
      case 'networks-changed':
        return networksUpdate(this.world, this.#options.interconnect, this.#hub);
      case 'host-forgotten':
        return () => {
          this.#hub.forgetHost(effect.agentId);
          this.counters.forgetHost(effect.agentId);
        };
      case 'publish': {
        const { bus, clock, log } = this.#options;
        return () => {
          log.info('event', { type: effect.event.type, ...scalarsOf(effect.event.fields) });
          bus.publish(effect.event, clock.now());
        };
      }
      case 'accept':
      case 'decline':
      case 'accept-inverse':
      case 'decline-inverse':
      case 'shutdown-executor':
      case 'kill':
      case 'acknowledge':
      case 'reconcile':
      case 'revive':
      case 'suppress':
        return this.#options.mesos.prepare(effect);
    }
  }

  /** The world may have moved on since the view that the hosts acknowledged: then this says nothing about it. */
  #converged(endpoint: EndpointKey, state: EndpointState): void {
    const event: Event = { kind: 'converged', slotId: endpoint.slot, epoch: endpoint.epoch };
    const stillTrue = (): boolean => {
      const shown = viewEndpoints(this.world, [endpoint.slot]).get(endpoint.slot) ?? [];
      return shown.some((each) => each.epoch === endpoint.epoch && each.state === state);
    };
    void this.#pipeline.submit(event, stillTrue).catch(() => undefined);
  }

  #connectedHosts(): AgentId[] {
    return [...this.world.hosts.keys()].filter((host) => this.#hub.isConnected(host));
  }

  #tellHosts(): void {
    this.#cancelHosts = this.#options.clock.after(hostsMs, () => {
      void this.submit({ kind: 'hosts-connected', agentIds: this.#connectedHosts() });
      this.#tellHosts();
    });
  }

  /** Once a second; a tick that still waits is not doubled. */
  #tick(): void {
    this.#cancelTick = this.#options.clock.after(tickMs, () => this.#tick());
    if (this.#tickWaits) return;
    this.#tickWaits = true;
    const ticked = this.#pipeline.submit({ kind: 'tick' }).catch(() => undefined);
    void ticked.finally(() => {
      this.#tickWaits = false;
    });
  }
}

/** What one log line tells of an event: not whole plans and definitions. `message` is the line's own. */
function scalarsOf(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const short = Object.entries(fields).filter(([, value]) => typeof value !== 'object');
  return Object.fromEntries(short.map(([name, value]) => [name === 'message' ? 'detail' : name, value]));
}
