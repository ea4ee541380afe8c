import { parseCidr } from './cidr.ts';

/**
 * The DNS zones in which the names of a subnet's addresses are: `10.32.0.0/16` → `32.10.in-addr.arpa`. A zone ends at a
 * whole byte of the address, so there are up to 128 of them.
 * @throws PatchpanelError `invalid` when text is not a subnet
 */
export function reverseZones(cidr: string): readonly string[] {
  const { address, prefixLength } = parseCidr(cidr);
  const bytes = Math.ceil(prefixLength / 8);
  const step = 2 ** (32 - bytes * 8);
  const count = 2 ** (bytes * 8 - prefixLength);
  return Array.from({ length: count }, (_, i) => {
    const first = address + i * step;
    const labels = [24, 16, 8, 0].slice(0, bytes).map((shift) => (first >>> shift) & 0xff);
    return `${labels.toReversed().join('.')}.in-addr.arpa`;
  });
}
