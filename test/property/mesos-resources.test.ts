import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Resource } from '../../proto/mesos.gen.ts';
import type { PortRange } from '../../src/model/resources.ts';
import { coalesce, intersectRanges, subtractRanges } from '../../src/mesos/ranges.ts';
import { addResources, subtractResources } from '../../src/mesos/resource-sets.ts';
import { amountsByRole, reservedRole, take, totalAmounts } from '../../src/mesos/resources.ts';

const range = fc
  .tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }))
  .map(([begin, size]) => ({ begin, end: begin + size }));
const ranges = fc.array(range, { maxLength: 6 });

const numbers = (list: readonly PortRange[]): Set<number> =>
  new Set(list.flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, at) => begin + at)));

describe('ranges', () => {
  test('are the sets of their numbers', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const [inA, inB] = [numbers(a), numbers(b)];
        expect(numbers(coalesce(a))).toEqual(inA);
        expect([...numbers(subtractRanges(a, b))]).toEqual(
          [...inA].filter((n) => !inB.has(n)).toSorted((x, y) => x - y),
        );
        expect([...numbers(intersectRanges(a, b))]).toEqual(
          [...inA].filter((n) => inB.has(n)).toSorted((x, y) => x - y),
        );
      }),
    );
  });

  test('are as few as can be, sorted, with gaps between them', () => {
    fc.assert(
      fc.property(ranges, (list) => {
        const result = coalesce(list);
        for (const [index, { begin, end }] of result.entries()) {
          expect(begin).toBeLessThanOrEqual(end);
          if (index > 0) expect(begin).toBeGreaterThan(result[index - 1]!.end + 1);
        }
      }),
    );
  });
});

const identity = fc.constantFrom<Partial<Resource>>(
  { allocation_info: { role: 'web' } },
  { allocation_info: { role: 'web' }, reservations: [{ type: 'STATIC', role: 'web' }] },
  {
    allocation_info: { role: 'web' },
    reservations: [
      { type: 'STATIC', role: 'web' },
      { type: 'DYNAMIC', role: 'web/a', principal: 'p', labels: { labels: [{ key: 'k', value: 'v' }] } },
    ],
  },
  { role: 'web' },
  { provider_id: { value: 'p1' } },
);
const scalar = fc
  .tuple(fc.constantFrom('cpus', 'mem', 'disk', 'gpus'), fc.integer({ min: 1, max: 9000 }), identity)
  .map(([name, milli, rest]): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value: milli / 1000 },
    ...rest,
  }));
const ports = fc
  .tuple(ranges, identity)
  .map(([list, rest]): Resource => ({ name: 'ports', type: 'RANGES', ranges: { range: list }, ...rest }));
/** What take must leave alone. */
const special = fc.constantFrom<Resource>(
  { name: 'disk', type: 'SCALAR', scalar: { value: 5 }, disk: { persistence: { id: 'v' } } },
  { name: 'cpus', type: 'SCALAR', scalar: { value: 3 }, revocable: {} },
  { name: 'licences', type: 'SET', set: { item: ['a', 'b'] } },
);
/** As in an offer: of each number at most one entry. */
const offered = fc
  .tuple(fc.array(scalar, { maxLength: 8 }), ports, fc.array(special, { maxLength: 2 }))
  .map(([scalars, range_, extra]) => [...scalars, range_, ...extra]);
const need = fc.record({
  scalars: fc.record({
    cpus: fc.integer({ min: 0, max: 9000 }),
    mem: fc.integer({ min: 0, max: 9000 }),
    disk: fc.integer({ min: 0, max: 3000 }),
    gpus: fc.integer({ min: 0, max: 3000 }),
  }),
  ports: fc.array(range, { maxLength: 2 }),
});

/** Parts of what is there for these roles: always enough. */
const affordable = (roles?: readonly string[]) =>
  fc
    .tuple(offered, fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }))
    .map(([resources, parts]) => {
      const { scalars, ports: all } = totalAmounts(resources, roles);
      const part = (index: number, whole: number): number => Math.floor(whole * (parts[index] ?? 0));
      return {
        resources,
        wanted: {
          scalars: {
            cpus: part(0, scalars.cpus),
            mem: part(1, scalars.mem),
            disk: part(2, scalars.disk),
            gpus: part(3, scalars.gpus),
          },
          ports: all.map(({ begin, end }) => ({ begin, end: begin + part(4, end - begin) })),
        },
      };
    });

const sorted = (list: readonly Resource[]): readonly string[] =>
  addResources(list, [])
    .map((resource) => JSON.stringify(resource, Object.keys(resource).toSorted()) + reservedRole(resource))
    .toSorted();

describe('take', () => {
  test('taken and rest together are the whole', () => {
    fc.assert(
      fc.property(affordable(), ({ resources, wanted }) => {
        const division = take(resources, wanted)!;
        expect(sorted([...division.taken, ...division.rest])).toEqual(sorted(resources));
        expect(subtractResources(resources, division.taken)).toBeDefined();
      }),
    );
  });

  test('it takes exactly what is needed, when there is enough, and only then', () => {
    fc.assert(
      fc.property(offered, need, (resources, wanted) => {
        const have = totalAmounts(resources);
        const names = ['cpus', 'mem', 'disk', 'gpus'] as const;
        const enough =
          names.every((name) => wanted.scalars[name] <= have.scalars[name]) &&
          subtractRanges(wanted.ports, have.ports).length === 0;
        const division = take(resources, wanted);
        expect(division !== undefined).toBe(enough);
        if (division === undefined) return;
        expect(totalAmounts(division.taken)).toEqual({
          scalars: wanted.scalars,
          ports: coalesce(wanted.ports),
        });
      }),
    );
  });

  test('nothing unreserved is taken while something reserved is left', () => {
    fc.assert(
      fc.property(affordable(), ({ resources, wanted }) => {
        const division = take(resources, wanted)!;
        const unreserved = amountsByRole(division.taken).get('*');
        for (const name of ['cpus', 'mem', 'disk', 'gpus'] as const) {
          const left = [...amountsByRole(division.rest)]
            .filter(([role]) => role !== '*')
            .reduce((sum, [, amounts]) => sum + amounts.scalars[name], 0);
          expect(Math.min(unreserved?.scalars[name] ?? 0, left)).toBe(0);
        }
      }),
    );
  });

  test('only the roles that are allowed are used', () => {
    fc.assert(
      fc.property(affordable(['*']), ({ resources, wanted }) => {
        const division = take(resources, wanted, ['*'])!;
        expect(division.taken.filter((resource) => reservedRole(resource) !== '*')).toEqual([]);
      }),
    );
  });
});

describe('sets of resources', () => {
  test('what was added can be subtracted again', () => {
    fc.assert(
      fc.property(fc.array(scalar, { maxLength: 6 }), fc.array(scalar, { maxLength: 6 }), (a, b) => {
        expect(sorted(subtractResources(addResources(a, b), b)!)).toEqual(sorted(a));
      }),
    );
  });

  test('more than there is cannot be subtracted', () => {
    fc.assert(
      fc.property(fc.array(scalar, { maxLength: 6 }), scalar, (whole, extra) => {
        expect(subtractResources(whole, addResources(whole, [extra]))).toBeUndefined();
      }),
    );
  });
});
