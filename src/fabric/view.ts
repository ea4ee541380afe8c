import type { AgentId, AppId, NetworkName, SlotId } from '../model/ids.ts';
import type { Encapsulation } from './interconnect.ts';
import type { Publication } from './publication.ts';

/**
 * What one host must know of the fabric: a versioned list of the networks that it hosts and, of these, every
 * endpoint and every host that takes part. Plain data; the wire form is proto/view.proto.
 */
export interface ViewVersion {
  /** Grows with each leader; a host refuses a lower one. */
  readonly term: number;
  /** Counts changes within the term. */
  readonly n: number;
}

export interface ViewHost {
  readonly id: AgentId;
  readonly hostname: string;
  /** Tunnel endpoint (VTEP) address. */
  readonly underlayIp: string;
  /** What its tunnels are wrapped in; VXLAN when absent. */
  readonly encapsulation?: Encapsulation;
  /** It has one tunnel port for each peer instead of one for all. */
  readonly portPerPeer?: boolean;
}

export interface ViewNetwork {
  readonly name: NetworkName;
  readonly vni: number;
  readonly cidr: string;
  readonly gateway: string;
  readonly mtu: number;
  readonly domain: string;
  /** Containers reach what is outside by their host's own address. */
  readonly nat?: boolean;
  /** The networks in which its containers may open connections; answers come back. */
  readonly routes?: readonly NetworkName[];
  readonly publications?: readonly Publication[];
  /** Some endpoint in it has a port of its host, or is let out by it: hosts need a gateway. */
  readonly forwards?: boolean;
}

/**
 * standby: plugged in but dark (it may open connections, it owns no name or address); anchored: still dark, but every
 * TCP frame for the address passes its switch, which will decide alone whose a connection is; active: owns the slot's
 * address; draining: keeps what was established before the flip.
 */
export type EndpointState = 'standby' | 'anchored' | 'active' | 'draining';

export interface ViewEndpoint {
  readonly slot: SlotId;
  readonly epoch: number;
  readonly app: AppId;
  readonly network: NetworkName;
  readonly host: AgentId;
  readonly ip: string;
  readonly mac: string;
  readonly hostname: string;
  readonly state: EndpointState;
  /** Of a draining one: the connections that it has stay with it, told apart by tracking them. */
  readonly keepsConnections?: boolean;
  /** Its host lets it out by its own address, also where the network does not. */
  readonly nat?: boolean;
  /** Of an active one: it is ready, so the app's name leads to it. */
  readonly serving?: boolean;
  /** Name of the port on its host's bridge, if it is a machine of the operator's that gets its address by DHCP. */
  readonly device?: string;
  /** What the app declares to listen on. */
  readonly ports: readonly ViewPort[];
}

/** A port of a container on the switch. */
export interface ViewPort {
  readonly number: number;
  readonly protocol: 'tcp' | 'udp';
  readonly name?: string;
  /** Port of the endpoint's host that leads to it. */
  readonly hostPort?: number;
}

/** INVARIANT: within one network each (ip) has at most one active endpoint; hosts and networks are complete for the endpoints. */
export interface View {
  readonly version: ViewVersion;
  readonly hosts: readonly ViewHost[];
  readonly networks: readonly ViewNetwork[];
  readonly endpoints: readonly ViewEndpoint[];
}

/** From one version to a later one of the same term. Endpoints are keyed by (slot, epoch), the rest by id and name. */
export interface ViewDelta {
  readonly from: ViewVersion;
  readonly to: ViewVersion;
  readonly hosts: readonly ViewHost[];
  readonly networks: readonly ViewNetwork[];
  readonly endpoints: readonly ViewEndpoint[];
  readonly removedHosts: readonly AgentId[];
  readonly removedNetworks: readonly NetworkName[];
  readonly removedEndpoints: readonly EndpointKey[];
}

export interface EndpointKey {
  readonly slot: SlotId;
  readonly epoch: number;
}

/** `/web#0@3`, the key of one incarnation in maps, ports and logs. */
export const endpointKey = (endpoint: EndpointKey): string => `${endpoint.slot}@${endpoint.epoch}`;
