import type { NetworkName } from '../model/ids.ts';
import type { ViewNetwork } from './view.ts';

/** A network that another one is routed with, seen from that one. */
export interface Route {
  readonly network: ViewNetwork;
  /** Whether connections may be opened from here to there; else only from there. */
  readonly opens: boolean;
}

/** What of a network says with which others it is routed. */
type Routed = Pick<ViewNetwork, 'name' | 'routes'>;

/** By network, the names of those that it is routed with in either direction; one without any is not in it. */
export function routedWith(networks: Iterable<Routed>): ReadonlyMap<NetworkName, ReadonlySet<NetworkName>> {
  const all = new Map(Array.from(networks, (network) => [network.name, network]));
  const routed = new Map<NetworkName, Set<NetworkName>>();
  const add = (from: NetworkName, to: NetworkName): void => {
    const known = routed.get(from);
    if (known === undefined) routed.set(from, new Set([to]));
    else known.add(to);
  };
  for (const { name, routes = [] } of all.values()) {
    for (const other of routes) {
      if (other === name || !all.has(other)) continue;
      add(name, other);
      add(other, name);
    }
  }
  return routed;
}

/** The routes of each network that has any. */
export function routesByNetwork(
  networks: ReadonlyMap<NetworkName, ViewNetwork>,
): ReadonlyMap<NetworkName, readonly Route[]> {
  const routes = new Map<NetworkName, readonly Route[]>();
  for (const [name, others] of routedWith(networks.values())) {
    const opened = networks.get(name)?.routes ?? [];
    const found = [...others].flatMap((other): Route[] => {
      const network = networks.get(other);
      return network === undefined ? [] : [{ network, opens: opened.includes(other) }];
    });
    routes.set(name, found);
  }
  return routes;
}
