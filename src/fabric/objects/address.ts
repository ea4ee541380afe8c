import { objectNumber } from '../cookie.ts';
import type { Flow } from '../flow.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf } from '../mac.ts';
import { addressKey } from '../object-key.ts';
import { appNumber } from '../traffic.ts';
import { table } from '../tables.ts';
import type { ViewEndpoint, ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { answerArp, fromApp, goTo } from './actions.ts';
import { FlowWriter } from './flow-writer.ts';
import { forwardFlows } from './forward.ts';
import { answersArpByRule } from './network.ts';
import { networkMatch } from './network-match.ts';
import { routedGuardFlows } from './route.ts';

/** An address with everything that its flows depend on. */
export interface Address {
  readonly network: ViewNetwork;
  readonly ip: string;
  readonly mac: string;
  /** At least one; at most one of them is active. */
  readonly incarnations: readonly [ViewEndpoint, ...ViewEndpoint[]];
}

/** The flows that lead to an address from this host, and those that admit what it sends from other hosts. */
export function addressFlows(address: Address, index: ViewIndex, local: LocalSwitch): Flow[] {
  const out = new FlowWriter(local.round, objectNumber(addressKey(address.incarnations[0])));
  guardFlows(out, address, index, local);
  arpFlows(out, address, index, local);
  forwardFlows(out, address, index, local);
  return out.flows;
}

/**
 * Fencing: from the tunnel, the address's MAC is accepted from the hosts of its incarnations alone, so a host that
 * was cut off and still runs an old one is not heard by anybody. Only IPv4 travels; ARP ends at each switch.
 */
function guardFlows(out: FlowWriter, address: Address, index: ViewIndex, local: LocalSwitch): void {
  const source = `${networkMatch(address.network.vni)},dl_src=${address.mac}`;
  const accept = `${fromApp(appNumber(address.incarnations[0].app))},${goTo(table.forward)}`;
  const owners = new Set<string>();
  for (const { host } of address.incarnations) {
    const underlayIp = host === local.agentId ? undefined : index.hosts.get(host)?.underlayIp;
    if (underlayIp !== undefined) owners.add(underlayIp);
  }
  for (const underlayIp of owners) {
    const match = `ip,${source},tun_src=${underlayIp}`;
    out.flow('endpointRemote', table.tunnelGuard, 100, match, accept);
  }
  routedGuardFlows(out, address, owners, accept, index);
  out.drop('fenced', table.tunnelGuard, 50, source);
}

function arpFlows(out: FlowWriter, address: Address, index: ViewIndex, local: LocalSwitch): void {
  const { network, ip, mac } = address;
  const ask = `arp,${networkMatch(network.vni)},arp_op=1,arp_tpa=${ip}`;
  if (address.incarnations.some(({ host }) => host === local.agentId)) {
    // Its owner asks whether somebody else has it: the silence says that nobody has.
    out.drop('own-address', table.arp, 100, `arp,${networkMatch(network.vni)},dl_src=${mac},arp_tpa=${ip}`);
  }
  const byRule =
    answersArpByRule(index.addressCounts.get(network.name) ?? 0) && mac === macOf(network.vni, ip);
  if (!byRule) out.flow('service', table.arp, 50, ask, answerArp(ip, mac));
}
