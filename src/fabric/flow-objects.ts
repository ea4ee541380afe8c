import { objectNumber } from './cookie.ts';
import { diffFlows } from './flow.ts';
import type { Flow, FlowDiff } from './flow.ts';
import type { ObjectKey } from './object-key.ts';

type Bucket = ReadonlyMap<ObjectKey, readonly Flow[]>;

/** Some 80 groups in each with 40,000 in all. */
const bucketCount = 512;
const emptyBucket: Bucket = new Map();

/**
 * The flows of a switch by the object that they belong to. Never changed: `with` gives another one that shares what
 * stays, so that a change, and finding out what changed, costs little whatever the number of objects is.
 * INVARIANT: over all objects, no two flows have the same table, priority and match, as long as the view is valid.
 */
export class FlowObjects {
  readonly #buckets: readonly Bucket[];

  private constructor(buckets: readonly Bucket[]) {
    this.#buckets = buckets;
  }

  /** The groups of these entries; the last one of a key counts. */
  static of(entries: Iterable<readonly [ObjectKey, readonly Flow[]]>): FlowObjects {
    return new FlowObjects(Array.from({ length: bucketCount }, () => emptyBucket)).with(entries);
  }

  get(key: ObjectKey): readonly Flow[] | undefined {
    return this.#buckets[bucketOf(key)]?.get(key);
  }

  *keys(): Iterable<ObjectKey> {
    for (const bucket of this.#buckets) yield* bucket.keys();
  }

  /** The flows of all objects. */
  all(): Flow[] {
    const flows: Flow[] = [];
    for (const bucket of this.#buckets) for (const group of bucket.values()) flows.push(...group);
    return flows;
  }

  /** The same with other groups for these keys; undefined removes one. */
  with(changes: Iterable<readonly [ObjectKey, readonly Flow[] | undefined]>): FlowObjects {
    const buckets = [...this.#buckets];
    const own = new Map<number, Map<ObjectKey, readonly Flow[]>>();
    for (const [key, group] of changes) {
      const number = bucketOf(key);
      let bucket = own.get(number);
      if (bucket === undefined) {
        bucket = new Map(buckets[number]);
        own.set(number, bucket);
        buckets[number] = bucket;
      }
      if (group === undefined) bucket.delete(key);
      else bucket.set(key, group);
    }
    return new FlowObjects(buckets);
  }

  /** What turns these flows into those of `after`; looks only at groups that are not the same array. */
  diff(after: FlowObjects): FlowDiff {
    const old: Flow[] = [];
    const now: Flow[] = [];
    for (let number = 0; number < bucketCount; number += 1) {
      const [mine, theirs] = [this.#buckets[number], after.#buckets[number]];
      if (mine === theirs || mine === undefined || theirs === undefined) continue;
      for (const [key, group] of mine) if (theirs.get(key) !== group) old.push(...group);
      for (const [key, group] of theirs) if (mine.get(key) !== group) now.push(...group);
    }
    return diffFlows(old, now);
  }
}

const bucketOf = (key: ObjectKey): number => objectNumber(key) % bucketCount;
