import type { Placement } from '../../../src/model/placement.ts';
import { stockFor } from './offer-pool.ts';
import type { AgentPool } from './offer-pool.ts';

interface Ranked {
  readonly pool: AgentPool;
  /** Instances of the app there. */
  readonly count: number;
  readonly cpus: number;
  readonly mem: number;
}

/**
 * The pools in the order in which an app prefers them. spread: fewest instances of the app first, then the most free
 * cpus and memory. binpack: the least free cpus and memory first. A binary heap; a pool is ranked anew when it is given
 * back, and when other apps took from it since.
 */
export class RankedPools {
  readonly #heap: Ranked[] = [];
  readonly #countOn: (pool: AgentPool) => number;

  readonly #isBetter: (a: Ranked, b: Ranked) => boolean;

  constructor(pools: readonly AgentPool[], placement: Placement, countOn: (pool: AgentPool) => number) {
    this.#countOn = countOn;
    this.#isBetter = orders[placement];
    for (const pool of pools) this.giveBack(pool);
  }

  giveBack(pool: AgentPool): void {
    const { cpus, mem } = roomOf(pool);
    this.#push({ pool, count: this.#countOn(pool), cpus, mem });
  }

  /** Takes the best pool out, or undefined when there is none left. */
  take(): AgentPool | undefined {
    for (;;) {
      const best = this.#pop();
      if (best === undefined || isCurrent(best)) return best?.pool;
      this.giveBack(best.pool);
    }
  }

  #push(entry: Ranked): void {
    const heap = this.#heap;
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !this.#isBetter(entry, above)) break;
      heap[index] = above;
      heap[parent] = entry;
      index = parent;
    }
  }

  #pop(): Ranked | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    heap[0] = last;
    let index = 0;
    for (;;) {
      const child = this.#bestChild(index);
      const below = heap[child];
      if (below === undefined || !this.#isBetter(below, last)) return top;
      heap[index] = below;
      heap[child] = last;
      index = child;
    }
  }

  #bestChild(index: number): number {
    const left = 2 * index + 1;
    const one = this.#heap[left];
    const other = this.#heap[left + 1];
    return one !== undefined && other !== undefined && this.#isBetter(other, one) ? left + 1 : left;
  }
}

const roomOf = (pool: AgentPool): Pick<Ranked, 'cpus' | 'mem'> => stockFor(pool, 'any').scalars;

function isCurrent({ pool, cpus, mem }: Ranked): boolean {
  const room = roomOf(pool);
  return room.cpus === cpus && room.mem === mem;
}

const hasMoreRoom = (a: Ranked, b: Ranked): boolean => (a.cpus === b.cpus ? a.mem > b.mem : a.cpus > b.cpus);

const orders: Readonly<Record<Placement, (a: Ranked, b: Ranked) => boolean>> = {
  spread: (a, b) => (a.count === b.count ? hasMoreRoom(a, b) : a.count < b.count),
  binpack: (a, b) => hasMoreRoom(b, a),
};
