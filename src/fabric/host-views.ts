import type { AgentId, NetworkName } from '../model/ids.ts';
import { Membership } from './membership.ts';
import { endpointKey } from './view.ts';
import type { EndpointKey, View, ViewEndpoint, ViewHost, ViewNetwork, ViewVersion } from './view.ts';
import type { ViewChange } from './view-diff.ts';

/**
 * The whole fabric, indexed so that each host's share of a change costs what the change touches and not the size of
 * the fabric. An endpoint is in force from when its host and its network are known; until then it is kept aside.
 * INVARIANT: the view of a host, changed by what `apply` gives for it, is `viewOf` of the new state.
 */
export class HostViews {
  readonly #hosts = new Map<AgentId, ViewHost>();
  readonly #networks = new Map<NetworkName, ViewNetwork>();
  /** Every endpoint, in force or not. */
  readonly #endpoints = new Map<string, ViewEndpoint>();
  readonly #inForce = new Map<string, ViewEndpoint>();
  readonly #keysOf = new KeysByPlace();
  readonly #membership = new Membership();

  /** The sparse view of one host; networks and hosts that it does not need are not in it. */
  viewOf(agentId: AgentId, version: ViewVersion): View {
    const networks = [...this.#membership.networksOf(agentId)];
    const hosts = new Set(networks.flatMap((network) => [...this.#membership.members(network)]));
    return {
      version,
      hosts: this.#hostRecords(hosts),
      networks: this.#networkRecords(networks),
      endpoints: networks.flatMap((network) => [...this.#membership.endpoints(network).values()]),
    };
  }

  /** The hosts that have an endpoint in the network: those that must acknowledge a change of it. */
  hostsOf(network: NetworkName): Iterable<AgentId> {
    return this.#membership.members(network);
  }

  /**
   * Takes a change in (removals first) and gives each of `subscribers` its share; those that it does not concern
   * are not in the result. Something both removed and put is put.
   */
  apply(change: ViewChange, subscribers: Iterable<AgentId>): ReadonlyMap<AgentId, ViewChange> {
    this.#membership.beginStep();
    const moved = new Set(change.hosts.map((host) => host.id).filter((id) => this.#hosts.has(id)));
    const altered = change.networks.map(({ name }) => name).filter((name) => this.#networks.has(name));
    for (const key of this.#takeIn(change)) this.#settle(key);
    const shares = new Map<AgentId, ViewChange>();
    for (const agentId of subscribers) {
      const share = this.#shareOf(agentId, moved, new Set(altered));
      if (share !== undefined) shares.set(agentId, share);
    }
    return shares;
  }

  /** Puts the change into the tables; gives the keys of the endpoints that may now be in force, or no longer. */
  #takeIn(change: ViewChange): Set<string> {
    const keys = new Set<string>();
    const addAll = (more: Iterable<string>): void => {
      for (const key of more) keys.add(key);
    };
    for (const id of change.removedHosts) if (this.#hosts.delete(id)) addAll(this.#keysOf.host(id));
    for (const name of change.removedNetworks) {
      if (this.#networks.delete(name)) addAll(this.#keysOf.network(name));
    }
    for (const key of change.removedEndpoints.map(endpointKey)) {
      keys.add(key);
      this.#forget(key);
    }
    for (const host of change.hosts) {
      if (!this.#hosts.has(host.id)) addAll(this.#keysOf.host(host.id));
      this.#hosts.set(host.id, host);
    }
    for (const network of change.networks) {
      if (!this.#networks.has(network.name)) addAll(this.#keysOf.network(network.name));
      this.#networks.set(network.name, network);
    }
    for (const endpoint of change.endpoints) {
      const key = endpointKey(endpoint);
      keys.add(key);
      this.#forget(key);
      this.#endpoints.set(key, endpoint);
      this.#keysOf.add(key, endpoint);
    }
    return keys;
  }

  #forget(key: string): void {
    const endpoint = this.#endpoints.get(key);
    if (endpoint === undefined) return;
    this.#endpoints.delete(key);
    this.#keysOf.delete(key, endpoint);
  }

  #settle(key: string): void {
    const before = this.#inForce.get(key);
    const wanted = this.#endpoints.get(key);
    const after =
      wanted !== undefined && this.#hosts.has(wanted.host) && this.#networks.has(wanted.network)
        ? wanted
        : undefined;
    if (before === after) return;
    if (before !== undefined) this.#membership.remove(key, before);
    if (after !== undefined) {
      this.#membership.put(key, after);
      this.#inForce.set(key, after);
    } else {
      this.#inForce.delete(key);
    }
  }

  #shareOf(
    agentId: AgentId,
    moved: ReadonlySet<AgentId>,
    altered: ReadonlySet<NetworkName>,
  ): ViewChange | undefined {
    const membership = this.#membership;
    const share = new Share();
    for (const [network, step] of membership.changed()) {
      const was = membership.wasMember(network, agentId);
      const is = membership.isMember(network, agentId);
      if (!was && !is) continue;
      for (const [key, endpoint] of step.removed) if (was) share.remove(key, endpoint);
      if (was && is) for (const [key, endpoint] of step.put) share.put(key, endpoint);
      if (was !== is) {
        for (const [key, endpoint] of membership.endpoints(network)) {
          if (is) share.put(key, endpoint);
          else if (!step.put.has(key)) share.remove(key, endpoint);
        }
        for (const peer of membership.members(network)) share.peers.add(peer);
        (is ? share.networks : share.removedNetworks).add(network);
      }
      for (const peer of step.wasMember.keys()) share.peers.add(peer);
    }
    for (const network of altered) if (membership.isMember(network, agentId)) share.networks.add(network);
    return share.isEmpty && moved.size === 0 ? undefined : this.#finish(agentId, share, moved);
  }

  #finish(agentId: AgentId, share: Share, moved: ReadonlySet<AgentId>): ViewChange | undefined {
    const hosts = new Set<AgentId>();
    const removedHosts: AgentId[] = [];
    for (const peer of [...share.peers, ...moved]) {
      const is = this.#membership.share(agentId, peer);
      const was = this.#membership.shared(agentId, peer);
      if (is && (!was || moved.has(peer))) hosts.add(peer);
      else if (was && !is && !removedHosts.includes(peer)) removedHosts.push(peer);
    }
    if (share.isEmpty && hosts.size === 0) return undefined;
    return {
      hosts: this.#hostRecords(hosts),
      networks: this.#networkRecords(share.networks),
      endpoints: [...share.endpoints.values()],
      removedHosts,
      removedNetworks: [...share.removedNetworks],
      removedEndpoints: [...share.removed].flatMap(([key, { slot, epoch }]) =>
        share.endpoints.has(key) ? [] : [{ slot, epoch }],
      ),
    };
  }

  #hostRecords(ids: Iterable<AgentId>): ViewHost[] {
    return Array.from(ids).flatMap((id) => this.#hosts.get(id) ?? []);
  }

  #networkRecords(names: Iterable<NetworkName>): ViewNetwork[] {
    return Array.from(names).flatMap((name) => this.#networks.get(name) ?? []);
  }
}

/** What one host must be told, while it is put together. */
class Share {
  readonly endpoints = new Map<string, ViewEndpoint>();
  readonly removed = new Map<string, EndpointKey>();
  readonly networks = new Set<NetworkName>();
  readonly removedNetworks = new Set<NetworkName>();
  /** Hosts that may have come into sight or gone out of it. */
  readonly peers = new Set<AgentId>();

  get isEmpty(): boolean {
    return this.endpoints.size + this.removed.size + this.networks.size + this.removedNetworks.size === 0;
  }

  put(key: string, endpoint: ViewEndpoint): void {
    this.endpoints.set(key, endpoint);
  }

  remove(key: string, endpoint: ViewEndpoint): void {
    this.removed.set(key, endpoint);
  }
}

/** The keys of all endpoints, in force or not, by host and by network. */
class KeysByPlace {
  readonly #byHost = new Map<AgentId, Set<string>>();
  readonly #byNetwork = new Map<NetworkName, Set<string>>();

  host(id: AgentId): Iterable<string> {
    return this.#byHost.get(id) ?? [];
  }

  network(name: NetworkName): Iterable<string> {
    return this.#byNetwork.get(name) ?? [];
  }

  add(key: string, endpoint: ViewEndpoint): void {
    addTo(this.#byHost, endpoint.host, key);
    addTo(this.#byNetwork, endpoint.network, key);
  }

  delete(key: string, endpoint: ViewEndpoint): void {
    deleteFrom(this.#byHost, endpoint.host, key);
    deleteFrom(this.#byNetwork, endpoint.network, key);
  }
}

function addTo<K>(map: Map<K, Set<string>>, place: K, key: string): void {
  const keys = map.get(place);
  if (keys === undefined) map.set(place, new Set([key]));
  else keys.add(key);
}

function deleteFrom<K>(map: Map<K, Set<string>>, place: K, key: string): void {
  const keys = map.get(place);
  keys?.delete(key);
  if (keys?.size === 0) map.delete(place);
}
