import { messageOf } from '../runtime/errors.ts';
import type { AddressPool } from './address-pool.ts';
import { formatCidr, reservedFor, subnetContains } from './cidr.ts';
import { formatIpv4, parseIpv4, parseIpv4Range } from './ipv4.ts';

/** The most addresses that one label may name: a whole /16. */
export const maxPinnedAddresses = 65_536;

/** What the label `patchpanel.ip` names. */
export type PinnedAddresses =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  | { readonly kind: 'invalid'; readonly problem: string };

/**
 * Reads the label `patchpanel.ip`: addresses and ranges in any mixture, `10.32.0.5, 10.32.0.10-10.32.0.12`. The
 * order is that of the slots. Invalid, with the part at fault named: text that is neither, a range that runs
 * backwards, an address twice, more than maxPinnedAddresses.
 */
export function parsePinnedAddresses(label: string): PinnedAddresses {
  const seen = new Set<number>();
  for (const part of label.split(',')) {
    if (part.trim() === '')
      return invalid('an address is missing: the label is empty or has a comma too many');
    const range = tryRange(part);
    if (typeof range === 'string') return invalid(range);
    if (seen.size + (range.last - range.first + 1) > maxPinnedAddresses) {
      return invalid(`"${part.trim()}" makes it more than ${maxPinnedAddresses} addresses; name fewer`);
    }
    for (let address = range.first; address <= range.last; address++) {
      if (seen.has(address)) return invalid(`${formatIpv4(address)} is named twice (in "${part.trim()}")`);
      seen.add(address);
    }
  }
  return { kind: 'addresses', addresses: Array.from(seen, formatIpv4) };
}

/** Why an address (of a parsed label) cannot be leased from the network, or undefined when it can. */
export function pinnedProblem(ip: string, pool: AddressPool): string | undefined {
  const address = parseIpv4(ip);
  const cidr = formatCidr(pool.subnet);
  if (!subnetContains(pool.subnet, address)) return `${ip} is outside the network's subnet ${cidr}`;
  const reserved = reservedFor(pool.subnet, address);
  return reserved === undefined ? undefined : `${ip} is reserved: it is the ${reserved} address of ${cidr}`;
}

function tryRange(part: string): ReturnType<typeof parseIpv4Range> | string {
  try {
    return parseIpv4Range(part);
  } catch (error) {
    return messageOf(error);
  }
}

const invalid = (problem: string): PinnedAddresses => ({ kind: 'invalid', problem });
