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

/**
 * Why a host with this tunnel address can have no leg in the network, or undefined when it can. The leg's route leads
 * to the whole subnet: what the host has to say to other hosts, to the master and to the scheduler would go into it.
 */
export function legProblem({ name, cidr }: Subnetted, underlayIp: string): string | undefined {
  if (!subnetContains(parseCidr(cidr), parseIpv4(underlayIp))) return undefined;
  return (
    `the host's own address ${underlayIp} is within ${cidr} of network '${name}', so it has no gateway and no names ` +
    `there: give the network another subnet`
  );
}

type Subnetted = Pick<ViewNetwork, 'name' | 'cidr'>;

/** Where every host answers what its own endpoints ask of names and leases; at the MAC of the gateway. */
export const serviceAddress = ({ cidr }: Pick<ViewNetwork, 'cidr'>): string =>
  formatIpv4(parseCidr(cidr).service);
