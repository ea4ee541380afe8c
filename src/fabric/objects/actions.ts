import type { LocalSwitch } from '../local-switch.ts';
import { outsideNumber } from '../traffic.ts';
import { table } from '../tables.ts';
import type { TableNumber } from '../tables.ts';

/** Throws the frame away; the flow's cookie says why. */
export const drop = 'drop';

/** Goes on in a later table. OpenFlow only allows forward jumps, so no frame can run in circles. */
export const goTo = (next: TableNumber): string => `goto_table:${next}`;

/** Puts the frame out of a port of this switch; `app` is the number of the app behind it. */
export const toPort = (ofport: number, app = outsideNumber): string =>
  `set_field:${ofport}->reg3,${app === outsideNumber ? '' : `set_field:${app}->reg4,`}${goTo(table.traffic)}`;

/** Says whose frame it is: the number of the sender's app. */
export const fromApp = (app: number): string => `set_field:${app}->reg2`;

/**
 * Sends the frame to another host; undefined when a mesh has no port to it yet. Sets the whole tunnel id, flag bits
 * included, so none is passed on by accident.
 */
export function toHost(vni: number, underlayIp: string, local: LocalSwitch): string | undefined {
  if (local.peerOfports === undefined)
    return `set_field:${vni}->tun_id,set_field:${underlayIp}->tun_dst,output:${local.tunnelOfport}`;
  const ofport = local.peerOfports.get(underlayIp);
  return ofport === undefined ? undefined : `set_field:${vni}->tun_id,output:${ofport}`;
}

/** `actions` that may send the frame back through the port that it came in by, which a switch else never does. */
export const evenBack = (actions: string): string => `load:0->NXM_OF_IN_PORT[],${actions}`;

/** Looks up the mark of the frame's connection, then goes on. */
export const findConnection = (zone: number): string => `ct(zone=${zone},table=${table.connections})`;

/** Marks the frame's connection, which it begins or begins anew. */
export const markConnection = (zone: number, mark: number): string =>
  `ct(commit,zone=${zone},exec(set_field:${mark}->ct_mark))`;

/** Turns an ARP request into the answer that `ip` is at `mac`, and sends it back where it came from. */
export const answerArp = (ip: string, mac: string): string =>
  'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],' +
  `set_field:${mac}->eth_src,set_field:2->arp_op,` +
  `move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],set_field:${mac}->arp_sha,` +
  `move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:${ip}->arp_spa,IN_PORT`;

/** Turns a ping of `ip`, which is at `mac`, into its answer, and sends it back where it came from. */
export const answerPing = (ip: string, mac: string): string =>
  `move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:${mac}->eth_src,` +
  `move:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],set_field:${ip}->ip_src,` +
  'set_field:0->icmp_type,set_field:64->nw_ttl,IN_PORT';

/** Like answerArp for every address at once: the MAC is made of the network's two bytes (`0a:07`) and the address asked for. */
export const answerArpByRule = (macPrefix: string): string =>
  'move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],set_field:2->arp_op,' +
  'move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],' +
  `move:NXM_OF_ARP_TPA[]->NXM_NX_ARP_SHA[0..31],set_field:${macPrefix}:00:00:00:00/ff:ff:00:00:00:00->arp_sha,` +
  'move:NXM_NX_ARP_SHA[]->NXM_OF_ETH_SRC[],move:NXM_OF_ARP_TPA[]->NXM_NX_REG5[],' +
  'move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],move:NXM_NX_REG5[]->NXM_OF_ARP_SPA[],IN_PORT';
