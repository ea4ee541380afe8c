import { routedWith } from '../../../src/fabric/routes.ts';
import { endpointKey, type ViewEndpoint, type ViewHost, type ViewNetwork } from '../../../src/fabric/view.ts';
import { sameEndpoint, sameNetwork } from '../../../src/fabric/view-diff.ts';
import type { AgentId, NetworkName, SlotId } from '../../../src/model/ids.ts';
import { FabricChange } from './fabric-change.ts';
import { ReaderTable } from './reader-table.ts';

/**
 * The whole fabric as the leader knows it, and what of it the hosts may see. An endpoint is visible once its host
 * has told its tunnel address and its network is known, so a view is always complete.
 *
 * INVARIANT: the visible part changes only in `commit`, which tells every change exactly once.
 */
export class FabricState {
  readonly #hosts = new Map<AgentId, ViewHost>();
  readonly #networks = new Map<NetworkName, ViewNetwork>();
  /** What should be visible, by slot and by host. */
  readonly #wanted = new Map<string, ViewEndpoint>();
  readonly #wantedOfSlot = new Map<SlotId, readonly ViewEndpoint[]>();
  readonly #wantedOfHost = new Map<AgentId, Set<string>>();
  /** What is visible, by network, and how many endpoints make a host a member of a network. */
  readonly #visible = new Map<NetworkName, Map<string, ViewEndpoint>>();
  readonly #networkOf = new Map<string, NetworkName>();
  readonly #members = new Map<NetworkName, Map<AgentId, number>>();
  readonly #memberships = new Map<AgentId, Set<NetworkName>>();
  /** Who must know a network: its members and those of the networks that it is routed with. */
  readonly #readers = new ReaderTable();
  // What commit must look at.
  readonly #dirty = new Set<string>();
  readonly #dirtyHosts = new Set<AgentId>();
  readonly #dirtyNetworks = new Set<NetworkName>();

  host(id: AgentId): ViewHost | undefined {
    return this.#hosts.get(id);
  }

  network(name: NetworkName): ViewNetwork | undefined {
    return this.#networks.get(name);
  }

  /** The networks of which the host has a visible endpoint. */
  networksOf(host: AgentId): ReadonlySet<NetworkName> {
    return this.#memberships.get(host) ?? noNetworks;
  }

  /** The networks that the host must know: its own, and those that they are routed with. */
  knownTo(host: AgentId): ReadonlySet<NetworkName> {
    return this.#readers.networksOf(host);
  }

  /** The hosts that must know the network. */
  readersOf(network: NetworkName): Iterable<AgentId> {
    return this.#readers.of(network);
  }

  /** The hosts that have a visible endpoint in the network. */
  membersOf(network: NetworkName): Iterable<AgentId> {
    return this.#members.get(network)?.keys() ?? [];
  }

  endpointsOf(network: NetworkName): ReadonlyMap<string, ViewEndpoint> {
    return this.#visible.get(network) ?? noEndpoints;
  }

  /** The host's own visible endpoints. */
  endpointsOn(host: AgentId): readonly ViewEndpoint[] {
    const keys = this.#wantedOfHost.get(host) ?? [];
    return [...keys].flatMap((key) => {
      const network = this.#networkOf.get(key);
      const endpoint = network === undefined ? undefined : this.#visible.get(network)?.get(key);
      return endpoint === undefined ? [] : [endpoint];
    });
  }

