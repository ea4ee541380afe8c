import type { ViewEndpoint } from '../../../src/fabric/view.ts';
import type { AgentId, NetworkName } from '../../../src/model/ids.ts';

/** What one commit changed in one network. */
export interface NetworkChange {
  /** The network's own settings changed. */
  redefined: boolean;
  /** Endpoints that are new or look different now, by key. */
  readonly shown: Map<string, ViewEndpoint>;
  /** Endpoints as they were, of those that are gone or look different now, by key. */
  readonly before: Map<string, ViewEndpoint>;
  /** Hosts that have endpoints in it now, or no more. */
  readonly joined: Set<AgentId>;
  readonly left: Set<AgentId>;
  /** Hosts that must know it now, or need not any more. */
  readonly informed: Set<AgentId>;
  readonly dismissed: Set<AgentId>;
  /** Members whose own record (address, name) changed. */
  readonly refreshedHosts: Set<AgentId>;
}

/** What one commit of the fabric changed, by network. Joining and leaving within one commit cancel out. */
export class FabricChange {
  readonly #networks = new Map<NetworkName, NetworkChange>();

  get networks(): ReadonlyMap<NetworkName, NetworkChange> {
    return this.#networks;
  }

  get empty(): boolean {
    return this.#networks.size === 0;
  }

  network(name: NetworkName): NetworkChange {
    const known = this.#networks.get(name);
    if (known !== undefined) return known;
    const made: NetworkChange = {
      redefined: false,
      shown: new Map(),
      before: new Map(),
      joined: new Set(),
      left: new Set(),
      informed: new Set(),
      dismissed: new Set(),
      refreshedHosts: new Set(),
    };
    this.#networks.set(name, made);
    return made;
  }

  shown(key: string, endpoint: ViewEndpoint): void {
    this.network(endpoint.network).shown.set(key, endpoint);
  }

  hidden(key: string, endpoint: ViewEndpoint): void {
    this.network(endpoint.network).before.set(key, endpoint);
  }

  joined(host: AgentId, network: NetworkName): void {
    const change = this.network(network);
    if (!change.left.delete(host)) change.joined.add(host);
  }

  left(host: AgentId, network: NetworkName): void {
    const change = this.network(network);
    if (!change.joined.delete(host)) change.left.add(host);
  }

  informed(host: AgentId, network: NetworkName): void {
    const change = this.network(network);
    if (!change.dismissed.delete(host)) change.informed.add(host);
  }

  dismissed(host: AgentId, network: NetworkName): void {
    const change = this.network(network);
    if (!change.informed.delete(host)) change.dismissed.add(host);
  }
}
