/**
 * Two incarnations of one slot have one address, so replies to the connections that each of them opened are told
 * apart by destination port alone: each has its own quarter of the port space as its local port range, by the
 * parity of its epoch.
 */

/** Local ports of an incarnation, both ends included, as `net.ipv4.ip_local_port_range` wants them. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
  /** The same range as a `tp_dst` match, `value/mask`. */
  readonly match: string;
}

const evenQuarter: PortRange = { first: 32_768, last: 49_151, match: '0x8000/0xc000' };
const oddQuarter: PortRange = { first: 49_152, last: 65_535, match: '0xc000/0xc000' };

/** The quarter of the port space from which an incarnation opens connections: even epochs the third, odd the last. */
export const portRange = (epoch: number): PortRange => (epoch % 2 === 0 ? evenQuarter : oddQuarter);

/**
 * The epoch of a slot's next incarnation: the one after `newest`, or the one after that where the next would share
 * the quarter of the incarnation that is active. Without an active one, simply the next.
 */
export function nextEpoch(newest: number, activeEpoch: number | undefined): number {
  const next = newest + 1;
  return activeEpoch !== undefined && next % 2 === activeEpoch % 2 ? next + 1 : next;
}
