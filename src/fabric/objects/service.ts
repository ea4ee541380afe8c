import { serviceAddress } from '../gateways.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf } from '../mac.ts';
import { table } from '../tables.ts';
import type { ViewNetwork } from '../view.ts';
import { answerArp, answerPing, goTo, toPort } from './actions.ts';
import type { FlowWriter } from './flow-writer.ts';
import { networkMatch } from './network-match.ts';

const namesPort = 53;

/**
 * The service address of a network: like the gateway the same on every host and answered by the sender's own. Only
 * questions of names reach the kernel by it, and only answers to them come back.
 */
export function serviceFlows(out: FlowWriter, network: ViewNetwork, local: LocalSwitch): void {
  const { vni, gateway } = network;
  const service = serviceAddress(network);
  const mac = macOf(vni, gateway);
  const inNetwork = networkMatch(vni);
  out.flow('service', table.arp, 60, `arp,${inNetwork},arp_op=1,arp_tpa=${service}`, answerArp(service, mac));
  const ping = `icmp,${inNetwork},dl_dst=${mac},nw_dst=${service},icmp_type=8,icmp_code=0`;
  out.flow('service', table.gateway, 110, ping, answerPing(service, mac));
  const ofport = local.gatewayOfports?.get(network.name);
  if (ofport === undefined) return;
  const inPort = `in_port=${ofport}`;
  const enter = `set_field:${vni}->reg0`;
  out.flow('service', table.classify, 90, `arp,${inPort},dl_src=${mac}`, `${enter},${goTo(table.arp)}`);
  out.drop('unsupported-protocol', table.classify, 80, inPort);
  for (const protocol of ['udp', 'tcp'] as const) {
    const question = `${protocol},${inNetwork},dl_dst=${mac},nw_dst=${service},tp_dst=${namesPort}`;
    out.flow('service', table.gateway, 110, question, toPort(ofport));
    const answer = `${protocol},${inPort},dl_src=${mac},nw_src=${service},tp_src=${namesPort}`;
    out.flow('service', table.classify, 95, answer, `${enter},${goTo(table.forward)}`);
  }
}
