import type { AgentId, ExecutorId, OfferId } from '../../../src/model/ids.ts';
import { addScalars, fits, leastScalars, noScalars, subtractScalars } from '../../../src/model/resources.ts';
import type { PortRange, Scalars } from '../../../src/model/resources.ts';
import type { Launch } from '../effects.ts';
import type { Offer } from '../events.ts';
import { without } from './ports.ts';

/** What is left of one agent's offers while launches take from it. Lives for one frame. */
export interface AgentPool {
  readonly agentId: AgentId;
  readonly offer: Offer;
  readonly offerIds: OfferId[];
  readonly executorIds: Set<ExecutorId>;
  readonly launches: Launch[];
  /** What is reserved for nobody. */
  free: Stock;
  /** What is reserved for our role. */
  reserved: Stock;
  /** Whether a launch of this frame already pays for the executor. */
  executorPaid: boolean;
}

/** An amount of resources. */
export interface Stock {
  readonly scalars: Scalars;
  readonly ports: readonly PortRange[];
}

/** What of an offer an app may use. `any`: what is reserved is used up first. */
export type Accepted = 'any' | 'unreserved' | 'reserved';

const empty: Stock = { scalars: noScalars, ports: [] };

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

/** What there is for who accepts only so much. */
export function stockFor(
  { free, reserved }: Pick<AgentPool, 'free' | 'reserved'>,
  accepted: Accepted,
): Stock {
  if (accepted === 'reserved') return reserved;
  if (accepted === 'unreserved' || reserved === empty) return free;
  return {
    scalars: addScalars(free.scalars, reserved.scalars),
    ports: [...reserved.ports, ...free.ports],
  };
}

/** The pool's stock after scalars were taken of it; below zero when there was not enough. */
export function afterTaking(
  { free, reserved }: Pick<AgentPool, 'free' | 'reserved'>,
  need: Scalars,
  accepted: Accepted,
): Pick<AgentPool, 'free' | 'reserved'> {
  if (reserved === empty && accepted !== 'reserved') {
    return { free: { ...free, scalars: subtractScalars(free.scalars, need) }, reserved };
  }
  const ofReserved =
    accepted === 'unreserved'
      ? noScalars
      : accepted === 'reserved'
        ? need
        : leastScalars(need, reserved.scalars);
  const ofFree = subtractScalars(need, ofReserved);
  return {
    free: { ...free, scalars: subtractScalars(free.scalars, ofFree) },
    reserved: { ...reserved, scalars: subtractScalars(reserved.scalars, ofReserved) },
  };
}

/** Takes ports out of a pool. */
export function takePortsOut(pool: AgentPool, ports: readonly number[]): void {
  for (const port of ports) {
    pool.free = { ...pool.free, ports: without(pool.free.ports, port) };
    if (pool.reserved !== empty) {
      pool.reserved = { ...pool.reserved, ports: without(pool.reserved.ports, port) };
    }
  }
}

function newPool(offer: Offer): AgentPool {
  return {
    agentId: offer.agentId,
    offer,
    offerIds: [offer.id],
    executorIds: new Set(offer.executorIds),
    launches: [],
    free: { scalars: offer.scalars, ports: offer.ports },
    reserved: offer.reserved ?? empty,
    executorPaid: false,
  };
}

function merge(pool: AgentPool, offer: Offer): void {
  pool.offerIds.push(offer.id);
  for (const id of offer.executorIds) pool.executorIds.add(id);
  pool.free = sum(pool.free, offer);
  if (offer.reserved !== undefined) pool.reserved = sum(pool.reserved, offer.reserved);
}

const sum = (one: Stock, other: Stock): Stock => ({
  scalars: addScalars(one.scalars, other.scalars),
  ports: [...one.ports, ...other.ports],
});
