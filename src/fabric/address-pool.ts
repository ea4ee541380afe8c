import type { Network } from '../model/network.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import { formatCidr, parseCidr, subnetContains } from './cidr.ts';
import type { Subnet } from './cidr.ts';
import { parseIpv4Range } from './ipv4.ts';
import type { Ipv4 } from './ipv4.ts';

/** A network's addresses as numbers; parse once, allocate often. */
export interface AddressPool {
  readonly subnet: Subnet;
  /** Addresses that are leased without a pin, both ends included; they may include reserved ones. */
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/**
 * The pool of a network.
 * @throws PatchpanelError `invalid` when the subnet or the range cannot be read, or the range leaves the subnet
 */
export function addressPool(network: Pick<Network, 'cidr' | 'range'>): AddressPool {
  const subnet = parseCidr(network.cidr);
  if (network.range === undefined) return { subnet, first: subnet.address, last: subnet.broadcast };
  const range = parseIpv4Range(network.range);
  if (!subnetContains(subnet, range.first) || !subnetContains(subnet, range.last)) {
    throw new PatchpanelError(
      'invalid',
      `the range ${network.range} leaves the subnet ${formatCidr(subnet)}; choose one inside it`,
    );
  }
  return { subnet, first: range.first, last: range.last };
}
