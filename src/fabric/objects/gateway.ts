import { hasGateway } from '../gateways.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf } from '../mac.ts';
import { flag, table } from '../tables.ts';
import type { ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { answerPing, goTo, toHost, toPort } from './actions.ts';
import type { FlowWriter } from './flow-writer.ts';
import { networkMatch } from './network-match.ts';

/**
 * The gateway of a network: the same address and MAC on every host, answered by each. What leaves goes through a port
 * to the kernel of the sender's own host. A host speaks to containers as its underlay address, so that answers find
 * the host again that asked, whichever host the container is on.
 */
export function gatewayFlows(
  out: FlowWriter,
  network: ViewNetwork,
  index: ViewIndex,
  local: LocalSwitch,
): void {
  const { vni, gateway } = network;
  const mac = macOf(vni, gateway);
  const inNetwork = networkMatch(vni);
  const ping = `icmp,${inNetwork},dl_dst=${mac},nw_dst=${gateway},icmp_type=8,icmp_code=0`;
  out.flow('gateway', table.gateway, 110, ping, answerPing(gateway, mac));
  if (!hasGateway(network)) return;
  const leaving = `ip,${inNetwork},dl_dst=${mac}`;
  for (const underlayIp of peersOf(index, local)) {
    const way = toHost(vni, underlayIp, local);
    if (way !== undefined) out.flow('gateway', table.gateway, 100, `${leaving},nw_dst=${underlayIp}`, way);
    const host = `ip,${inNetwork},dl_src=${mac},nw_src=${underlayIp},tun_src=${underlayIp}`;
    out.flow('gateway', table.tunnelGuard, 100, host, goTo(table.forward));
  }
  const ofport = local.gatewayOfports?.get(network.name);
  if (ofport !== undefined) ownFlows(out, network, ofport, index, local);
  if (ofport === undefined || network.nat !== true) out.drop('not-routed', table.gateway, 50, leaving);
}

/** The flows of this host's own leg in the network. */
function ownFlows(
  out: FlowWriter,
  { vni, gateway, nat }: ViewNetwork,
  ofport: number,
  index: ViewIndex,
  local: LocalSwitch,
): void {
  const inNetwork = networkMatch(vni);
  const mac = macOf(vni, gateway);
  const inPort = `in_port=${ofport}`;
  const enter = `set_field:${vni}->reg0`;
  out.flow('gateway', table.classify, 90, `ip,${inPort},dl_src=${mac}`, `${enter},${goTo(table.forward)}`);
  const underlayIp = index.hosts.get(local.agentId)?.underlayIp;
  if (underlayIp !== undefined) {
    const here = `dl_dst=${mac},nw_dst=${underlayIp}`;
    out.flow('gateway', table.gateway, 100, `ip,${inNetwork},${here}`, toPort(ofport));
    out.flow(
      'gateway',
      table.forward,
      100,
      `ip,${inNetwork},reg1=${flag.fromTunnel},${here}`,
      toPort(ofport),
    );
  }
  if (nat === true) out.flow('gateway', table.gateway, 50, `ip,${inNetwork},dl_dst=${mac}`, toPort(ofport));
}

/** Underlay addresses of the other hosts; two may have one for a while. */
function peersOf(index: ViewIndex, local: LocalSwitch): ReadonlySet<string> {
  const own = index.hosts.get(local.agentId)?.underlayIp;
  const peers = new Set<string>();
  for (const { underlayIp } of index.hosts.values()) if (underlayIp !== own) peers.add(underlayIp);
  return peers;
}
