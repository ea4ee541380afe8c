import type { Filters, Offer as OfferMessage, SchedulerCallDecline } from '../../../../proto/mesos.gen.ts';
import { resourcesOf } from './bundle.ts';
import { offerIdAt } from './ids.ts';
import {
  count,
  executorsOf,
  identityFor,
  tell,
  type Agent,
  type Framework,
  type MasterContext,
  type Offer,
} from './master-state.ts';
import { refusalMs } from './offer-filters.ts';
import { rolesOf } from './task-states.ts';
import type { Allocation } from './allocator.ts';

/** Runs one allocation round and sends each framework its offers in one event. */
export function makeOffers(context: MasterContext): void {
  const { allocator, clock, random, state } = context;
  count(state.counters, 'allocation_runs');
  const byFramework = new Map<Framework, OfferMessage[]>();
  for (const allocation of allocator.allocate(clock.now(), random)) {
    const framework = state.frameworks.get(allocation.frameworkId);
    const agent = state.agents.get(allocation.agentId);
    if (framework?.stream === undefined || agent === undefined) {
      allocator.recover(allocation);
      continue;
    }
    const offer = registerOffer(context, framework, agent, allocation);
    byFramework.set(framework, [
      ...(byFramework.get(framework) ?? []),
      offerMessage(framework, agent, offer),
    ]);
  }
  for (const [framework, offers] of byFramework) {
    count(framework.counters, 'offers/sent', offers.length);
    tell(framework, { type: 'OFFERS', offers: { offers } });
  }
}

/** Takes an offer back; its resources are free again, refused by the framework for `filters` if these are given. */
export function removeOffer(context: MasterContext, offer: Offer, filters?: Filters | 'default'): void {
  forgetOffer(context, offer);
  context.allocator.recover(offer, filters === undefined ? undefined : refusedUntil(context, filters));
}

/** Until when a refusal with these filters holds; undefined for none. */
export function refusedUntil(context: MasterContext, filters: Filters | 'default'): number | undefined {
  const seconds = filters === 'default' ? undefined : filters.refuse_seconds;
  const ms = refusalMs(seconds, context.timings.allocationIntervalMs);
  return ms === undefined ? undefined : context.clock.now() + ms;
}

/** The offer is no more; what it held stays allocated and is the caller's to give away. */
export function forgetOffer(context: MasterContext, offer: Offer): void {
  context.state.offers.delete(offer.id);
  context.state.frameworks.get(offer.frameworkId)?.offers.delete(offer.id);
  context.state.agents.get(offer.agentId)?.offers.delete(offer.id);
}

/** Takes all offers of an agent back and says so to the frameworks. */
export function rescindAgentOffers(context: MasterContext, agent: Agent): void {
  for (const id of agent.offers) {
    const offer = context.state.offers.get(id);
    if (offer === undefined) continue;
    const framework = context.state.frameworks.get(offer.frameworkId);
    removeOffer(context, offer);
    if (framework === undefined) continue;
    count(framework.counters, 'offers/rescinded');
    tell(framework, { type: 'RESCIND', rescind: { offer_id: { value: id } } });
  }
}

/** Takes all offers of a framework back without a word: it is away or has subscribed anew. */
export function discardFrameworkOffers(context: MasterContext, framework: Framework): void {
  for (const id of framework.offers) {
    const offer = context.state.offers.get(id);
    if (offer !== undefined) removeOffer(context, offer);
  }
}

/** DECLINE; offers that are no more are left out. */
export function decline(
  context: MasterContext,
  framework: Framework,
  { offer_ids: ids = [], filters }: SchedulerCallDecline,
): void {
  for (const { value: id } of ids) {
    const offer = context.state.offers.get(id);
    if (offer === undefined || offer.frameworkId !== framework.id) continue;
    count(framework.counters, 'offers/declined');
    removeOffer(context, offer, filters ?? 'default');
  }
}

/** REVIVE; an unknown role makes the whole call void. */
export function revive(context: MasterContext, framework: Framework, roles: readonly string[] = []): void {
  const wanted = chosenRoles(framework, roles);
  if (wanted === undefined) return;
  context.allocator.revive(framework.id, wanted);
  context.requestAllocation();
}

/** SUPPRESS; an unknown role makes the whole call void. */
export function suppress(context: MasterContext, framework: Framework, roles: readonly string[] = []): void {
  const wanted = chosenRoles(framework, roles);
  if (wanted !== undefined) context.allocator.suppress(framework.id, wanted);
}

function chosenRoles(framework: Framework, roles: readonly string[]): readonly string[] | undefined {
  const subscribed = rolesOf(framework.info);
  if (roles.length === 0) return subscribed;
  return roles.every((role) => subscribed.includes(role)) ? roles : undefined;
}

function registerOffer(
  context: MasterContext,
  framework: Framework,
  agent: Agent,
  allocation: Allocation,
): Offer {
  const offer: Offer = { ...allocation, id: offerIdAt(context.identity.id, context.state.nextOffer++) };
  context.state.offers.set(offer.id, offer);
  framework.offers.add(offer.id);
  agent.offers.add(offer.id);
  return offer;
}

function offerMessage(framework: Framework, agent: Agent, offer: Offer): OfferMessage {
  const executors = [...executorsOf(agent, framework.id).keys()];
  const { attributes = [], domain } = agent.info;
  return {
    id: { value: offer.id },
    framework_id: { value: framework.id },
    agent_id: { value: agent.id },
    hostname: agent.info.hostname,
    url: {
      scheme: 'http',
      address: { hostname: agent.info.hostname, ip: agent.endpoint.host, port: agent.endpoint.port },
      path: '/slave(1)',
    },
    resources: resourcesOf(offer.resources, identityFor(framework, offer.role)),
    allocation_info: { role: offer.role },
    ...(attributes.length === 0 ? {} : { attributes }),
    ...(executors.length === 0 ? {} : { executor_ids: executors.map((value) => ({ value })) }),
    ...(domain === undefined ? {} : { domain }),
  };
}
