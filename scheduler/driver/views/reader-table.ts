import type { AgentId, NetworkName } from '../../../src/model/ids.ts';
import type { FabricChange } from './fabric-change.ts';

type Routed = ReadonlyMap<NetworkName, ReadonlySet<NetworkName>>;

/**
 * Which hosts must know which networks: the members of a network know it and every network that it is routed with.
 * INVARIANT: a host is counted once in a network for each network of its own that makes it know that one.
 */
export class ReaderTable {
  readonly #readers = new Map<NetworkName, Map<AgentId, number>>();
  readonly #networks = new Map<AgentId, Set<NetworkName>>();
  #routed: Routed = new Map();

  has(network: NetworkName): boolean {
    return this.#readers.has(network);
  }

  of(network: NetworkName): Iterable<AgentId> {
    return this.#readers.get(network)?.keys() ?? [];
  }

  networksOf(host: AgentId): ReadonlySet<NetworkName> {
    return this.#networks.get(host) ?? noNetworks;
  }

  /** The host became a member of the network. */
  join(host: AgentId, network: NetworkName, change: FabricChange): void {
    this.#add(host, network, change);
    for (const other of this.#routed.get(network) ?? noNetworks) this.#add(host, other, change);
  }

  /** The host is no member of the network any more. */
  leave(host: AgentId, network: NetworkName, change: FabricChange): void {
    this.#remove(host, network, change);
    for (const other of this.#routed.get(network) ?? noNetworks) this.#remove(host, other, change);
  }

  /** Other networks are routed with each other from now on. */
  reroute(
    routed: Routed,
    membersOf: (network: NetworkName) => Iterable<AgentId>,
    change: FabricChange,
  ): void {
    const before = this.#routed;
    this.#routed = routed;
    for (const network of new Set([...before.keys(), ...routed.keys()])) {
      const old = before.get(network) ?? noNetworks;
      const now = routed.get(network) ?? noNetworks;
      for (const host of membersOf(network)) {
        for (const other of now) if (!old.has(other)) this.#add(host, other, change);
        for (const other of old) if (!now.has(other)) this.#remove(host, other, change);
      }
    }
  }

  #add(host: AgentId, network: NetworkName, change: FabricChange): void {
    const readers = this.#readers.get(network) ?? new Map<AgentId, number>();
    this.#readers.set(network, readers);
    const count = readers.get(host) ?? 0;
    readers.set(host, count + 1);
    if (count > 0) return;
    const known = this.#networks.get(host);
    if (known === undefined) this.#networks.set(host, new Set([network]));
    else known.add(network);
    change.informed(host, network);
  }

  #remove(host: AgentId, network: NetworkName, change: FabricChange): void {
    const readers = this.#readers.get(network);
    const count = readers?.get(host) ?? 0;
    if (readers === undefined || count > 1) {
      readers?.set(host, count - 1);
      return;
    }
    readers.delete(host);
    if (readers.size === 0) this.#readers.delete(network);
    const known = this.#networks.get(host);
    known?.delete(network);
    if (known?.size === 0) this.#networks.delete(host);
    change.dismissed(host, network);
  }
}

const noNetworks: ReadonlySet<NetworkName> = new Set();
