import type { AgentId } from '../model/ids.ts';
import { parseCidr, subnetContains } from './cidr.ts';
import { formatIpv4, parseIpv4 } from './ipv4.ts';
import { endpointsOn } from './own-endpoints.ts';
import type { View, ViewNetwork } from './view.ts';

/** True when the network has a way to the outside through its hosts, in either direction. */
export const hasGateway = (network: ViewNetwork): boolean =>
  network.nat === true || network.forwards === true || (network.publications?.length ?? 0) > 0;

/** The networks in which the host `self` has a leg: those that it has an endpoint in. */
export function legNetworks(view: View, self: AgentId): readonly ViewNetwork[] {
  const own = new Set(endpointsOn(view, self).map(({ network }) => network));
  return view.networks.filter(({ name }) => own.has(name));
}

/** True when the network's subnet holds the address. */
export const holdsAddress = ({ cidr }: Pick<ViewNetwork, 'cidr'>, address: string): boolean =>
  subnetContains(parseCidr(cidr), parseIpv4(address));

/** Where every host answers what its own endpoints ask of names and leases; at the MAC of the gateway. */
export const serviceAddress = ({ cidr }: Pick<ViewNetwork, 'cidr'>): string =>
  formatIpv4(parseCidr(cidr).service);
