import { PatchpanelError } from '../runtime/errors.ts';

/** An IPv4 address as an unsigned 32-bit integer, so that addresses compare and count like numbers. */
export type Ipv4 = number;

/** The address 0.0.0.0 … 255.255.255.255 in `text`, or undefined: four decimal numbers without leading zeros. */
export function tryParseIpv4(text: string): Ipv4 | undefined {
  let address = 0;
  let octet = 0;
  let digits = 0;
  let dots = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 46 && digits > 0 && dots < 3) {
      address = address * 256 + octet;
      octet = 0;
      digits = 0;
      dots++;
    } else if (code >= 48 && code <= 57 && !(digits > 0 && octet === 0)) {
      octet = octet * 10 + (code - 48);
      digits++;
      if (octet > 255) return undefined;
    } else {
      return undefined;
    }
  }
  return dots === 3 && digits > 0 ? address * 256 + octet : undefined;
}

/** @throws PatchpanelError `invalid` that names the text */
export function parseIpv4(text: string): Ipv4 {
  const address = tryParseIpv4(text);
  if (address === undefined) {
    throw new PatchpanelError('invalid', `"${text}" is not an IPv4 address; write it like 10.32.0.10`);
  }
  return address;
}

/** Dotted text of an unsigned 32-bit integer. */
export const formatIpv4 = (address: Ipv4): string =>
  `${address >>> 24}.${(address >>> 16) & 0xff}.${(address >>> 8) & 0xff}.${address & 0xff}`;

/** Addresses from `first` to `last`, both included. */
export interface Ipv4Range {
  readonly first: Ipv4;
  readonly last: Ipv4;
}

/**
 * Reads `10.32.0.10-10.32.0.12` or a single address.
 * @throws PatchpanelError `invalid` that names the part at fault, also for a range that runs backwards
 */
export function parseIpv4Range(text: string): Ipv4Range {
  const dash = text.indexOf('-');
  if (dash < 0) {
    const address = parseIpv4(text.trim());
    return { first: address, last: address };
  }
  const first = parseIpv4(text.slice(0, dash).trim());
  const last = parseIpv4(text.slice(dash + 1).trim());
  if (last < first) {
    throw new PatchpanelError('invalid', `the range "${text.trim()}" ends before it begins; swap its ends`);
  }
  return { first, last };
}
