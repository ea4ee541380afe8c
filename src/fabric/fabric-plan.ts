import { agentId, appId, networkName, slotId } from '../model/ids.ts';
import { compile } from './compile.ts';
import { interconnectFields, tunnelsOf, type Interconnect } from './interconnect.ts';
import { formatIpv4, parseIpv4 } from './ipv4.ts';
import type { LocalSwitch } from './local-switch.ts';
import { macOf } from './mac.ts';
import { endpointMtu } from './mtu.ts';
import { assignPorts, peerPortRange } from './port-numbers.ts';
import { endpointKey, type View, type ViewEndpoint, type ViewHost, type ViewNetwork } from './view.ts';

/** A fabric to be reckoned with: every host has as many endpoints, all in one network. */
export interface FabricShape {
  readonly hosts: number;
  readonly endpointsPerHost: number;
  readonly interconnect: Interconnect;
  /** MTU in bytes of the network between the hosts. */
  readonly underlayMtu: number;
}

/** What the fabric of a shape consists of. */
export interface FabricPlan extends FabricShape {
  readonly endpoints: number;
  /** Pairs of hosts that reach each other directly: n(n-1)/2. */
  readonly links: number;
  readonly tunnelPortsPerHost: number;
  readonly tunnelPorts: number;
  readonly flowsPerHost: number;
  readonly flows: number;
  /** MTU in bytes inside the containers. */
  readonly endpointMtu: number;
}

const firstUnderlayIp = parseIpv4('172.16.0.1');
const firstEndpointIp = parseIpv4('10.0.0.3');

/**
 * Works a fabric out with what programs real switches: the view, the tunnels of each host and the flow compiler. All
 * hosts of a shape are alike, so flows are compiled for the first; links and ports are counted on each.
 */
export function planFabric(shape: FabricShape): FabricPlan {
  const view = viewOf(shape);
  const links = new Set<string>();
  let tunnelPorts = 0;
  for (const { id, underlayIp } of view.hosts) {
    const { peers } = tunnelsOf(view, id) ?? { peers: [] };
    tunnelPorts += peers === undefined ? 1 : peers.length;
    const reached = peers ?? view.hosts.map((host) => host.underlayIp).filter((ip) => ip !== underlayIp);
    for (const peer of reached)
      links.add(underlayIp < peer ? `${underlayIp} ${peer}` : `${peer} ${underlayIp}`);
  }
  const flowsPerHost = flowsOfFirst(view);
  return {
    ...shape,
    endpoints: view.endpoints.length,
    links: links.size,
    tunnelPortsPerHost: tunnelPorts / shape.hosts,
    tunnelPorts,
    flowsPerHost,
    flows: flowsPerHost * shape.hosts,
    endpointMtu: view.networks[0]?.mtu ?? 0,
  };
}

function viewOf({ hosts, endpointsPerHost, interconnect, underlayMtu }: FabricShape): View {
  const network: ViewNetwork = {
    name: networkName('default'),
    vni: 7,
    cidr: '10.0.0.0/8',
    gateway: '10.0.0.1',
    mtu: endpointMtu([underlayMtu], interconnect.encapsulation),
    domain: 'patchpanel.internal',
  };
  const all = Array.from({ length: hosts }, (_, i): ViewHost => ({
    id: agentId(`agent-${i + 1}`),
    hostname: `host-${i + 1}`,
    underlayIp: formatIpv4(firstUnderlayIp + i),
    ...interconnectFields(interconnect),
  }));
  const endpoints = all.flatMap((host, i) =>
    Array.from({ length: endpointsPerHost }, (_, j) => endpointOf(network, host, i * endpointsPerHost + j)),
  );
  return { version: { term: 1, n: 1 }, hosts: all, networks: [network], endpoints };
}

function endpointOf(network: ViewNetwork, host: ViewHost, index: number): ViewEndpoint {
  const ip = formatIpv4(firstEndpointIp + index);
  const app = appId('/app');
  return {
    slot: slotId(app, index),
    epoch: 1,
    app,
    network: network.name,
    host: host.id,
    ip,
    mac: macOf(network.vni, ip),
    hostname: `${index}.app`,
    state: 'active',
    ports: [],
  };
}

function flowsOfFirst(view: View): number {
  const [first] = view.hosts;
  if (first === undefined) return 0;
  const own = view.endpoints.filter(({ host }) => host === first.id);
  const { peers } = tunnelsOf(view, first.id) ?? { peers: undefined };
  const local: LocalSwitch = {
    agentId: first.id,
    round: 1,
    tunnelOfport: 1,
    ...(peers === undefined ? {} : { peerOfports: assignPorts(new Map(), peers, peerPortRange) }),
    ofports: new Map(own.map((endpoint, i) => [endpointKey(endpoint), 32_768 + i])),
  };
  return compile(view, local).length;
}
