import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Resource } from '../../proto/mesos.gen.ts';
import { afterTaking, shortage, stockFor, type Accepted } from '../../scheduler/core/offers/offer-pool.ts';
import { reservedRoles, take, totalAmounts, unreserved } from '../../src/mesos/resources.ts';
import { noScalars, type Scalars } from '../../src/model/resources.ts';

const scalarEntry = fc.record({
  name: fc.constantFrom('cpus', 'mem', 'disk'),
  role: fc.constantFrom('*', 'web'),
  value: fc.integer({ min: 1, max: 40 }),
});
const resources = fc.array(scalarEntry, { maxLength: 8 }).map((entries) =>
  entries.map(({ name, role, value }): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value: value / 10 },
    ...(role === '*' ? {} : { reservations: [{ type: 'STATIC', role }] }),
  })),
);
const tenths = fc.integer({ min: 0, max: 30 }).map((n) => n * 100);
const need: fc.Arbitrary<Scalars> = fc.record({
  cpus: tenths,
  mem: tenths,
  disk: tenths,
  gpus: fc.constant(0),
});
const accepted = fc.constantFrom<Accepted>('any', 'unreserved', 'reserved');

/** The roles by which the shell takes what the core has decided on. */
const rolesOf = (kind: Accepted, of: readonly Resource[]): readonly string[] | undefined =>
  kind === 'any' ? undefined : kind === 'unreserved' ? [unreserved] : reservedRoles(of);

const reservedOf = (of: readonly Resource[]): Scalars => {
  const roles = reservedRoles(of);
  return roles.length === 0 ? noScalars : totalAmounts(of, roles).scalars;
};

test('what the core finds in an offer, and leaves of it, is what can be taken and what is left', () => {
  fc.assert(
    fc.property(resources, fc.array(fc.record({ need, accepted }), { maxLength: 6 }), (offered, wishes) => {
      let rest: readonly Resource[] = offered;
      let pool = {
        free: { scalars: totalAmounts(offered, [unreserved]).scalars, ports: [] },
        reserved: { scalars: reservedOf(offered), ports: [] },
      };
      for (const wish of wishes) {
        const short = shortage(wish.need, stockFor(pool, wish.accepted).scalars);
        const division = take(rest, { scalars: wish.need, ports: [] }, rolesOf(wish.accepted, rest));
        expect(division === undefined).toBe(short !== undefined);
        if (division === undefined) continue;
        rest = division.rest;
        pool = { ...afterTaking(pool, wish.need, wish.accepted) } as typeof pool;
        expect(pool.free.scalars).toEqual(totalAmounts(rest, [unreserved]).scalars);
        expect(pool.reserved.scalars).toEqual(reservedOf(rest));
      }
    }),
    { numRuns: 1000 },
  );
});
