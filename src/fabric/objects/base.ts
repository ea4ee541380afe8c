import { cookieOf } from '../cookie.ts';
import type { Flow } from '../flow.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { echoIp, echoMac, echoPort, selfTestVni } from '../self-test.ts';
import { flag, table } from '../tables.ts';
import { drop, goTo } from './actions.ts';
import { networkMatch } from './network-match.ts';
import { FlowWriter } from './flow-writer.ts';

const fromTunnelActions =
  // The low 20 bits are the network; bit 23 says that another host redirected the frame.
  'move:NXM_NX_TUN_ID[0..19]->NXM_NX_REG0[0..19],move:NXM_NX_TUN_ID[23]->NXM_NX_REG1[1],' +
  `set_field:${flag.fromTunnel}->reg1,${goTo(table.tunnelGuard)}`;

const echoMatch = `udp,${networkMatch(selfTestVni)},nw_dst=${echoIp},tp_dst=${echoPort}`;

/** Sends a datagram of another host's self-test back to that host. */
const echoActions =
  `move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:${echoMac}->eth_src,` +
  `move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],set_field:${echoIp}->ip_src,` +
  `move:NXM_NX_TUN_IPV4_SRC[]->NXM_NX_TUN_IPV4_DST[],set_field:${selfTestVni}->tun_id,IN_PORT`;

/** The flows that are there whatever the view holds: where frames come in, and the end of every table. */
export function baseFlows(local: LocalSwitch): Flow[] {
  const out = new FlowWriter(local.round, 0);
  // A tagged frame would pass for an untagged one further on, where only the inner protocol is matched.
  out.drop('tagged', table.classify, 200, 'vlan_tci=0x1000/0x1000');
  for (const ofport of local.peerOfports?.values() ?? [local.tunnelOfport]) {
    out.flow('base', table.classify, 100, `in_port=${ofport}`, fromTunnelActions);
  }
  out.drop('unknown-port', table.classify, 0, '');
  out.flows.push(canaryFlow(local.round));
  out.flow('service', table.tunnelGuard, 120, echoMatch, echoActions);
  out.drop('unknown-network', table.tunnelGuard, 0, '');
  // Every Linux interface sends router solicitations; they are no sign of spoofing.
  out.drop('unsupported-protocol', table.portSecurity, 60, 'ipv6');
  out.drop('spoofed', table.portSecurity, 0, '');
  out.drop('unanswered-arp', table.arp, 0, '');
  out.flow('base', table.gateway, 0, '', goTo(table.forward));
  out.drop('multicast', table.forward, 50, 'dl_dst=01:00:00:00:00:00/01:00:00:00:00:00');
  out.drop('unknown-destination', table.forward, 0, '');
  out.flow('base', table.traffic, 0, '', goTo(table.output));
  out.flow('base', table.output, 100, '', 'output:NXM_NX_REG3[]');
  return out.flows;
}

/** The flow whose absence shows that Open vSwitch lost the flows of this round; no frame ever meets it. */
export function canaryFlow(round: number): Flow {
  const cookie = cookieOf(round, 'base', 0);
  return { table: table.canary, priority: 0, match: '', actions: drop, cookie };
}
