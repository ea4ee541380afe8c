import type { Constraint } from '../../../src/model/app.ts';
import { fullMatcher } from '../../../src/model/full-match.ts';

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

/** What one constraint has to count. */
interface Tally {
  readonly constraint: Constraint;
  /** The slots that use each value. */
  readonly used: Map<string, string[]>;
  /** GROUP_BY: the values that there are, used or not. */
  readonly known: ReadonlySet<string>;
}

/**
 * An app's constraints over the places that its instances have, kept up to date launch by launch. Counts by value,
 * so that a question costs the constraints, not the instances.
 */
export class ConstraintContext {
  readonly #tallies: readonly Tally[];

  /** @param places every place that is known to offer something: the groups that GROUP_BY fills */
  constructor(constraints: readonly Constraint[], occupied: readonly Occupied[], places: Iterable<Place>) {
    this.#tallies = constraints.map((constraint) => ({ constraint, used: new Map(), known: new Set() }));
    if (constraints.some(({ operator }) => operator === 'GROUP_BY'))
      this.#tallies = withGroups(this.#tallies, places);
    for (const one of occupied) this.add(one);
  }

  /** An instance was placed. */
  add({ place, slotId }: Occupied): void {
    for (const { constraint, used } of this.#tallies) {
      const value = valueOf(constraint.field, place);
      if (value === undefined) continue;
      const slots = used.get(value);
      if (slots === undefined) used.set(value, [slotId]);
      else slots.push(slotId);
    }
  }

  /** True when an instance for the slot may go there. The slot's own incarnations do not count: it replaces them. */
  allows(place: Place, slotId: string): boolean {
    return this.#tallies.every(({ constraint, used, known }) => {
      const value = valueOf(constraint.field, place);
      if (value === undefined) return constraint.operator === 'UNLIKE';
      return isMet(constraint, value, countsWithout(used, slotId), known);
    });
  }
}

/** Groups in places that another constraint rules out for ever are none: nobody could fill them. */
function withGroups(tallies: readonly Tally[], places: Iterable<Place>): readonly Tally[] {
  const fixed = tallies.map(({ constraint }) => constraint).filter(isFixed);
  const candidates = [...places].filter((place) =>
    fixed.every((constraint) => isMetAnywhere(constraint, place)),
  );
  return tallies.map((tally) => {
    const { field, operator } = tally.constraint;
    if (operator !== 'GROUP_BY') return tally;
    return { ...tally, known: new Set(candidates.flatMap((place) => valueOf(field, place) ?? [])) };
  });
}

/** Whether a constraint depends on the place alone, not on where instances are. */
const isFixed = ({ operator, value }: Constraint): boolean =>
  operator === 'LIKE' ||
  operator === 'UNLIKE' ||
  operator === 'IS' ||
  (operator === 'CLUSTER' && !isBlank(value));

function isMetAnywhere(constraint: Constraint, place: Place): boolean {
  const value = valueOf(constraint.field, place);
  if (value === undefined) return constraint.operator === 'UNLIKE';
  return isMet(constraint, value, noCounts, new Set());
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
  /** The values that are used at all. */
  readonly values: () => string[];
}

const noCounts: Counts = { of: () => 0, values: () => [] };

function countsWithout(used: ReadonlyMap<string, readonly string[]>, slotId: string): Counts {
  const of = (value: string): number =>
    (used.get(value) ?? []).reduce((sum, slot) => (slot === slotId ? sum : sum + 1), 0);
  return { of, values: () => [...used.keys()].filter((value) => of(value) > 0) };
}

function isMet(constraint: Constraint, value: string, counts: Counts, known: ReadonlySet<string>): boolean {
  const { operator, value: wanted = '' } = constraint;
  switch (operator) {
    case 'UNIQUE':
      return counts.of(value) === 0;
    case 'MAX_PER':
      return counts.of(value) < Number(wanted);
    case 'IS':
      return isSame(wanted, value);
    case 'CLUSTER':
      return isBlank(wanted) ? counts.of(value) > 0 || counts.values().length === 0 : value === wanted;
    case 'LIKE':
      return matcherOf(constraint)(value);
    case 'UNLIKE':
      return !matcherOf(constraint)(value);
    case 'GROUP_BY':
      return balances(value, Number(wanted), counts, known);
  }
}

const isBlank = (value: string | undefined): boolean => value === undefined || value === '';

/** Numbers are the same when their values are: `2` and `2.0`. */
const isSame = (wanted: string, value: string): boolean =>
  wanted === value || (isNumber(wanted) && isNumber(value) && Number(wanted) === Number(value));

const isNumber = (text: string): boolean => /^-?\d+(\.\d+)?$/.test(text);

/**
 * No group gets ahead: one may take an instance when none has fewer. As long as fewer groups are known than the app
 * expects, the others count as empty. A group is known before it has an instance, so that the first is not filled up
 * while the others are there.
 */
function balances(value: string, expected: number, counts: Counts, known: ReadonlySet<string>): boolean {
  const own = counts.of(value);
  if (own === 0) return true;
  const groups = new Set([...known, ...counts.values()]);
  if (groups.size < expected) return false;
  for (const group of groups) if (counts.of(group) < own) return false;
  return true;
}

const matchers = new WeakMap<Constraint, (text: string) => boolean>();

/** Expressions were checked when the app came in; one that an earlier version took and this one does not matches nothing. */
function matcherOf(constraint: Constraint): (text: string) => boolean {
  const known = matchers.get(constraint);
  if (known !== undefined) return known;
  const matcher = fullMatcher(constraint.value ?? '') ?? (() => false);
  matchers.set(constraint, matcher);
  return matcher;
}
