import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { addressPool } from '../../src/fabric/address-pool.ts';
import { allocateAddress, claimAddress } from '../../src/fabric/allocate.ts';
import { parseCidr, reservedFor, subnetContains } from '../../src/fabric/cidr.ts';
import { formatIpv4, parseIpv4, tryParseIpv4 } from '../../src/fabric/ipv4.ts';
import { isLocalUnicastMac, macOf } from '../../src/fabric/mac.ts';
import { parsePinnedAddresses } from '../../src/fabric/pinned.ts';

const addressArb = fc.integer({ min: 0, max: 0xffffffff });

test('every address survives being written and read', () => {
  fc.assert(fc.property(addressArb, (address) => expect(parseIpv4(formatIpv4(address))).toBe(address)));
});

test('whatever is read as an address is written as the same text', () => {
  const textArb = fc.stringMatching(/^[0-9. x]{0,16}$/);
  fc.assert(
    fc.property(textArb, (text) => {
      const address = tryParseIpv4(text);
      if (address !== undefined) expect(formatIpv4(address)).toBe(text);
    }),
  );
});

test('every address of a network has its own locally administered unicast MAC', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 20 - 1 }), addressArb, addressArb, (vni, one, other) => {
      expect(isLocalUnicastMac(macOf(vni, one))).toBe(true);
      expect(macOf(vni, one) === macOf(vni, other)).toBe(one === other);
    }),
  );
});

/** Allocate, claim a given offset, or free one of those given out. */
const stepArb = fc.oneof(
  { weight: 4, arbitrary: fc.constant({ kind: 'allocate' as const }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('claim' as const), offset: fc.integer({ min: -2, max: 40 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('free' as const), which: fc.nat() }) },
);

test('no sequence of allocations gives out an address twice, a reserved one or one outside', () => {
  const prefixArb = fc.integer({ min: 27, max: 29 });
  fc.assert(
    fc.property(prefixArb, fc.array(stepArb, { maxLength: 60 }), fc.boolean(), (prefix, steps, useCursor) => {
      const subnet = parseCidr(`10.9.8.0/${prefix}`);
      const pool = addressPool({ cidr: `10.9.8.0/${prefix}` });
      const capacity = subnet.broadcast - subnet.address + 1 - 4;
      const taken = new Set<string>();
      let cursor: number | undefined;
      for (const step of steps) {
        if (step.kind === 'free') {
          taken.delete([...taken][step.which % Math.max(taken.size, 1)] ?? '');
          continue;
        }
        const result =
          step.kind === 'allocate'
            ? allocateAddress(pool, taken, useCursor ? cursor : undefined)
            : claimAddress(pool, taken, formatIpv4(subnet.address + step.offset));
        if (result.kind === 'refused') {
          if (step.kind === 'allocate') expect(taken.size).toBe(capacity);
          continue;
        }
        const address = parseIpv4(result.ip);
        expect(taken.has(result.ip)).toBe(false);
        expect(subnetContains(subnet, address)).toBe(true);
        expect(reservedFor(subnet, address)).toBeUndefined();
        taken.add(result.ip);
        cursor = result.cursor;
      }
    }),
  );
});

test('with a cursor a whole /16 is filled without looking at an address twice', () => {
  const pool = addressPool({ cidr: '10.32.0.0/16' });
  const taken = new Set<string>();
  let looks = 0;
  const counted = { has: (ip: string) => (looks++, taken.has(ip)) };
  let cursor: number | undefined;
  for (;;) {
    const result = allocateAddress(pool, counted, cursor);
    if (result.kind === 'refused') break;
    taken.add(result.ip);
    cursor = result.cursor;
    if (taken.size === 60_000) expect(looks).toBe(60_000);
  }
  expect(taken.size).toBe(65_536 - 4);
});

test('a label of addresses and ranges names what it spells out, in order', () => {
  const partArb = fc.record({
    first: fc.integer({ min: 0, max: 5_000 }),
    length: fc.integer({ min: 1, max: 5 }),
  });
  const base = parseIpv4('10.32.0.0');
  fc.assert(
    fc.property(fc.array(partArb, { minLength: 1, maxLength: 8 }), (parts) => {
      const spelled = parts.flatMap(({ first, length }) =>
        Array.from({ length }, (_, i) => formatIpv4(base + first + i)),
      );
      const label = parts
        .map(({ first, length }) =>
          length === 1
            ? formatIpv4(base + first)
            : `${formatIpv4(base + first)}-${formatIpv4(base + first + length - 1)}`,
        )
        .join(', ');
      const parsed = parsePinnedAddresses(label);
      if (new Set(spelled).size === spelled.length)
        expect(parsed).toEqual({ kind: 'addresses', addresses: spelled });
      else expect(parsed).toMatchObject({ kind: 'invalid', problem: expect.stringContaining('named twice') });
    }),
  );
});
