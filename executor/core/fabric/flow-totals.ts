import { cookieParts } from '../../../src/fabric/cookie.ts';

/** What a flow has counted since it was made. */
export interface CountedFlow {
  /** The same as long as the flow is there, whatever round it is of. */
  readonly identity: string;
  readonly cookie: bigint;
  readonly packets: number;
  readonly bytes: number;
}

export interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** What the flows of one category and object have counted since this object was made; it never shrinks. */
export interface Total extends Count {
  readonly category: number;
  readonly object: number;
}

/** Objects that count are endpoints, addresses, networks and pairs of apps that had traffic. */
const maxTotals = 16_384;
const nothing: Count = { packets: 0, bytes: 0 };

/**
 * Adds up what flows count, while flows come and go and Open vSwitch begins anew.
 * INVARIANTS: a total never shrinks; what was counted before the first look at a source is not ours and is left out;
 * of a flow that goes, what it counted after the last look is lost.
 */
export class FlowTotals {
  /** By source, the flows that the last look saw. */
  readonly #seen = new Map<string, ReadonlyMap<string, Count>>();
  readonly #totals = new Map<string, Total>();

  /** Takes a look at all flows of a source; gives the totals that changed. */
  look(source: string, flows: readonly CountedFlow[]): readonly Total[] {
    const before = this.#seen.get(source);
    const now = new Map<string, Count>();
    const changed = new Map<string, Total>();
    for (const { identity, cookie, packets, bytes } of flows) {
      now.set(identity, { packets, bytes });
      if (before === undefined) continue;
      const more = growth(before.get(identity) ?? nothing, { packets, bytes });
      if (more.packets === 0) continue;
      const total = this.#add(cookie, more);
      changed.set(keyOf(total.category, total.object), total);
    }
    this.#seen.set(source, now);
    return [...changed.values()];
  }

  #add(cookie: bigint, more: Count): Total {
    const { category, object } = cookieParts(cookie);
    const known = this.#totals.get(keyOf(category, object));
    // One that came last, when there are very many, counts for the switch as a whole.
    const owner = known === undefined && this.#totals.size >= maxTotals ? 0 : object;
    const key = keyOf(category, owner);
    const before = this.#totals.get(key) ?? nothing;
    const total: Total = {
      category,
      object: owner,
      packets: before.packets + more.packets,
      bytes: before.bytes + more.bytes,
    };
    this.#totals.set(key, total);
    return total;
  }
}

/** A flow that counts less than before was made anew, or Open vSwitch was: all of it is new. */
const growth = (before: Count, now: Count): Count =>
  now.packets < before.packets
    ? now
    : { packets: now.packets - before.packets, bytes: Math.max(0, now.bytes - before.bytes) };

const keyOf = (category: number, object: number): string => `${category} ${object}`;
