import type { NetworkName } from '../model/ids.ts';
import { endpointKey } from './view.ts';
import type { EndpointKey, ViewEndpoint } from './view.ts';

/**
 * Names a group of flows that is compiled as a whole: the switch itself, a network, its counters, an address of a network (with
 * every incarnation that has it) or the port of one local incarnation.
 */
export type ObjectKey =
  'base' | `network:${string}` | `traffic:${string}` | `address:${string}` | `port:${string}`;

/** The flows that belong to a network as such. */
export const networkKey = (network: NetworkName): ObjectKey => `network:${network}`;

/** The flows that count what a network's apps get on this host. */
export const trafficKey = (network: NetworkName): ObjectKey => `traffic:${network}`;

/** The flows that lead to an address: guard, ARP, forwarding. Incarnations of one slot share it. */
export const addressKey = (endpoint: Pick<ViewEndpoint, 'network' | 'ip'>): ObjectKey =>
  `address:${endpoint.network}/${endpoint.ip}`;

/** The flows of the port that a local incarnation is plugged into. */
export const portKey = (endpoint: EndpointKey): ObjectKey => `port:${endpointKey(endpoint)}`;

const kinds = /^(?:base|(?:network|traffic|address|port):.+)$/;

/** A key that was written as text; undefined when it is none. */
export const objectKeyFromText = (text: string): ObjectKey | undefined =>
  kinds.test(text) ? (text as ObjectKey) : undefined;
