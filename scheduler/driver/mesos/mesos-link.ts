import type {
  InverseOffer as MesosInverseOffer,
  Offer as MesosOffer,
  Resource,
  SchedulerEventFailure,
  SchedulerEventMessage,
} from '../../../proto/mesos.gen.ts';
import type { CallOutcome } from '../../../src/mesos/call-queue.ts';
import * as calls from '../../../src/mesos/calls.ts';
import type { MasterCall } from '../../../src/mesos/calls.ts';
import type { MasterEvent } from '../../../src/mesos/events.ts';
import { agentId, executorId, frameworkId, offerId, type OfferId } from '../../../src/model/ids.ts';
import { noScalars } from '../../../src/model/resources.ts';
import { take, withoutDefaultRoles } from '../../../src/mesos/resources.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import type { Effect, PublishedEvent } from '../../core/effects.ts';
import type { Event, Offer } from '../../core/events.ts';
import type { SchedulerMetrics } from '../metrics.ts';
import { offerOf } from './offers.ts';
import { statusOf } from './statuses.ts';
import { taskInfos, type PreparedLaunch } from './task-info.ts';

/** The effects that become calls to Mesos. */
export type MesosEffect = Exclude<
  Effect,
  { kind: 'fabric-changed' | 'networks-changed' | 'host-forgotten' | 'publish' }
>;

export interface MesosLinkOptions {
  /** Sends a call after all earlier ones; never rejects for what the network does. */
  readonly call: (call: MasterCall) => Promise<CallOutcome>;
  /** Hands an event to the core; resolves when there is room for the next. */
  readonly submit: (event: Event) => Promise<void>;
  /** Tells observers what there is nothing to decide about. */
  readonly publish: (event: PublishedEvent) => void;
  /** What the shell looks up for a launch, while the world is as the frame left it. */
  readonly prepareLaunch: (launch: (Effect & { kind: 'accept' })['launches'][number]) => PreparedLaunch;
  /** Told after each SUBSCRIBED. */
  readonly onSubscribed: () => void;
  readonly log: Logger;
  readonly metrics: SchedulerMetrics;
}

/** What is known of an offer besides what the core is told. */
interface HeldOffer {
  readonly resources: readonly Resource[];
  readonly executorIds: readonly string[];
}

/**
 * Calls that may be on their way before reading events pauses. Calls leave one after another, so events (each status
 * is a call) could otherwise come faster than they are answered.
 */
const maxOutstandingCalls = 1_000;

/** A longer message of an executor is not told: observers that come back are kept the last thousand events. */
const maxMessageBytes = 16 * 1024;

/** What an ACCEPT leaves of its offers may be offered again at once. */
const acceptRefuseSeconds = 0;

/**
 * Translates between Mesos and the core: events in, calls out.
 * INVARIANT: an offer's resources are held from its arrival until the core has answered it, which is in the very
 * frame of its event.
 */
export class MesosLink {
  readonly #options: MesosLinkOptions;
  readonly #held = new Map<OfferId, HeldOffer>();
  #outstanding = 0;
  #resume: (() => void) | undefined;

  constructor(options: MesosLinkOptions) {
    this.#options = options;
  }

