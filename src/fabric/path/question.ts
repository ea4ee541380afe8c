import { isMac } from '../mac.ts';
import { tryParseIpv4 } from '../ipv4.ts';
import { endpointKey } from '../view.ts';
import type { EndpointKey } from '../view.ts';

/** What a frame can carry that a path is asked for. */
export type FrameProtocol = 'tcp' | 'udp' | 'icmp' | 'arp';

/** A frame whose way through a switch is asked for: a SYN, a datagram, a ping, or an ARP request for `destination`. */
export interface PathFrame {
  readonly protocol: FrameProtocol;
  readonly sourceMac: string;
  readonly destinationMac: string;
  readonly source: string;
  readonly destination: string;
  /** Of TCP and UDP. */
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly ttl: number;
}

/** Where it comes in: the port of an endpoint of the host, or another host's tunnel. */
export type Entrance =
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointKey }
  | {
      readonly kind: 'tunnel';
      /** Underlay address of the host that sends. */
      readonly from: string;
      /** The whole tunnel id, flag bits included. */
      readonly tunnelId: number;
    };

/** What a host is asked: what would its switch do with the frame? */
export interface HostQuestion {
  readonly id: number;
  readonly frame: PathFrame;
  readonly entrance: Entrance;
}

/** A port of a host's switch. */
export type SwitchPort =
  | { readonly number: number; readonly kind: 'endpoint'; readonly endpoint: EndpointKey }
  | { readonly number: number; readonly kind: 'gateway'; readonly network: string }
  /** `to` is the underlay address of the one host behind it; absent: any host. */
  | { readonly number: number; readonly kind: 'tunnel'; readonly to?: string };

/** What a host answers. */
export type HostAnswer =
  | {
      readonly id: number;
      readonly kind: 'trace';
      /** What `ofproto/trace` printed. */
      readonly trace: string;
      /** The ports that it names, as far as they are known. */
      readonly ports: readonly SwitchPort[];
    }
  | { readonly id: number; readonly kind: 'problem'; readonly problem: string };

/** What is wrong with a frame, or undefined. What passes can be written into a flow's text as it is. */
export function frameProblem(frame: PathFrame): string | undefined {
  for (const mac of [frame.sourceMac, frame.destinationMac])
    if (!isMac(mac)) return `"${mac}" is no MAC address`;
  for (const ip of [frame.source, frame.destination]) {
    if (tryParseIpv4(ip) === undefined) return `"${ip}" is no IPv4 address`;
  }
  const numbers = [frame.sourcePort ?? 0, frame.destinationPort ?? 0, frame.ttl];
  return numbers.every((number) => Number.isInteger(number) && number >= 0 && number <= 65_535)
    ? undefined
    : 'ports and TTL must be numbers from 0 to 65535';
}

/** The frame as ovs-appctl's ofproto/trace takes it, from the port `ofport`. */
export function traceFlow(frame: PathFrame, entrance: Entrance, ofport: number, localIp: string): string {
  const origin =
    entrance.kind === 'endpoint'
      ? []
      : [`tun_id=${entrance.tunnelId}`, `tun_src=${entrance.from}`, `tun_dst=${localIp}`];
  const ethernet = [`in_port=${ofport}`, `dl_src=${frame.sourceMac}`, `dl_dst=${frame.destinationMac}`];
  return [frame.protocol, ...origin, ...ethernet, ...contentOf(frame)].join(',');
}

/** How an entrance is called in messages. */
export const entranceName = (entrance: Entrance): string =>
  entrance.kind === 'endpoint'
    ? `the port of ${endpointKey(entrance.endpoint)}`
    : `the tunnel from ${entrance.from}`;

function contentOf(frame: PathFrame): string[] {
  if (frame.protocol === 'arp') {
    const nobody = '00:00:00:00:00:00';
    return [
      'arp_op=1',
      `arp_sha=${frame.sourceMac}`,
      `arp_tha=${nobody}`,
      `arp_spa=${frame.source}`,
      `arp_tpa=${frame.destination}`,
    ];
  }
  const packet = [`nw_src=${frame.source}`, `nw_dst=${frame.destination}`, `nw_ttl=${frame.ttl}`];
  const ports = [`tp_src=${frame.sourcePort ?? 0}`, `tp_dst=${frame.destinationPort ?? 0}`];
  switch (frame.protocol) {
    case 'tcp':
      return [...packet, ...ports, 'tcp_flags=syn'];
    case 'udp':
      return [...packet, ...ports];
    case 'icmp':
      return [...packet, 'icmp_type=8', 'icmp_code=0'];
  }
}
