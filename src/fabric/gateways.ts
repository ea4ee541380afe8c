import type { AgentId } from '../model/ids.ts';
import type { View, ViewNetwork } from './view.ts';

/** True when hosts need a leg in the network: it has a way to the outside, in either direction. */
export const hasGateway = (network: ViewNetwork): boolean =>
  network.nat === true || network.forwards === true || (network.publications?.length ?? 0) > 0;

/** The networks in which the host `self` needs a leg: those with a gateway that it has an endpoint in. */
export function gatewayNetworks(view: View, self: AgentId): readonly ViewNetwork[] {
  if (!view.networks.some(hasGateway)) return [];
  const own = new Set(view.endpoints.filter(({ host }) => host === self).map(({ network }) => network));
  return view.networks.filter((network) => hasGateway(network) && own.has(network.name));
}
