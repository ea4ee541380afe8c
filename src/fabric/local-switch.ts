import type { AgentId, NetworkName } from '../model/ids.ts';

/** What the compiler must know of the switch that it compiles for. */
export interface LocalSwitch {
  /** The host whose switch it is. */
  readonly agentId: AgentId;
  /** Counts full re-installations, 1 … 65535; part of every cookie. */
  readonly round: number;
  /** OpenFlow port of the one tunnel port. */
  readonly tunnelOfport: number;
  /** In a mesh: OpenFlow port of each peer by its underlay address, instead of the one port; absent otherwise. */
  readonly peerOfports?: ReadonlyMap<string, number>;
  /** OpenFlow port of this host's leg in each network; a network without one has none here (yet). */
  readonly gatewayOfports?: ReadonlyMap<NetworkName, number>;
  /** OpenFlow ports of this host's endpoints by `endpointKey`; an endpoint without one is not plugged in yet. */
  readonly ofports: ReadonlyMap<string, number>;
}
