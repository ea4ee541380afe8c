import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ConstraintContext, type Occupied, type Place } from '../../scheduler/core/offers/constraints.ts';
import type { Constraint } from '../../src/model/app.ts';

const value = fc.constantFrom('a', 'b', 'c', '1', '1.0');
const place: fc.Arbitrary<Place> = fc.record(
  {
    hostname: fc.constantFrom('h1', 'h2', 'h3'),
    attributes: fc.dictionary(fc.constantFrom('rack', 'disk'), value, { maxKeys: 2 }),
    region: value,
    zone: value,
  },
  { requiredKeys: ['hostname', 'attributes'] },
);
const field = fc.constantFrom('hostname', '@hostname', '@region', '@zone', 'rack', 'disk');
const constraint: fc.Arbitrary<Constraint> = fc.oneof(
  fc.record({ field, operator: fc.constant('UNIQUE' as const) }),
  fc.record({ field, operator: fc.constant('MAX_PER' as const), value: fc.constantFrom('1', '2', '3') }),
  fc.record(
    { field, operator: fc.constant('GROUP_BY' as const), value: fc.constantFrom('1', '2', '4') },
    { requiredKeys: ['field', 'operator'] },
  ),
  fc.record(
    { field, operator: fc.constant('CLUSTER' as const), value },
    { requiredKeys: ['field', 'operator'] },
  ),
  fc.record({ field, operator: fc.constant('IS' as const), value }),
  fc.record({
    field,
    operator: fc.constantFrom('LIKE' as const, 'UNLIKE' as const),
    value: fc.constantFrom('[ab]', 'h[12]', '.*', '1'),
  }),
);
const constraints = fc.array(constraint, { maxLength: 3 });
const places = fc.array(place, { maxLength: 6 });
const occupied = fc.array(fc.record({ place, slotId: fc.constantFrom('s1', 's2', 's3') }), { maxLength: 8 });

/** What a constraint speaks of, said as simply as can be and without any index. */
function fieldAt(where: Place, name: string): string | undefined {
  if (name === 'hostname' || name === '@hostname') return where.hostname;
  if (name === '@region') return where.region;
  if (name === '@zone') return where.zone;
  return where.attributes[name];
}

const placeAlone = (one: Constraint): boolean =>
  ['IS', 'LIKE', 'UNLIKE'].includes(one.operator) || (one.operator === 'CLUSTER' && one.value !== undefined);

function oracle(
  all: readonly Constraint[],
  known: readonly Place[],
  others: readonly Place[],
  at: Place,
): boolean {
  return all.every((one) => meets(one, all, known, others, at));
}

function meets(
  one: Constraint,
  all: readonly Constraint[],
  known: readonly Place[],
  others: readonly Place[],
  at: Place,
): boolean {
  const here = fieldAt(at, one.field);
  if (here === undefined) return one.operator === 'UNLIKE';
  const used = others.flatMap((other) => fieldAt(other, one.field) ?? []);
  const count = (text: string) => used.filter((each) => each === text).length;
  switch (one.operator) {
    case 'UNIQUE':
      return !used.includes(here);
    case 'MAX_PER':
      return count(here) < Number(one.value);
    case 'CLUSTER':
      return one.value === undefined ? used.length === 0 || used.includes(here) : here === one.value;
    case 'IS':
      return here === one.value || (/^[\d.]+$/.test(here) && Number(here) === Number(one.value));
    case 'LIKE':
      return new RegExp(`^(${one.value})$`).test(here);
    case 'UNLIKE':
      return !new RegExp(`^(${one.value})$`).test(here);
    case 'GROUP_BY': {
      const fixed = all.filter(placeAlone);
      const open = known.filter((each) => oracle(fixed, [], [], each));
      const groups = new Set([...used, ...open.flatMap((each) => fieldAt(each, one.field) ?? [])]);
      const counts = [...groups].map(count);
      while (counts.length < Number(one.value ?? 0)) counts.push(0);
      return count(here) === 0 || counts.every((each) => each >= count(here));
    }
  }
}

test('an answer is what counting everything anew says', () => {
  fc.assert(
    fc.property(
      constraints,
      places,
      occupied,
      place,
      fc.constantFrom('s1', 's4'),
      (all, known, taken, at, slotId) => {
        const others = taken.filter((one: Occupied) => one.slotId !== slotId).map((one) => one.place);
        expect(new ConstraintContext(all, taken, known).allows(at, slotId)).toBe(
          oracle(all, known, others, at),
        );
      },
    ),
    { numRuns: 3000 },
  );
});

test('placed one by one on places that are all known, every instance keeps to the constraints', () => {
  fc.assert(
    fc.property(
      constraint,
      fc.array(place, { minLength: 1, maxLength: 6 }),
      fc.nat({ max: 12 }),
      (one, known, instances) => {
        const context = new ConstraintContext([one], [], known);
        const placed: Place[] = [];
        for (let slot = 0; slot < instances; slot++) {
          const at = known.find((each) => context.allows(each, `s${slot}`));
          if (at === undefined) break;
          context.add({ place: at, slotId: `s${slot}` });
          placed.push(at);
        }
        const counts = new Map<string, number>();
        for (const at of placed) {
          const text = fieldAt(at, one.field) ?? 'none';
          counts.set(text, (counts.get(text) ?? 0) + 1);
        }
        const groups = new Set(known.flatMap((each) => fieldAt(each, one.field) ?? []));
        const most = Math.max(0, ...counts.values());
        if (one.operator === 'UNIQUE') expect(most).toBeLessThanOrEqual(1);
        if (one.operator === 'MAX_PER') expect(most).toBeLessThanOrEqual(Number(one.value));
        if (one.operator === 'CLUSTER') expect(counts.size).toBeLessThanOrEqual(1);
        if (one.operator !== 'GROUP_BY') return;
        const least = Math.min(...[...groups].map((group) => counts.get(group) ?? 0));
        expect(most - (groups.size === 0 ? most : least)).toBeLessThanOrEqual(1);
        // It stops only for groups that do not exist.
        if (groups.size >= Number(one.value ?? 0) && groups.size > 0) expect(placed).toHaveLength(instances);
      },
    ),
  );
});
