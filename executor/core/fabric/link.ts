import { tryParseIpv4 } from '../../../src/fabric/ipv4.ts';
import { isLocalUnicastMac } from '../../../src/fabric/mac.ts';

/** The interface's name inside every sandbox. */
export const SANDBOX_INTERFACE = 'eth0';

/** A device with a smaller MTU has no IPv6, and no mode of making addresses (RFC 8200, section 5). */
const LEAST_IPV6_MTU = 1_280;

/** A veth pair: one end on the host's switch, the other one inside a sandbox. */
export interface LinkWish {
  /** Mark on the host side by which a later executor knows the device as ours. */
  readonly owner: string;
  readonly veth: string;
  /** Process whose network namespace gets the other end. */
  readonly sandboxPid: number;
  readonly mac: string;
  readonly mtu: number;
  readonly ip: string;
  readonly prefixLength: number;
  readonly gateway: string;
  /** Where known it is set for good, so that no ARP request for the gateway is ever needed. */
  readonly gatewayMac: string | undefined;
}

/**
 * Commands for `ip -batch` in the host's namespace. The inner end is made where it belongs: moving a device between
 * namespaces later costs the kernel several grace periods. On the userspace datapath the host's kernel sees the frames,
 * too: without `arp off` it would answer for its own addresses.
 */
export const hostLinkLines = (wish: LinkWish): readonly string[] => [
  `link add name ${wish.veth} mtu ${wish.mtu} type veth peer name ${SANDBOX_INTERFACE} address ${wish.mac} mtu ${wish.mtu} netns ${wish.sandboxPid}`,
  `link set dev ${wish.veth} alias ${wish.owner}${wish.mtu < LEAST_IPV6_MTU ? '' : ' addrgenmode none'} arp off up`,
];

/** Commands for `ip -batch` inside the sandbox. */
export const sandboxLinkLines = (wish: LinkWish): readonly string[] => [
  'link set dev lo up',
  `address replace ${wish.ip}/${wish.prefixLength} brd + dev ${SANDBOX_INTERFACE}`,
  `link set dev ${SANDBOX_INTERFACE} up`,
  `route replace default via ${wish.gateway} dev ${SANDBOX_INTERFACE}`,
  ...(wish.gatewayMac === undefined
    ? []
    : [`neighbour replace ${wish.gateway} lladdr ${wish.gatewayMac} dev ${SANDBOX_INTERFACE} nud permanent`]),
];

/** Why a link must not be made, or undefined; what passes can be written into a batch without any quoting. */
export function linkProblem(wish: LinkWish): string | undefined {
  if (!isLocalUnicastMac(wish.mac)) return `the MAC "${wish.mac}" is no locally administered unicast address`;
  if (tryParseIpv4(wish.ip) === undefined) return `the address "${wish.ip}" is no IPv4 address`;
  if (tryParseIpv4(wish.gateway) === undefined) return `the gateway "${wish.gateway}" is no IPv4 address`;
  if (wish.prefixLength < 1 || wish.prefixLength > 30)
    return `the prefix length ${wish.prefixLength} is not 1 to 30`;
  if (wish.mtu < 576 || wish.mtu > 65_535) return `the MTU ${wish.mtu} is not 576 to 65535`;
  return undefined;
}
