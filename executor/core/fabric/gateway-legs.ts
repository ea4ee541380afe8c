import { parseCidr } from '../../../src/fabric/cidr.ts';
import { hasGateway, legNetworks, legProblem, serviceAddress } from '../../../src/fabric/gateways.ts';
import { macOf } from '../../../src/fabric/mac.ts';
import { endpointsOn } from '../../../src/fabric/own-endpoints.ts';
import { isExposedOn, type Publication } from '../../../src/fabric/publication.ts';
import {
  endpointKey,
  type View,
  type ViewEndpoint,
  type ViewHost,
  type ViewNetwork,
} from '../../../src/fabric/view.ts';
import type { AgentId, NetworkName } from '../../../src/model/ids.ts';

/** The host's own device in a network: gateway and services, with the same addresses and MAC on every host. */
export interface GatewayLeg {
  readonly network: NetworkName;
  readonly vni: number;
  readonly device: string;
  readonly cidr: string;
  /** The gateway's. */
  readonly address: string;
  /** Where names are asked for. */
  readonly service: string;
  readonly prefixLength: number;
  readonly mac: string;
  readonly mtu: number;
  /** Packets go through it from or to the outside. */
  readonly gateway: boolean;
  /** Containers may go out by it. */
  readonly nat: boolean;
}

/** What a view asks of this host beside its containers: its own part in networks, the way to the outside, machines. */
export interface GatewayWish {
  readonly legs: readonly GatewayLeg[];
  /** Devices of the operator's machines that are to be plugged in here. */
  readonly devices: readonly string[];
  /** Ports to offer on this host's addresses. */
  readonly publications: readonly Publication[];
  /** Ports of this host that lead to containers on it. */
  readonly forwards: readonly Forward[];
  /** Addresses of containers on it that may go out, whatever their network says. */
  readonly outgoing: readonly string[];
  /** Why the host has no leg in a network that it should have one in. */
  readonly problem?: string;
}

/** A port of the host that leads to one container. */
export interface Forward {
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  readonly ip: string;
  readonly port: number;
}

/** What a host without endpoints has. */
export const noGateways: GatewayWish = {
  legs: [],
  devices: [],
  publications: [],
  forwards: [],
  outgoing: [],
};

/** The same name on every bridge, `ppg7`: at most 8 characters. */
export const gatewayDevice = (vni: number): string => `ppg${vni.toString(16)}`;

/**
 * What the host has to offer and to let out. A network that it cannot have a leg in has no part in that; of the others
 * nothing is less.
 */
export function gatewayWish(view: View, host: Pick<ViewHost, 'id' | 'hostname' | 'underlayIp'>): GatewayWish {
  const wanted = legNetworks(view, host.id);
  const problems = wanted.flatMap((network) => legProblem(network, host.underlayIp) ?? []);
  const networks = wanted.filter((network) => legProblem(network, host.underlayIp) === undefined);
  const names = new Set(networks.map(({ name }) => name));
  const endpoints = endpointsOn(view, host.id);
  const own = endpoints.filter(({ network }) => names.has(network));
  return {
    legs: networks.map(legOf),
    devices: endpoints.flatMap(({ device }) => device ?? []).sort(),
    publications: networks.flatMap(({ publications = [] }) =>
      publications.filter((each) => isExposedOn(each, host.hostname)),
    ),
    forwards: forwardsOf(own),
    outgoing: [...new Set(own.filter(({ nat }) => nat === true).map(({ ip }) => ip))].sort(),
    ...(problems.length === 0 ? {} : { problem: problems.join('; ') }),
  };
}

/**
 * They lead to the slot's address, so the switch decides which incarnation gets a connection. One port leads to one
 * place: of two that claim it, the later.
 */
function forwardsOf(own: readonly ViewEndpoint[]): readonly Forward[] {
  const forwards = new Map<string, Forward>();
  for (const { ip, ports } of own.toSorted((a, b) => a.epoch - b.epoch)) {
    for (const { number, protocol, hostPort } of ports) {
      if (hostPort === undefined) continue;
      forwards.set(`${protocol} ${hostPort}`, { protocol, hostPort, ip, port: number });
    }
  }
  return [...forwards.values()].sort((a, b) => a.hostPort - b.hostPort);
}

function legOf(network: ViewNetwork): GatewayLeg {
  const { name, vni, cidr, gateway, mtu, nat } = network;
  return {
    network: name,
    vni,
    device: gatewayDevice(vni),
    cidr,
    address: gateway,
    service: serviceAddress(network),
    prefixLength: parseCidr(cidr).prefixLength,
    mac: macOf(vni, gateway),
    mtu,
    gateway: hasGateway(network),
    nat: nat === true,
  };
}

/** OpenFlow port of each machine of the host `self`, by its endpoint's key. */
export function machineOfports(
  view: View,
  self: AgentId,
  deviceOfports: ReadonlyMap<string, number>,
): ReadonlyMap<string, number> {
  if (deviceOfports.size === 0) return deviceOfports;
  return new Map(
    endpointsOn(view, self).flatMap((endpoint) => {
      const ofport = deviceOfports.get(endpoint.device ?? '');
      return ofport === undefined ? [] : [[endpointKey(endpoint), ofport] as const];
    }),
  );
}

/** Commands for `ip -batch` that give a leg its addresses; the device is there. */
export const legLines = (leg: GatewayLeg): readonly string[] => [
  `link set dev ${leg.device} address ${leg.mac} addrgenmode none up`,
  `address replace ${leg.address}/${leg.prefixLength} brd + dev ${leg.device}`,
  `address replace ${leg.service}/${leg.prefixLength} brd + dev ${leg.device}`,
];
