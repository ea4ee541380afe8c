import { parseCidr } from '../../../src/fabric/cidr.ts';
import { hasGateway, holdsAddress, legNetworks, serviceAddress } from '../../../src/fabric/gateways.ts';
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
  /** Why the host has no leg in a network that it should have one in, or one that may cut it off. */
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

const legPrefix = 'ppg';

/** The same name on every bridge, `ppg7`: at most 8 characters. */
export const gatewayDevice = (vni: number): string => `${legPrefix}${vni.toString(16)}`;

/** What the host knows of itself. */
export interface OwnHost extends Pick<ViewHost, 'id' | 'hostname' | 'underlayIp'> {
  /** Prefix length of its route to its neighbours on the underlay, 0 … 32; undefined: unknown. */
  readonly underlayPrefix?: number | undefined;
}

/**
 * What the host has to offer and to let out. A network that it cannot have a leg in has no part in that; of the others
 * nothing is less.
 */
export function gatewayWish(view: View, host: OwnHost): GatewayWish {
  const wanted = legNetworks(view, host.id);
  const problems = wanted.flatMap((network) => legProblem(network, host) ?? []);
  const networks = wanted.filter((network) => !cutsOff(network, host));
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

/** Whether the host is in one of its networks itself, so that its route to its neighbours decides on the leg there. */
export const isWithinOwn = (view: View, { id, underlayIp }: Pick<OwnHost, 'id' | 'underlayIp'>): boolean =>
  legNetworks(view, id).some((network) => holdsAddress(network, underlayIp));

/**
 * Whether a leg would cut the host off. Its route leads to the whole subnet: what the host has to say to other hosts, to
 * the master and to the scheduler goes into it, unless a narrower route leads to them.
 */
const cutsOff = (network: ViewNetwork, { underlayIp, underlayPrefix }: OwnHost): boolean =>
  holdsAddress(network, underlayIp) &&
  underlayPrefix !== undefined &&
  parseCidr(network.cidr).prefixLength >= underlayPrefix;

function legProblem(network: ViewNetwork, host: OwnHost): string | undefined {
  const isUnknown = holdsAddress(network, host.underlayIp) && host.underlayPrefix === undefined;
  if (!isUnknown && !cutsOff(network, host)) return undefined;
  const { name, cidr } = network;
  const result = isUnknown
    ? 'and its route to its neighbours is not known, so the gateway there may cut it off'
    : 'so it has no gateway and no names there';
  return `the host's own address ${host.underlayIp} is within ${cidr} of network '${name}', ${result}: give the network another subnet`;
}

/** A line of `ip -json route show`. */
export interface Route {
  /** `default`, `10.1.2.0/24` or one address. */
  readonly dst: string;
  readonly dev?: string;
  /** Absent for routes that lead somewhere. */
  readonly type?: string;
}

/** Prefix length of the narrowest of the routes to one address, those through legs aside; undefined: there is none. */
export function narrowestPrefix(routes: readonly Route[]): number | undefined {
  const lengths = routes
    .filter(({ dev, type }) => dev?.startsWith(legPrefix) !== true && (type ?? 'unicast') === 'unicast')
    .map(({ dst }) => (dst === 'default' ? 0 : Number(dst.split('/')[1] ?? 32)));
  return lengths.length === 0 ? undefined : Math.max(...lengths);
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
