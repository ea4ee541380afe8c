import type { AgentId, NetworkName } from '../model/ids.ts';
import { addressKey, portKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { routesByNetwork } from './routes.ts';
import type { Route } from './routes.ts';
import type { View, ViewEndpoint, ViewHost, ViewNetwork } from './view.ts';

/** A view by what the compiler looks up. */
export interface ViewIndex {
  readonly hosts: ReadonlyMap<AgentId, ViewHost>;
  readonly networks: ReadonlyMap<NetworkName, ViewNetwork>;
  /** The routes of each network that has any. */
  readonly routes: ReadonlyMap<NetworkName, readonly Route[]>;
  /** How many addresses each network has in use. */
  readonly addressCounts: ReadonlyMap<NetworkName, number>;
  /** The incarnations at each address, in the order of the view; only of known networks. */
  readonly addresses: ReadonlyMap<ObjectKey, readonly ViewEndpoint[]>;
  /** The incarnations on the local host by port key; only of known networks. */
  readonly ports: ReadonlyMap<ObjectKey, ViewEndpoint>;
}

/** Indexes a view for the host `local` in one pass. */
export function indexView(view: View, local: AgentId): ViewIndex {
  const networks = new Map(view.networks.map((network) => [network.name, network]));
  const addresses = new Map<ObjectKey, ViewEndpoint[]>();
  const ports = new Map<ObjectKey, ViewEndpoint>();
  const addressCounts = new Map<NetworkName, number>();
  for (const endpoint of view.endpoints) {
    if (!networks.has(endpoint.network)) continue;
    const key = addressKey(endpoint);
    const incarnations = addresses.get(key);
    if (incarnations === undefined) {
      addresses.set(key, [endpoint]);
      addressCounts.set(endpoint.network, (addressCounts.get(endpoint.network) ?? 0) + 1);
    } else {
      incarnations.push(endpoint);
    }
    if (endpoint.host === local) ports.set(portKey(endpoint), endpoint);
  }
  const hosts = new Map(view.hosts.map((host) => [host.id, host]));
  return { hosts, networks, routes: routesByNetwork(networks), addressCounts, addresses, ports };
}
