import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The header in which a scheduler that stands by tells the leader whose request it passes on: the address, and a keyed
 * hash of it (RFC 2104) with the key that the leader shows the other schedulers alone.
 */
export const clientHeader = 'x-patchpanel-client';

/** What the header holds. */
export const vouchFor = (address: string, key: string): string => `${address} ${signature(address, key)}`;

/** The address that the header tells; undefined when nobody who has the key says so. In constant time. */
export function vouchedAddress(
  header: string | readonly string[] | undefined,
  key: string,
): string | undefined {
  const [address = '', given = ''] = String(header ?? '').split(' ');
  const wanted = Buffer.from(signature(address, key));
  const shown = Buffer.from(given);
  return shown.length === wanted.length && timingSafeEqual(shown, wanted) ? address : undefined;
}

const signature = (address: string, key: string): string =>
  createHmac('sha256', key).update(`client ${address}`).digest('base64url');
