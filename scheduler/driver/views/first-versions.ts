import type { AgentId, NetworkName } from '../../../src/model/ids.ts';
import type { FabricChange } from './fabric-change.ts';

/**
 * For each network the version with which a host came to know it: what the host put in force before that says nothing
 * of the network. As large as who knows what.
 */
export class FirstVersions {
  readonly #byNetwork = new Map<NetworkName, Map<AgentId, number>>();

  /** Version n makes the change. */
  note(change: FabricChange, n: number): void {
    for (const [name, { informed, dismissed }] of change.networks) {
      const known = this.#byNetwork.get(name) ?? new Map<AgentId, number>();
      for (const host of dismissed) known.delete(host);
      for (const host of informed) known.set(host, n);
      if (known.size === 0) this.#byNetwork.delete(name);
      else this.#byNetwork.set(name, known);
    }
  }

  /** 0: the host does not know the network. */
  of(network: NetworkName, host: AgentId): number {
    return this.#byNetwork.get(network)?.get(host) ?? 0;
  }
}
