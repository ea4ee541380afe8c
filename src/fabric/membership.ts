import type { AgentId, NetworkName } from '../model/ids.ts';
import type { ViewEndpoint } from './view.ts';

/** What one step did to a network. */
interface SegmentStep {
  readonly put: Map<string, ViewEndpoint>;
  readonly removed: Map<string, ViewEndpoint>;
  /** Hosts whose number of endpoints changed, and whether they had any before the step. */
  readonly wasMember: Map<AgentId, boolean>;
}

interface Segment {
  readonly endpoints: Map<string, ViewEndpoint>;
  /** How many endpoints each host has in the network; at least one. */
  readonly members: Map<AgentId, number>;
}

const nobody: Segment = { endpoints: new Map(), members: new Map() };

/**
 * Which endpoints are in which network, and thereby which hosts take part in it, now and before the step under way.
 * INVARIANT: a host is a member of a network exactly while it has an endpoint in it.
 */
export class Membership {
  readonly #segments = new Map<NetworkName, Segment>();
  readonly #networksOf = new Map<AgentId, Set<NetworkName>>();
  #step = new Map<NetworkName, SegmentStep>();

  /** Makes the present state the one "before". */
  beginStep(): void {
    this.#step = new Map();
  }

  put(key: string, endpoint: ViewEndpoint): void {
    const step = this.#stepOf(endpoint.network, endpoint.host);
    const segment = this.#segments.get(endpoint.network) ?? { endpoints: new Map(), members: new Map() };
    this.#segments.set(endpoint.network, segment);
    segment.endpoints.set(key, endpoint);
    segment.members.set(endpoint.host, (segment.members.get(endpoint.host) ?? 0) + 1);
    this.#networks(endpoint.host).add(endpoint.network);
    step.put.set(key, endpoint);
  }

  remove(key: string, endpoint: ViewEndpoint): void {
    const step = this.#stepOf(endpoint.network, endpoint.host);
    const { endpoints, members } = this.#segments.get(endpoint.network) ?? nobody;
    endpoints.delete(key);
    const count = (members.get(endpoint.host) ?? 0) - 1;
    if (count > 0) members.set(endpoint.host, count);
    else this.#leave(endpoint.network, endpoint.host, members);
    if (endpoints.size === 0) this.#segments.delete(endpoint.network);
    step.removed.set(key, endpoint);
  }

  /** The networks that the step changed, with what it did. */
  changed(): ReadonlyMap<NetworkName, SegmentStep> {
    return this.#step;
  }

  endpoints(network: NetworkName): ReadonlyMap<string, ViewEndpoint> {
    return (this.#segments.get(network) ?? nobody).endpoints;
  }

  members(network: NetworkName): Iterable<AgentId> {
    return (this.#segments.get(network) ?? nobody).members.keys();
  }

  networksOf(host: AgentId): ReadonlySet<NetworkName> {
    return this.#networksOf.get(host) ?? new Set();
  }

  isMember(network: NetworkName, host: AgentId): boolean {
    return this.#segments.get(network)?.members.has(host) === true;
  }

  /** Whether the host took part before the step. */
  wasMember(network: NetworkName, host: AgentId): boolean {
    return this.#step.get(network)?.wasMember.get(host) ?? this.isMember(network, host);
  }

  /** True when the two hosts have a network in common. */
  share(one: AgentId, other: AgentId): boolean {
    for (const network of this.networksOf(one)) if (this.isMember(network, other)) return true;
    return false;
  }

  /** Whether they had one before the step. */
  shared(one: AgentId, other: AgentId): boolean {
    const had = (network: NetworkName): boolean =>
      this.wasMember(network, one) && this.wasMember(network, other);
    for (const network of this.networksOf(one)) if (had(network)) return true;
    for (const network of this.#step.keys()) if (had(network)) return true;
    return false;
  }

  #stepOf(network: NetworkName, host: AgentId): SegmentStep {
    const step = this.#step.get(network) ?? { put: new Map(), removed: new Map(), wasMember: new Map() };
    this.#step.set(network, step);
    if (!step.wasMember.has(host)) step.wasMember.set(host, this.isMember(network, host));
    return step;
  }

  #networks(host: AgentId): Set<NetworkName> {
    const networks = this.#networksOf.get(host) ?? new Set();
    this.#networksOf.set(host, networks);
    return networks;
  }

  #leave(network: NetworkName, host: AgentId, members: Map<AgentId, number>): void {
    members.delete(host);
    const networks = this.#networks(host);
    networks.delete(network);
    if (networks.size === 0) this.#networksOf.delete(host);
  }
}
