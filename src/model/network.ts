import type { NetworkName } from './ids.ts';

/** One layer-2 network on the fabric. Addresses and ranges are dotted text; arithmetic is in src/fabric. */
export interface Network {
  readonly name: NetworkName;
  /** Virtual network identifier, 1 … 2^20-1 (the higher VNI bits carry flags). */
  readonly vni: number;
  /** IPv4 subnet, `10.32.0.0/16`. .1 is the gateway, .2 the service address; neither is ever leased. */
  readonly cidr: string;
  /** Part of the subnet that is leased without a pin, `first-last`; the whole subnet when absent. */
  readonly range?: string;
  /** Bytes; computed from the underlay when absent. */
  readonly mtu?: number;
  /** Names live under it, `patchpanel.internal`. */
  readonly domain: string;
  /** Containers reach what is outside by their host's own address. */
  readonly nat?: boolean;
  /** The networks in which its containers may open connections; answers come back. */
  readonly routes?: readonly NetworkName[];
  /** How long an address that was freed is kept from others, in seconds. */
  readonly quarantineSeconds: number;
}
