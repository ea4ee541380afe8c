import { parseIpv4 } from './ipv4.ts';
import type { Ipv4 } from './ipv4.ts';

const hexByte: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);
const macPattern = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/;

const hex = (byte: number): string => hexByte[byte & 0xff] ?? '';

/**
 * The MAC that an address has for ever: `0a:<low byte of the VNI>:<the four bytes of the address>`. Locally
 * administered and unicast; unique within a network, and the same on every host, so no ARP cache is ever stale.
 * @throws PatchpanelError `invalid` when text is not an address
 */
export function macOf(vni: number, ip: string | Ipv4): string {
  const address = typeof ip === 'string' ? parseIpv4(ip) : ip;
  return `${macPrefixOf(vni)}:${hex(address >>> 24)}:${hex(address >>> 16)}:${hex(address >>> 8)}:${hex(address)}`;
}

/** The first two bytes of every `macOf` in a network, `0a:07`. */
export const macPrefixOf = (vni: number): string => `0a:${hex(vni)}`;

/** True for `0a:07:0a:20:00:05`: six bytes in lower-case hexadecimal, the only form that Patchpanel writes. */
export const isMac = (text: string): boolean => macPattern.test(text);

/** True for a MAC that a device can have: it is of no group, and not all zeros. */
export const isUnicastMac = (text: string): boolean =>
  isMac(text) && (Number.parseInt(text.slice(0, 2), 16) & 0b1) === 0 && text !== '00:00:00:00:00:00';

/** True for a MAC that an endpoint of ours has: unicast and locally administered. */
export const isLocalUnicastMac = (text: string): boolean =>
  isMac(text) && (Number.parseInt(text.slice(0, 2), 16) & 0b11) === 0b10;
