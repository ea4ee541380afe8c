import type { AddressPool } from './address-pool.ts';
import { reservedFor } from './cidr.ts';
import { formatIpv4, tryParseIpv4 } from './ipv4.ts';
import type { Ipv4 } from './ipv4.ts';
import { pinnedProblem } from './pinned.ts';

/** The addresses that are leased or in quarantine, as dotted text; any Map or Set of them will do. */
export interface TakenAddresses {
  has(ip: string): boolean;
}

/** What allocation gives: an address that nobody has, or the reason why there is none. */
export type Allocation =
  | { readonly kind: 'address'; readonly ip: string; /** Cursor for the next call. */ readonly cursor: Ipv4 }
  | {
      readonly kind: 'refused';
      readonly reason: 'invalid' | 'taken' | 'exhausted';
      readonly problem: string;
    };

/**
 * The next free address of the pool: the first that is neither taken nor reserved, from `cursor` on and then from
 * the beginning. With the cursor of the last result, filling a pool takes time linear in its size; without one the
 * lowest free address is found. The caller records the address as taken before it asks again.
 */
export function allocateAddress(pool: AddressPool, taken: TakenAddresses, cursor = pool.first): Allocation {
  const start = cursor < pool.first || cursor > pool.last ? pool.first : cursor;
  const ip = firstFree(pool, taken, start, pool.last) ?? firstFree(pool, taken, pool.first, start - 1);
  if (ip === undefined) {
    return {
      kind: 'refused',
      reason: 'exhausted',
      problem: `no address is free between ${formatIpv4(pool.first)} and ${formatIpv4(pool.last)}`,
    };
  }
  return { kind: 'address', ip: formatIpv4(ip), cursor: ip + 1 };
}

/** Exactly the address `ip`, if it lies in the network's subnet (the range does not matter), is not reserved and not taken. */
export function claimAddress(pool: AddressPool, taken: TakenAddresses, ip: string): Allocation {
  const address = tryParseIpv4(ip);
  if (address === undefined) {
    return { kind: 'refused', reason: 'invalid', problem: `"${ip}" is not an IPv4 address` };
  }
  const problem = pinnedProblem(ip, pool);
  if (problem !== undefined) return { kind: 'refused', reason: 'invalid', problem };
  if (taken.has(ip)) return { kind: 'refused', reason: 'taken', problem: `${ip} is taken` };
  return { kind: 'address', ip, cursor: address + 1 };
}

function firstFree(pool: AddressPool, taken: TakenAddresses, from: Ipv4, to: Ipv4): Ipv4 | undefined {
  for (let address = from; address <= to; address++) {
    if (reservedFor(pool.subnet, address) === undefined && !taken.has(formatIpv4(address))) return address;
  }
  return undefined;
}
