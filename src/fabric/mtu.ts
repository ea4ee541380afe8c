/** Bytes that VXLAN over IPv4 adds to an inner IP packet: outer IPv4 20, UDP 8, VXLAN 8, inner Ethernet 14. */
const vxlanOverhead = 50;

/** What an endpoint gets while no host has told its underlay's MTU. */
const assumedUnderlayMtu = 1_500;
/** Every IPv4 host takes packets of 576 bytes; no network is run with less. */
const minEndpointMtu = 576;
const maxEndpointMtu = 9_000;

/**
 * The MTU in bytes of the endpoints of a network whose hosts have these underlay MTUs: the least of them minus the
 * tunnel's overhead, kept within 576 … 9000.
 */
export function endpointMtu(underlayMtus: Iterable<number>): number {
  let least = Number.POSITIVE_INFINITY;
  for (const mtu of underlayMtus) least = Math.min(least, mtu);
  const underlay = Number.isFinite(least) ? least : assumedUnderlayMtu;
  return Math.min(Math.max(underlay - vxlanOverhead, minEndpointMtu), maxEndpointMtu);
}
