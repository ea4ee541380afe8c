import { endpointMtu } from '../../src/fabric/mtu.ts';
import { macOf } from '../../src/fabric/mac.ts';
import { slotName } from '../../src/fabric/names.ts';
import { parseCidr } from '../../src/fabric/cidr.ts';
import { formatIpv4 } from '../../src/fabric/ipv4.ts';
import type { LocalSwitch } from '../../src/fabric/local-switch.ts';
import { endpointKey } from '../../src/fabric/view.ts';
import type {
  EndpointState,
  View,
  ViewEndpoint,
  ViewHost,
  ViewNetwork,
  ViewPort,
} from '../../src/fabric/view.ts';
import { agentId, appId, networkName, slotId } from '../../src/model/ids.ts';
import type { AgentId } from '../../src/model/ids.ts';

/** Builders for views: small ones by name for examples, large ones by number for scale. */
export const host = (id: string, underlayIp: string): ViewHost => ({
  id: agentId(id),
  hostname: `${id}.example`,
  underlayIp,
});

export const network = (name: string, vni: number, cidr: string): ViewNetwork => ({
  name: networkName(name),
  vni,
  cidr,
  gateway: formatIpv4(parseCidr(cidr).gateway),
  mtu: endpointMtu([1500]),
  domain: 'patchpanel.internal',
});

export interface EndpointShape {
  readonly app: string;
  readonly index?: number;
  readonly epoch?: number;
  readonly network: ViewNetwork;
  readonly host: ViewHost | AgentId;
  readonly ip: string;
  readonly state?: EndpointState;
  readonly keepsConnections?: boolean;
  readonly serving?: boolean;
  readonly ports?: readonly ViewPort[];
}

export function endpoint(shape: EndpointShape): ViewEndpoint {
  const app = appId(shape.app);
  const index = shape.index ?? 0;
  return {
    slot: slotId(app, index),
    epoch: shape.epoch ?? 1,
    app,
    network: shape.network.name,
    host: typeof shape.host === 'string' ? shape.host : shape.host.id,
    ip: shape.ip,
    mac: macOf(shape.network.vni, shape.ip),
    hostname: slotName(app, index),
    state: shape.state ?? 'active',
    ports: shape.ports ?? [],
    ...(shape.keepsConnections === true ? { keepsConnections: true } : {}),
    ...(shape.serving === true ? { serving: true } : {}),
  };
}

export const view = (
  hosts: readonly ViewHost[],
  networks: readonly ViewNetwork[],
  endpoints: readonly ViewEndpoint[],
  n = 1,
): View => ({ version: { term: 1, n }, hosts, networks, endpoints });

/** A switch on which every endpoint of the host is plugged in, from port 32768 up in the order of the view. */
export function switchOf(of: View, agent: AgentId, round = 1): LocalSwitch {
  const locals = of.endpoints.filter((each) => each.host === agent);
  const ofports = new Map(locals.map((each, i) => [endpointKey(each), 32_768 + i]));
  return { agentId: agent, round, tunnelOfport: 1, ofports };
}

/** A fabric of `hostCount` hosts and `endpointCount` active endpoints spread over them in one /16. */
export function largeView(hostCount: number, endpointCount: number): View {
  const wide = network('default', 7, '10.32.0.0/16');
  const first = parseCidr(wide.cidr).address + 10;
  const hosts = Array.from({ length: hostCount }, (_, i) =>
    host(`agent-${i}`, `172.16.${i >> 8}.${i & 0xff}`),
  );
  const endpoints = Array.from({ length: endpointCount }, (_, i) =>
    endpoint({
      app: `/app${i % 500}`,
      index: Math.floor(i / 500),
      network: wide,
      host: agentId(`agent-${i % hostCount}`),
      ip: formatIpv4(first + i),
    }),
  );
  return view(hosts, [wide], endpoints);
}

/** A view with its lists in one order, to compare views whose order does not matter. */
export const sorted = (of: View): View => ({
  version: of.version,
  hosts: [...of.hosts].sort((a, b) => a.id.localeCompare(b.id)),
  networks: [...of.networks].sort((a, b) => a.name.localeCompare(b.name)),
  endpoints: [...of.endpoints].sort((a, b) => endpointKey(a).localeCompare(endpointKey(b))),
});