  /** Takes an event of the subscription; resolves when the next may come. */
  async onEvent(event: MasterEvent): Promise<void> {
    await this.#handle(event);
    if (this.#outstanding > maxOutstandingCalls) {
      await new Promise<void>((resolve) => (this.#resume = resolve));
    }
  }

  async #handle(event: MasterEvent): Promise<void> {
    const { log, submit, metrics } = this.#options;
    switch (event.type) {
      case 'SUBSCRIBED': {
        const id = event.subscribed.framework_id.value;
        log.info('subscribed to Mesos', { frameworkId: id, master: event.subscribed.master_info?.hostname });
        metrics.subscribed.set(1);
        await submit({ kind: 'subscribed', frameworkId: frameworkId(id) });
        return this.#options.onSubscribed();
      }
      case 'OFFERS':
        return this.#onOffers(event.offers.offers ?? []);
      case 'UPDATE': {
        const status = statusOf(event.update.status);
        metrics.statusUpdates.inc({ condition: status.condition });
        return submit({ kind: 'status', status });
      }
      case 'FAILURE':
        return this.#onFailure(event.failure);
      case 'ERROR':
        log.error('Mesos ended the subscription', { message: event.error.message });
        return;
      case 'MESSAGE':
        return this.#onMessage(event.message);
      case 'RESCIND':
        // Offers are answered as they come: one that was rescinded meanwhile is dropped by Mesos, and told.
        log.debug('an offer was rescinded', { offerId: event.rescind.offer_id.value });
        return;
      case 'INVERSE_OFFERS':
        return this.#onInverseOffers(event.inverse_offers.inverse_offers ?? []);
      case 'RESCIND_INVERSE_OFFER':
      case 'HEARTBEAT':
        return;
    }
  }

  /** The subscription is gone until the next SUBSCRIBED. */
  async onDisconnected(reason: string): Promise<void> {
    this.#options.log.warn('disconnected from Mesos', { reason });
    this.#options.metrics.subscribed.set(0);
    await this.#options.submit({ kind: 'disconnected' });
  }

  /** Reads what the effect needs; the result sends the call once the effect may leave. */
  prepare(effect: MesosEffect): () => void {
    switch (effect.kind) {
      case 'accept':
        return this.#prepareAccept(effect);
      case 'decline':
        return this.#sender(calls.decline(effect.offerIds, effect.refuseSeconds));
      case 'accept-inverse':
        return this.#sender(calls.acceptInverseOffers(effect.offerIds));
      case 'decline-inverse':
        return this.#sender(calls.declineInverseOffers(effect.offerIds, effect.refuseSeconds));
      case 'shutdown-executor':
        return this.#sender(calls.shutdown(effect.executorId, effect.agentId));
      case 'kill':
        return this.#sender(calls.kill(effect.taskId, effect.agentId, effect.graceMs));
      case 'acknowledge':
        return this.#sender(calls.acknowledge(effect.taskId, effect.agentId, effect.uuid));
      case 'reconcile':
        return this.#sender(calls.reconcile(effect.tasks));
      case 'revive':
        return this.#sender(calls.revive());
      case 'suppress':
        return this.#sender(calls.suppress());
    }
  }

  /**
   * What an executor gets of these offers, reserved resources first.
   * @throws PatchpanelError `conflict` when they do not hold that much
   */
  takeForExecutor(
    need: { readonly cpus: number; readonly mem: number },
    offers: readonly OfferId[],
  ): readonly Resource[] {
    const resources = offers.flatMap((id) => this.#held.get(id)?.resources ?? []);
    const division = take(resources, { scalars: { ...noScalars, ...need }, ports: [] });
    if (division !== undefined) return division.taken;
    throw new PatchpanelError('conflict', `the offers ${offers.join(', ')} have no room for an executor`);
  }

  /** The core has answered these offers: nothing of them is needed any more. */
  release(offers: readonly Offer[]): void {
    for (const offer of offers) this.#held.delete(offer.id);
  }

  async #onOffers(offers: readonly MesosOffer[]): Promise<void> {
    const inOurWords = offers.map((offer) => {
      const ours = offerOf(offer);
      const resources = withoutDefaultRoles(offer.resources ?? []);
      this.#held.set(ours.id, { resources, executorIds: ours.executorIds });
      return ours;
    });
    this.#options.metrics.offers.inc(offers.length);
    await this.#options.submit({ kind: 'offers', offers: inOurWords });
  }

  async #onInverseOffers(offers: readonly MesosInverseOffer[]): Promise<void> {
    this.#options.log.info('Mesos announces maintenance', {
      agents: offers.flatMap((offer) => offer.agent_id?.value ?? []),
    });
    await this.#options.submit({
      kind: 'inverse-offers',
      inverseOffers: offers.map((offer) => ({
        id: offerId(offer.id.value),
        ...(offer.agent_id === undefined ? {} : { agentId: agentId(offer.agent_id.value) }),
      })),
    });
  }

  async #onFailure({ agent_id, executor_id, status }: SchedulerEventFailure): Promise<void> {
    if (agent_id === undefined) return;
    const agent = agentId(agent_id.value);
    if (executor_id === undefined) {
      this.#options.log.warn('Mesos lost an agent', { agentId: agent });
      return this.#options.submit({ kind: 'agent-lost', agentId: agent });
    }
    const executor = executorId(executor_id.value);
    this.#options.log.warn('an executor ended', { agentId: agent, executorId: executor, status });
    return this.#options.submit({ kind: 'executor-lost', agentId: agent, executorId: executor });
  }

  /** Our own executor sends none; what others send is for observers, in base64 as Marathon documents it. */
  #onMessage({ agent_id, executor_id, data }: SchedulerEventMessage): void {
    const [slaveId, executor] = [agent_id.value, executor_id.value];
    if (data.length > maxMessageBytes) {
      const facts = { agentId: slaveId, executorId: executor, bytes: data.length, maxMessageBytes };
      this.#options.log.warn('a message of an executor is too long for the event stream', facts);
      return;
    }
    const message = Buffer.from(data).toString('base64');
    this.#options.publish({
      type: 'framework_message_event',
      fields: { executorId: executor, slaveId, message },
    });
  }

  #prepareAccept(effect: MesosEffect & { kind: 'accept' }): () => void {
    const held = effect.offerIds.flatMap((id) => this.#held.get(id) ?? []);
    const prepared = effect.launches.map(this.#options.prepareLaunch);
    return () => this.#accept(effect, held, prepared);
  }

  #accept(
    effect: MesosEffect & { kind: 'accept' },
    held: readonly HeldOffer[],
    prepared: readonly PreparedLaunch[],
  ): void {
    const infos = taskInfos(
      prepared,
      held.flatMap((offer) => offer.resources),
      new Set(held.flatMap((offer) => offer.executorIds)),
    );
    if (infos === undefined) {
      this.#options.log.error('the offers do not hold what was decided on them', { agentId: effect.agentId });
      this.#send(calls.decline(effect.offerIds, acceptRefuseSeconds));
      return this.#launchUnknown(effect);
    }
    this.#options.metrics.launches.inc(effect.launches.length);
    this.#send(calls.accept(effect.offerIds, infos, acceptRefuseSeconds), () => this.#launchUnknown(effect));
  }

  #launchUnknown(effect: MesosEffect & { kind: 'accept' }): void {
    const taskIds = effect.launches.map(({ instance }) => instance.taskId);
    this.#options.log.warn('a launch may not have reached Mesos', { agentId: effect.agentId, taskIds });
    void this.#options.submit({ kind: 'launch-unknown', taskIds });
  }

  #sender(call: MasterCall): () => void {
    return () => this.#send(call);
  }

  /** Calls other than ACCEPT need no answer: what they are for is repeated until an event tells that it is done. */
  #send(call: MasterCall, onFailed?: () => void): void {
    const { log } = this.#options;
    const settle = async (): Promise<void> => {
      this.#outstanding += 1;
      try {
        const outcome = await this.#options.call(call);
        if (outcome.kind !== 'accepted') onFailed?.();
      } catch (error) {
        log.error('a call does not fit the protocol', { call: call.type, error });
        onFailed?.();
      }
      this.#outstanding -= 1;
      if (this.#outstanding <= maxOutstandingCalls / 2) this.#resume?.();
    };
    void settle();
  }
}
