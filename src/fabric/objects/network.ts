import { objectNumber } from '../cookie.ts';
import type { Flow } from '../flow.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf, macPrefixOf } from '../mac.ts';
import { networkKey } from '../object-key.ts';
import { table } from '../tables.ts';
import type { ViewNetwork } from '../view.ts';
import { answerArp, answerArpByRule } from './actions.ts';
import type { ViewIndex } from '../view-index.ts';
import { FlowWriter } from './flow-writer.ts';
import { gatewayFlows } from './gateway.ts';
import { leaseAnswerFlows } from './lease.ts';
import { networkMatch } from './network-match.ts';
import { routeFlows } from './route.ts';
import { serviceFlows } from './service.ts';

/** Up to here each address of a network has an ARP flow, so that addresses not in use are not answered. */
export const maxArpFlows = 2_000;

/** True when the network has so many addresses that one flow answers for all of them, in use or not. */
export const answersArpByRule = (addressCount: number): boolean => addressCount > maxArpFlows;

/** The flows of a network as such: its gateway, and what happens to frames that no endpoint accounts for. */
export function networkFlows(network: ViewNetwork, index: ViewIndex, local: LocalSwitch): Flow[] {
  const addressCount = index.addressCounts.get(network.name) ?? 0;
  const out = new FlowWriter(local.round, objectNumber(networkKey(network.name)));
  const inNetwork = networkMatch(network.vni);
  const { vni, gateway, cidr } = network;
  // A source that the view does not know in this network: an incarnation that was removed, on a host that missed it.
  out.drop('fenced', table.tunnelGuard, 10, inNetwork);
  out.flow(
    'service',
    table.arp,
    60,
    `arp,${inNetwork},arp_op=1,arp_tpa=${gateway}`,
    answerArp(gateway, macOf(vni, gateway)),
  );
  if (answersArpByRule(addressCount)) {
    out.flow(
      'service',
      table.arp,
      40,
      `arp,${inNetwork},arp_op=1,arp_tpa=${cidr}`,
      answerArpByRule(macPrefixOf(vni)),
    );
  }
  serviceFlows(out, network, local);
  leaseAnswerFlows(out, network, index, local);
  gatewayFlows(out, network, index, local);
  routeFlows(out, network, index);
  out.drop('unknown-destination', table.forward, 10, inNetwork);
  return out.flows;
}
