import { PatchpanelError } from '../runtime/errors.ts';
import { formatIpv4, tryParseIpv4 } from './ipv4.ts';
import type { Ipv4 } from './ipv4.ts';

/** An IPv4 subnet and the addresses in it that have a meaning. */
export interface Subnet {
  /** All host bits 0: names the subnet, never leased. */
  readonly address: Ipv4;
  /** 8 … 29 */
  readonly prefixLength: number;
  /** All host bits 1, never leased. */
  readonly broadcast: Ipv4;
  /** .1, never leased. */
  readonly gateway: Ipv4;
  /** .2, the address of DNS and DHCP on every host; never leased. */
  readonly service: Ipv4;
}

const minPrefix = 8;
/** A /29 has four addresses to lease; a /30 has none. */
const maxPrefix = 29;

/**
 * Reads `10.32.0.0/16`.
 * @throws PatchpanelError `invalid`: not of that form, a prefix outside 8 … 29, or host bits that are set
 */
export function parseCidr(text: string): Subnet {
  const slash = text.indexOf('/');
  const address = tryParseIpv4(text.slice(0, Math.max(slash, 0)));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !/^[0-9]{1,2}$/.test(lengthText)) {
    throw invalid(`"${text}" is not a subnet; write it like 10.32.0.0/16`);
  }
  const prefixLength = Number(lengthText);
  if (prefixLength < minPrefix || prefixLength > maxPrefix) {
    throw invalid(`the subnet ${text} must have a prefix length of ${minPrefix} to ${maxPrefix}`);
  }
  const first = maskTo(address, prefixLength);
  if (first !== address) {
    throw invalid(`the subnet ${text} has host bits set; did you mean ${formatIpv4(first)}/${prefixLength}?`);
  }
  const broadcast = first + 2 ** (32 - prefixLength) - 1;
  return { address: first, prefixLength, broadcast, gateway: first + 1, service: first + 2 };
}

/** `10.32.0.0/16` */
export const formatCidr = (subnet: Subnet): string => `${formatIpv4(subnet.address)}/${subnet.prefixLength}`;

/** True when the address lies in the subnet, its reserved addresses included. */
export const subnetContains = (subnet: Subnet, address: Ipv4): boolean =>
  address >= subnet.address && address <= subnet.broadcast;

/** Why an address of the subnet is never leased, or undefined when it may be. */
export function reservedFor(
  subnet: Subnet,
  address: Ipv4,
): 'network' | 'gateway' | 'service' | 'broadcast' | undefined {
  if (address === subnet.address) return 'network';
  if (address === subnet.gateway) return 'gateway';
  if (address === subnet.service) return 'service';
  return address === subnet.broadcast ? 'broadcast' : undefined;
}

/** True when the two subnets share an address. */
export const subnetsOverlap = (one: Subnet, other: Subnet): boolean =>
  one.address <= other.broadcast && other.address <= one.broadcast;

const maskTo = (address: Ipv4, prefixLength: number): Ipv4 => (address & (-1 << (32 - prefixLength))) >>> 0;

const invalid = (message: string): PatchpanelError => new PatchpanelError('invalid', message);
