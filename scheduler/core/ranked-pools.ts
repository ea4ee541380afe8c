import type { AgentPool } from './offer-pool.ts';

interface Ranked {
  readonly pool: AgentPool;
  /** Instances of the app there. */
  readonly count: number;
  readonly cpus: number;
  readonly mem: number;
}

/**
 * The pools in the order in which an app prefers them: fewest instances of the app first, then the most free cpus
 * and memory. A binary heap; a pool is ranked anew when it is given back, and when other apps took from it since.
 */
export class RankedPools {
  readonly #heap: Ranked[] = [];
  readonly #countOn: (pool: AgentPool) => number;

  constructor(pools: readonly AgentPool[], countOn: (pool: AgentPool) => number) {
    this.#countOn = countOn;
    for (const pool of pools) this.giveBack(pool);
  }

  giveBack(pool: AgentPool): void {
    this.#push({ pool, count: this.#countOn(pool), cpus: pool.free.cpus, mem: pool.free.mem });
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
      if (above === undefined || !isBetter(entry, above)) break;
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
      if (below === undefined || !isBetter(below, last)) return top;
      heap[index] = below;
      heap[child] = last;
      index = child;
    }
  }

  #bestChild(index: number): number {
    const left = 2 * index + 1;
    const one = this.#heap[left];
    const other = this.#heap[left + 1];
    return one !== undefined && other !== undefined && isBetter(other, one) ? left + 1 : left;
  }
}

const isCurrent = ({ pool, cpus, mem }: Ranked): boolean => pool.free.cpus === cpus && pool.free.mem === mem;

function isBetter(a: Ranked, b: Ranked): boolean {
  if (a.count !== b.count) return a.count < b.count;
  return a.cpus === b.cpus ? a.mem > b.mem : a.cpus > b.cpus;
}
