import type { ViewDelta } from '../../../src/fabric/view.ts';
import { deltaWeight } from './host-view.ts';

export interface DeltaLogLimits {
  readonly maxDeltas: number;
  /** Entries (endpoints, hosts) of all deltas together. */
  readonly maxWeight: number;
}

/**
 * The newest deltas of one host's view, for a host that comes back with an older version.
 * INVARIANT: the deltas follow on each other without a gap, and the log stays within its limits.
 */
export class DeltaLog {
  readonly #limits: DeltaLogLimits;
  #deltas: ViewDelta[] = [];
  #weight = 0;
  /** The version that the newest delta leads to; where the log begins when it is empty. */
  #newest: number;

  constructor(start: number, limits: DeltaLogLimits) {
    this.#newest = start;
    this.#limits = limits;
  }

  /** The host's view is at this n when it has taken everything. */
  get newest(): number {
    return this.#newest;
  }

  append(delta: ViewDelta): void {
    this.#deltas.push(delta);
    this.#weight += deltaWeight(delta);
    this.#newest = delta.to.n;
    while (this.#deltas.length > this.#limits.maxDeltas || this.#weight > this.#limits.maxWeight) {
      const oldest = this.#deltas.shift();
      if (oldest === undefined) break;
      this.#weight -= deltaWeight(oldest);
    }
  }

  /** Forgets everything: the host gets a snapshot of version n. */
  restart(n: number): void {
    this.#deltas = [];
    this.#weight = 0;
    this.#newest = n;
  }

  /** The deltas that lead from version n to the newest, or undefined when they are no longer all there. */
  since(n: number): readonly ViewDelta[] | undefined {
    if (n === this.#newest) return [];
    const start = this.#deltas.findIndex((delta) => delta.from.n === n);
    return start < 0 ? undefined : this.#deltas.slice(start);
  }

  /** How many deltas the host still has to take when it has taken version n. */
  countAfter(n: number): number {
    return this.#deltas.filter((delta) => delta.to.n > n).length;
  }
}
