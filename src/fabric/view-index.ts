import type { AgentId, AppId, NetworkName } from '../model/ids.ts';
import { addressKey, portKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { routesByNetwork } from './routes.ts';
import type { Route } from './routes.ts';
import type { View, ViewEndpoint, ViewHost, ViewNetwork } from './view.ts';
import { sidesOf } from './view-diff.ts';
import type { ViewDifference } from './view-diff.ts';

/** How many endpoints each app has, by network. */
type AppCounts = Map<NetworkName, Map<AppId, number>>;

/**
 * A view by what the compiler looks up, for the host `local`. It can follow changes of the view at a cost of what
 * changed, as long as the networks stay as they are.
 * INVARIANT: it is as one that was made of the newest view.
 */
export class ViewIndex {
  readonly hosts: Map<AgentId, ViewHost>;
  readonly networks: ReadonlyMap<NetworkName, ViewNetwork>;
  /** The routes of each network that has any. */
  readonly routes: ReadonlyMap<NetworkName, readonly Route[]>;
  /** How many addresses each network has in use. */
  readonly addressCounts = new Map<NetworkName, number>();
  /** The apps that have an endpoint in each network, and those that have one on the local host. */
  readonly apps: AppCounts = new Map();
  readonly localApps: AppCounts = new Map();
  /** The incarnations at each address; only of known networks. */
  readonly addresses = new Map<ObjectKey, readonly ViewEndpoint[]>();
  /** The incarnations on the local host by port key; only of known networks. */
  readonly ports = new Map<ObjectKey, ViewEndpoint>();
  readonly local: AgentId;

  constructor(view: View, local: AgentId) {
    this.local = local;
    this.hosts = new Map(view.hosts.map((host) => [host.id, host]));
    this.networks = new Map(view.networks.map((network) => [network.name, network]));
    this.routes = routesByNetwork(this.networks);
    for (const endpoint of view.endpoints) this.#add(endpoint);
  }

  /**
   * Goes on to the view that differs in hosts and endpoints alone. Gives the networks in which other apps than before
   * have endpoints, here or anywhere.
   */
  follow({ hosts, endpoints }: ViewDifference): ReadonlySet<NetworkName> {
    for (const { before, after } of hosts) {
      if (after !== undefined) this.hosts.set(after.id, after);
      else if (before !== undefined) this.hosts.delete(before.id);
    }
    const present = new Map<ViewEndpoint, boolean>();
    for (const change of endpoints) {
      for (const side of sidesOf(change)) present.set(side, this.#hasApp(side));
    }
    for (const { before } of endpoints) if (before !== undefined) this.#remove(before);
    for (const { after } of endpoints) if (after !== undefined) this.#add(after);
    const changed = new Set<NetworkName>();
    for (const [side, was] of present) if (this.#hasApp(side) !== was) changed.add(side.network);
    return changed;
  }

  #add(endpoint: ViewEndpoint): void {
    const { network, app } = endpoint;
    if (!this.networks.has(network)) return;
    const key = addressKey(endpoint);
    const incarnations = this.addresses.get(key);
    if (incarnations === undefined) {
      this.addresses.set(key, [endpoint]);
      this.addressCounts.set(network, (this.addressCounts.get(network) ?? 0) + 1);
    } else {
      this.addresses.set(key, [...incarnations, endpoint]);
    }
    count(this.apps, network, app, 1);
    if (endpoint.host !== this.local) return;
    this.ports.set(portKey(endpoint), endpoint);
    count(this.localApps, network, app, 1);
  }

  #remove(endpoint: ViewEndpoint): void {
    const { network, app } = endpoint;
    if (!this.networks.has(network)) return;
    const key = addressKey(endpoint);
    const port = portKey(endpoint);
    const left = (this.addresses.get(key) ?? []).filter((each) => portKey(each) !== port);
    if (left.length > 0) {
      this.addresses.set(key, left);
    } else {
      this.addresses.delete(key);
      this.addressCounts.set(network, (this.addressCounts.get(network) ?? 1) - 1);
    }
    count(this.apps, network, app, -1);
    if (endpoint.host !== this.local) return;
    this.ports.delete(port);
    count(this.localApps, network, app, -1);
  }

  /** Whether the endpoint's app is in its network, here when the endpoint is here. */
  #hasApp({ network, app, host }: ViewEndpoint): boolean {
    const counts = host === this.local ? this.localApps : this.apps;
    return counts.get(network)?.has(app) === true;
  }

  /** The endpoint that is plugged into this host under that `endpointKey`. */
  localEndpoint(key: string): ViewEndpoint | undefined {
    return this.ports.get(`port:${key}`);
  }
}

/** Adds to a count; one of 0 is not kept. */
function count(counts: AppCounts, network: NetworkName, app: AppId, more: number): void {
  const apps = counts.get(network) ?? new Map<AppId, number>();
  counts.set(network, apps);
  const now = (apps.get(app) ?? 0) + more;
  if (now <= 0) apps.delete(app);
  else apps.set(app, now);
}