  /** Says all endpoints that a slot has now; the ones that it had and that are missing here are gone. */
  setEndpoints(slot: SlotId, endpoints: readonly ViewEndpoint[]): void {
    for (const old of this.#wantedOfSlot.get(slot) ?? []) this.#unwant(old);
    for (const endpoint of endpoints) this.#want(endpoint);
    if (endpoints.length === 0) this.#wantedOfSlot.delete(slot);
    else this.#wantedOfSlot.set(slot, endpoints);
  }

  setHost(host: ViewHost): void {
    const known = this.#hosts.get(host.id);
    if (known !== undefined && sameFields(known, host)) return;
    this.#hosts.set(host.id, host);
    this.#dirtyHosts.add(host.id);
    if (known !== undefined) return;
    for (const key of this.#wantedOfHost.get(host.id) ?? []) this.#dirty.add(key);
  }

  /** The host is gone, with everything that was on it. */
  forgetHost(id: AgentId): void {
    this.#hosts.delete(id);
  }

  /** Says all networks that there are now. */
  setNetworks(networks: readonly ViewNetwork[]): void {
    const names = new Set(networks.map((network) => network.name));
    for (const name of this.#networks.keys()) {
      if (!names.has(name)) this.#changeNetwork(name, undefined);
    }
    for (const network of networks) this.#changeNetwork(network.name, network);
  }

  /** Makes visible what was set since the last commit, and tells what changed by that. */
  commit(): FabricChange {
    const change = new FabricChange();
    if (this.#dirtyNetworks.size > 0) {
      const routed = routedWith(this.#networks.values());
      this.#readers.reroute(routed, (name) => this.membersOf(name), change);
    }
    for (const key of this.#dirty) this.#commitEndpoint(key, change);
    for (const id of this.#dirtyHosts) {
      for (const network of this.networksOf(id)) change.network(network).refreshedHosts.add(id);
    }
    for (const name of this.#dirtyNetworks) {
      if (this.#readers.has(name)) change.network(name).redefined = true;
    }
    this.#dirty.clear();
    this.#dirtyHosts.clear();
    this.#dirtyNetworks.clear();
    return change;
  }

  #want(endpoint: ViewEndpoint): void {
    const key = endpointKey(endpoint);
    this.#wanted.set(key, endpoint);
    this.#dirty.add(key);
    const ofHost = this.#wantedOfHost.get(endpoint.host);
    if (ofHost === undefined) this.#wantedOfHost.set(endpoint.host, new Set([key]));
    else ofHost.add(key);
  }

  #unwant(endpoint: ViewEndpoint): void {
    const key = endpointKey(endpoint);
    this.#wanted.delete(key);
    this.#dirty.add(key);
    const ofHost = this.#wantedOfHost.get(endpoint.host);
    ofHost?.delete(key);
    if (ofHost?.size === 0) this.#wantedOfHost.delete(endpoint.host);
  }

  #changeNetwork(name: NetworkName, network: ViewNetwork | undefined): void {
    const known = this.#networks.get(name);
    if (known !== undefined && network !== undefined && sameNetwork(known, network)) return;
    if (network === undefined) this.#networks.delete(name);
    else this.#networks.set(name, network);
    this.#dirtyNetworks.add(name);
    if (known !== undefined && network !== undefined) return;
    // A network comes or goes as a whole: rare enough to look at every endpoint.
    for (const [key, endpoint] of this.#wanted) if (endpoint.network === name) this.#dirty.add(key);
  }

  #commitEndpoint(key: string, change: FabricChange): void {
    const oldNetwork = this.#networkOf.get(key);
    const before = oldNetwork === undefined ? undefined : this.#visible.get(oldNetwork)?.get(key);
    const wanted = this.#wanted.get(key);
    const after = wanted !== undefined && this.#complete(wanted) ? wanted : undefined;
    if (before !== undefined && after !== undefined && sameEndpoint(before, after)) return;
    if (before !== undefined) this.#hide(key, before, change);
    if (after !== undefined) this.#show(key, after, change);
  }

  #complete(endpoint: ViewEndpoint): boolean {
    return this.#hosts.has(endpoint.host) && this.#networks.has(endpoint.network);
  }

  #show(key: string, endpoint: ViewEndpoint, change: FabricChange): void {
    const { network, host } = endpoint;
    const endpoints = this.#visible.get(network);
    if (endpoints === undefined) this.#visible.set(network, new Map([[key, endpoint]]));
    else endpoints.set(key, endpoint);
    this.#networkOf.set(key, network);
    change.shown(key, endpoint);

    const members = this.#members.get(network) ?? new Map<AgentId, number>();
    this.#members.set(network, members);
    const count = members.get(host) ?? 0;
    members.set(host, count + 1);
    if (count > 0) return;
    this.#memberships.set(host, new Set(this.networksOf(host)).add(network));
    change.joined(host, network);
    this.#readers.join(host, network, change);
  }

  #hide(key: string, endpoint: ViewEndpoint, change: FabricChange): void {
    const { network, host } = endpoint;
    this.#visible.get(network)?.delete(key);
    if (this.#visible.get(network)?.size === 0) this.#visible.delete(network);
    this.#networkOf.delete(key);
    change.hidden(key, endpoint);

    const members = this.#members.get(network);
    const count = members?.get(host) ?? 0;
    if (members === undefined || count > 1) {
      members?.set(host, count - 1);
      return;
    }
    members.delete(host);
    if (members.size === 0) this.#members.delete(network);
    const rest = new Set(this.networksOf(host));
    rest.delete(network);
    if (rest.size === 0) this.#memberships.delete(host);
    else this.#memberships.set(host, rest);
    change.left(host, network);
    this.#readers.leave(host, network, change);
  }
}

const noNetworks: ReadonlySet<NetworkName> = new Set();
const noEndpoints: ReadonlyMap<string, ViewEndpoint> = new Map();

/** Equality of flat records. */
function sameFields<T extends object>(a: T, b: T): boolean {
  const keys = Object.keys(a) as (keyof T)[];
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}
