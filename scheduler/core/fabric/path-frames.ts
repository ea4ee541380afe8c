import { parseCidr, subnetContains } from '../../../src/fabric/cidr.ts';
import { portRange } from '../../../src/fabric/incarnations.ts';
import { formatIpv4, parseIpv4 } from '../../../src/fabric/ipv4.ts';
import { macOf } from '../../../src/fabric/mac.ts';
import type { PathFrame } from '../../../src/fabric/path/question.ts';
import type { Network } from '../../../src/model/network.ts';
import type { PathAddress, PathEndpoint } from './path-ends.ts';

/** What is to be sent. `port`: the destination's; the first that it declares, or 80, when absent. */
export interface PathTraffic {
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly port?: number;
}

/** The frames that a sender puts on the wire first. */
export interface PathFrames {
  /** How it finds the destination's MAC; absent where it needs not ask: the gateway's is known to it. */
  readonly arp?: PathFrame;
  readonly packet: PathFrame;
}

const ttl = 64;
const defaultPort = 80;
const broadcast = 'ff:ff:ff:ff:ff:ff';

/** The ARP request and the packet that `from` in `network` would send to `to`. */
export function pathFrames(
  network: Network,
  from: PathEndpoint,
  to: PathEndpoint | PathAddress,
  traffic: PathTraffic,
): PathFrames {
  const subnet = parseCidr(network.cidr);
  const gateway = formatIpv4(subnet.gateway);
  const destination = to.kind === 'endpoint' ? to.lease.ip : to.ip;
  const local = subnetContains(subnet, parseIpv4(destination)) && destination !== gateway;
  const ends = { sourceMac: from.lease.mac, source: from.lease.ip, destination, ttl };
  const packet: PathFrame = {
    ...ends,
    protocol: traffic.protocol,
    destinationMac: local ? macIn(network, to, destination) : macOf(network.vni, gateway),
    ...portsOf(from, to, traffic),
  };
  return local ? { packet, arp: { ...ends, protocol: 'arp', destinationMac: broadcast } } : { packet };
}

/** Pinned MACs may differ from the rule. */
const macIn = (network: Network, to: PathEndpoint | PathAddress, ip: string): string =>
  to.kind === 'endpoint' && to.lease.network === network.name ? to.lease.mac : macOf(network.vni, ip);

function portsOf(
  from: PathEndpoint,
  to: PathEndpoint | PathAddress,
  { protocol, port }: PathTraffic,
): Pick<PathFrame, 'sourcePort' | 'destinationPort'> {
  if (protocol === 'icmp') return {};
  const declared = to.kind === 'endpoint' ? to.shown?.ports : undefined;
  const first = declared?.find((each) => each.protocol === protocol)?.number;
  return {
    sourcePort: portRange(from.instance.epoch).first,
    destinationPort: port ?? first ?? defaultPort,
  };
}
