import type { AgentId, ExecutorId, OfferId } from '../../src/model/ids.ts';
import { addScalars, fits, subtractScalars } from '../../src/model/resources.ts';
import type { PortRange, Scalars } from '../../src/model/resources.ts';
import type { Launch } from './effects.ts';
import type { Offer } from './events.ts';

/** What is left of one agent's offers while launches take from it. Lives for one frame. */
export interface AgentPool {
  readonly agentId: AgentId;
  readonly offer: Offer;
  readonly offerIds: OfferId[];
  readonly executorIds: Set<ExecutorId>;
  readonly launches: Launch[];
  free: Scalars;
  ports: readonly PortRange[];
  /** Whether a launch of this frame already pays for the executor. */
  executorPaid: boolean;
}

/** One pool for each agent: several offers of one agent are used together. */
export function poolOffers(offers: readonly Offer[]): AgentPool[] {
  const pools = new Map<AgentId, AgentPool>();
  for (const offer of offers) {
    const pool = pools.get(offer.agentId);
    if (pool === undefined) pools.set(offer.agentId, newPool(offer));
    else merge(pool, offer);
  }
  return [...pools.values()];
}

/** Marathon's word for the first resource that does not suffice, or undefined. */
export function shortage(need: Scalars, have: Scalars): string | undefined {
  if (fits(need, have)) return undefined;
  if (need.cpus > have.cpus) return 'InsufficientCpus';
  if (need.mem > have.mem) return 'InsufficientMemory';
  return need.disk > have.disk ? 'InsufficientDisk' : 'InsufficientGpus';
}

/** Takes resources out of a pool that were found to fit. */
export function take(pool: AgentPool, need: Scalars, ports: readonly PortRange[]): void {
  pool.free = subtractScalars(pool.free, need);
  pool.ports = ports;
}

function newPool(offer: Offer): AgentPool {
  return {
    agentId: offer.agentId,
    offer,
    offerIds: [offer.id],
    executorIds: new Set(offer.executorIds),
    launches: [],
    free: offer.scalars,
    ports: offer.ports,
    executorPaid: false,
  };
}

function merge(pool: AgentPool, offer: Offer): void {
  pool.offerIds.push(offer.id);
  for (const id of offer.executorIds) pool.executorIds.add(id);
  pool.free = addScalars(pool.free, offer.scalars);
  pool.ports = [...pool.ports, ...offer.ports];
}
