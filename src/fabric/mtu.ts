import type { Encapsulation } from './interconnect.ts';

/**
 * Bytes that a tunnel over IPv4 adds to an inner IP packet: outer IPv4 20, UDP 8, the tunnel's own header, inner
 * Ethernet 14. A Geneve header without options, which is all that we send, is as long as VXLAN's.
 */
const overhead: Readonly<Record<Encapsulation, number>> = { vxlan: 20 + 8 + 8 + 14, geneve: 20 + 8 + 8 + 14 };

/** What an endpoint gets while no host has told its underlay's MTU. */
const assumedUnderlayMtu = 1_500;
/** Every IPv4 host takes packets of 576 bytes; no network is run with less. */
const minEndpointMtu = 576;
const maxEndpointMtu = 9_000;

/**
 * The MTU in bytes of the endpoints of a network whose hosts have these underlay MTUs: the least of them minus the
 * tunnel's overhead, kept within 576 … 9000.
 */
export function endpointMtu(underlayMtus: Iterable<number>, encapsulation: Encapsulation = 'vxlan'): number {
  let least = Number.POSITIVE_INFINITY;
  for (const mtu of underlayMtus) least = Math.min(least, mtu);
  const underlay = Number.isFinite(least) ? least : assumedUnderlayMtu;
  return Math.min(Math.max(underlay - overhead[encapsulation], minEndpointMtu), maxEndpointMtu);
}
