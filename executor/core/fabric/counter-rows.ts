import { objectNumber, partsOfCategory } from '../../../src/fabric/cookie.ts';
import type { DropCount, HostCounters, TrafficCount } from '../../../src/fabric/counters.ts';
import type { ObjectKey } from '../../../src/fabric/object-key.ts';
import { pairNumber, type AppPair } from '../../../src/fabric/traffic.ts';
import type { Total } from './flow-totals.ts';

/** What the numbers in cookies stand for, as the switch is programmed now. */
export interface CountedObjects {
  readonly keys: Iterable<ObjectKey>;
  readonly pairs: Iterable<AppPair>;
}

/** Rows of one message; what is more goes with the next. */
const maxRows = 4_096;

/**
 * What there is to tell of totals, under their names.
 * INVARIANTS: a row waits until it was sent; what has no name any more is told under the one that it had.
 */
export class CounterRows {
  readonly #drops = new Map<string, DropCount>();
  readonly #traffic = new Map<string, TrafficCount>();
  readonly #waiting = new Set<string>();

  /** Takes totals that changed. `objects` is asked only when one of them is new. */
  take(totals: readonly Total[], objects: () => CountedObjects): void {
    let names: Names | undefined;
    for (const total of totals) {
      const key = `${total.category} ${total.object}`;
      const { packets, bytes } = total;
      const { dropReason, purpose } = partsOfCategory(total.category);
      if (dropReason !== undefined) {
        const known = this.#drops.get(key)?.subject;
        const subject = known ?? (names ??= namesOf(objects())).keys.get(total.object) ?? 'base';
        this.#drops.set(key, { reason: dropReason, subject, packets, bytes });
      } else if (purpose === 'traffic') {
        const pair = this.#traffic.get(key) ?? (names ??= namesOf(objects())).pairs.get(total.object);
        if (pair === undefined) continue;
        this.#traffic.set(key, { from: pair.from, to: pair.to, packets, bytes });
      }
      this.#waiting.add(key);
    }
  }

  /** Somebody else listens now, who knows nothing yet. */
  tellAll(): void {
    for (const key of [...this.#drops.keys(), ...this.#traffic.keys()]) this.#waiting.add(key);
  }

  /** The rows of the next message, and what to call once it was taken; undefined when there are none. */
  next(): { readonly rows: Omit<HostCounters, 'origin'>; readonly sent: () => void } | undefined {
    const keys = [...this.#waiting].slice(0, maxRows);
    if (keys.length === 0) return undefined;
    const rows = {
      drops: keys.flatMap((key) => this.#drops.get(key) ?? []),
      traffic: keys.flatMap((key) => this.#traffic.get(key) ?? []),
    };
    return { rows, sent: () => keys.forEach((key) => this.#waiting.delete(key)) };
  }
}

interface Names {
  readonly keys: ReadonlyMap<number, ObjectKey>;
  readonly pairs: ReadonlyMap<number, AppPair>;
}

function namesOf({ keys, pairs }: CountedObjects): Names {
  return {
    keys: new Map(Array.from(keys, (key) => [objectNumber(key), key])),
    pairs: new Map(Array.from(pairs, (pair) => [pairNumber(pair), pair])),
  };
}
