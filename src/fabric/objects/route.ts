import { macOf, macPrefixOf } from '../mac.ts';
import { table } from '../tables.ts';
import type { ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { goTo } from './actions.ts';
import type { Address } from './address.ts';
import type { FlowWriter } from './flow-writer.ts';
import { networkMatch } from './network-match.ts';

/**
 * What a network's endpoints may send to other networks by their gateway. It is routed on the sender's own host: the
 * frame goes on in the other network as one of its gateway, to the MAC that the address has by rule. A route that was
 * given in the other direction alone lets no connection and no ping begin here; of what has no beginning (UDP) each
 * direction is let through.
 */
export function routeFlows(out: FlowWriter, network: ViewNetwork, index: ViewIndex): void {
  const own = macOf(network.vni, network.gateway);
  for (const { network: other, opens } of index.routes.get(network.name) ?? []) {
    const leaving = (protocol: string): string =>
      `${protocol},${networkMatch(network.vni)},dl_dst=${own},nw_dst=${other.cidr}`;
    out.flow('gateway', table.gateway, 90, leaving('ip'), routeInto(other));
    if (opens) continue;
    out.drop('not-routed', table.gateway, 95, `${leaving('tcp')},tcp_flags=+syn-ack`);
    out.drop('not-routed', table.gateway, 95, `${leaving('icmp')},icmp_type=8`);
  }
}

/** The tunnel guard for what hosts route out of the address's network: it comes from the hosts of the address alone. */
export function routedGuardFlows(
  out: FlowWriter,
  { network, ip }: Address,
  owners: Iterable<string>,
  accept: string,
  index: ViewIndex,
): void {
  const routes = index.routes.get(network.name);
  if (routes === undefined) return;
  for (const underlayIp of owners) {
    for (const { network: other } of routes) {
      const router = macOf(other.vni, other.gateway);
      const match = `ip,${networkMatch(other.vni)},dl_src=${router},nw_src=${ip},tun_src=${underlayIp}`;
      out.flow('endpointRemote', table.tunnelGuard, 100, match, accept);
    }
  }
}

const routeInto = ({ vni, gateway }: ViewNetwork): string =>
  `dec_ttl,set_field:${macOf(vni, gateway)}->eth_src,` +
  `set_field:${macPrefixOf(vni)}:00:00:00:00/ff:ff:00:00:00:00->eth_dst,` +
  'move:NXM_OF_IP_DST[]->NXM_OF_ETH_DST[0..31],' +
  `set_field:${vni}->reg0,${goTo(table.forward)}`;
