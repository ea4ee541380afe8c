import type { Constraint } from '../../src/model/app.ts';

/** What of an agent constraints speak of. */
export interface Place {
  readonly hostname: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly region?: string;
  readonly zone?: string;
}

/** A place where an instance of the app is, and the slot of it. */
export interface Occupied {
  readonly place: Place;
  readonly slotId: string;
}

/**
 * An app's constraints over the places that its instances have, kept up to date launch by launch. Counts by value,
 * so that a question costs the constraints, not the instances.
 */
export class ConstraintContext {
  readonly #constraints: readonly Constraint[];
  /** For each constraint: how often each value is used, and by which slots. */
  readonly #used: Map<string, string[]>[];

  constructor(constraints: readonly Constraint[], occupied: readonly Occupied[]) {
    this.#constraints = constraints;
    this.#used = constraints.map(() => new Map<string, string[]>());
    for (const one of occupied) this.add(one);
  }

  /** An instance was placed. */
  add({ place, slotId }: Occupied): void {
    for (const [index, constraint] of this.#constraints.entries()) {
      const value = valueOf(constraint.field, place);
      const used = this.#used[index];
      if (value === undefined || used === undefined) continue;
      const slots = used.get(value);
      if (slots === undefined) used.set(value, [slotId]);
      else slots.push(slotId);
    }
  }

  /** True when an instance for the slot may go there. The slot's own incarnations do not count: it replaces them. */
  allows(place: Place, slotId: string): boolean {
    return this.#constraints.every((constraint, index) => {
      const value = valueOf(constraint.field, place);
      if (value === undefined) return constraint.operator === 'UNLIKE';
      return isMet(constraint, value, countsWithout(this.#used[index] ?? new Map(), slotId));
    });
  }
}

/** The value that a constraint's field has at a place, if it has one. */
export function valueOf(field: string, place: Place): string | undefined {
  switch (field) {
    case 'hostname':
    case '@hostname':
      return place.hostname;
    case '@region':
      return place.region;
    case '@zone':
      return place.zone;
    default:
      return place.attributes[field];
  }
}

interface Counts {
  readonly of: (value: string) => number;
  /** Counts of the values that are used at all. */
  readonly all: () => number[];
}

function countsWithout(used: ReadonlyMap<string, readonly string[]>, slotId: string): Counts {
  const count = (slots: readonly string[]): number =>
    slots.reduce((sum, slot) => (slot === slotId ? sum : sum + 1), 0);
  return {
    of: (value) => count(used.get(value) ?? []),
    all: () => [...used.values()].map(count).filter((n) => n > 0),
  };
}

function isMet({ operator, value: wanted }: Constraint, value: string, counts: Counts): boolean {
  switch (operator) {
    case 'UNIQUE':
      return counts.of(value) === 0;
    case 'MAX_PER':
      return counts.of(value) < Number(wanted ?? 1);
    case 'IS':
      return value === wanted;
    case 'CLUSTER':
      return wanted === undefined || wanted === ''
        ? counts.of(value) > 0 || counts.all().length === 0
        : value === wanted;
    case 'LIKE':
      return fullMatch(wanted ?? '', value);
    case 'UNLIKE':
      return !fullMatch(wanted ?? '', value);
    case 'GROUP_BY':
      return balances(value, Number(wanted ?? 0), counts);
  }
}

/** A new group is always good; a used one when enough groups are known and it has the fewest. */
function balances(value: string, minimumGroups: number, counts: Counts): boolean {
  const own = counts.of(value);
  if (own === 0) return true;
  const all = counts.all();
  return all.length >= minimumGroups && own === Math.min(...all);
}

/** Expressions were checked when the app came in; one that no engine takes matches nothing. */
function fullMatch(expression: string, value: string): boolean {
  try {
    return new RegExp(`^(?:${expression})$`, 'u').test(value);
  } catch {
    return false;
  }
}
