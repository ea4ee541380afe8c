import { serviceAddress } from '../gateways.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf } from '../mac.ts';
import { table } from '../tables.ts';
import { endpointKey, type ViewEndpoint, type ViewNetwork } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { goTo, toPort } from './actions.ts';
import type { FlowWriter } from './flow-writer.ts';

const everybody = 'ff:ff:ff:ff:ff:ff';
/** UDP ports of DHCP: those of clients and of servers. */
const clientPort = 68;
const serverPort = 67;

/**
 * What a machine may send to get its address and to keep it, all of it with its own MAC: before it has one, when it asks
 * anybody for more time, and when it asks the server that it knows. It goes to this host's server and nowhere else.
 */
export function leasePortFlows(
  out: FlowWriter,
  { device, mac, ip }: ViewEndpoint,
  network: ViewNetwork,
  ofport: number,
  local: LocalSwitch,
): void {
  const leg = local.gatewayOfports?.get(network.name);
  if (device === undefined || leg === undefined) return;
  const own = `udp,in_port=${ofport},dl_src=${mac}`;
  const ports = `tp_src=${clientPort},tp_dst=${serverPort}`;
  for (const source of ['0.0.0.0', ip]) {
    const match = `${own},dl_dst=${everybody},nw_src=${source},nw_dst=255.255.255.255,${ports}`;
    out.flow('service', table.portSecurity, 110, match, toPort(leg));
  }
  const router = macOf(network.vni, network.gateway);
  for (const server of [serviceAddress(network), network.gateway]) {
    const match = `${own},dl_dst=${router},nw_src=${ip},nw_dst=${server},${ports}`;
    out.flow('service', table.portSecurity, 110, match, toPort(leg));
  }
}

/** What the server of this host answers: to one machine by its address, or to everybody, which are the machines here. */
export function leaseAnswerFlows(
  out: FlowWriter,
  network: ViewNetwork,
  index: ViewIndex,
  local: LocalSwitch,
): void {
  const leg = local.gatewayOfports?.get(network.name);
  if (leg === undefined) return;
  const machines = [...index.ports.values()].filter(
    (endpoint) => endpoint.network === network.name && endpoint.device !== undefined,
  );
  const ofports = machines.flatMap((machine) => local.ofports.get(endpointKey(machine)) ?? []);
  if (ofports.length === 0) return;
  const answer = `udp,in_port=${leg},dl_src=${macOf(network.vni, network.gateway)}`;
  const ports = `tp_src=${serverPort},tp_dst=${clientPort}`;
  const toAll = ofports.map((ofport) => `output:${ofport}`).join();
  out.flow('service', table.classify, 96, `${answer},dl_dst=${everybody},${ports}`, toAll);
  const enter = `set_field:${network.vni}->reg0,${goTo(table.forward)}`;
  out.flow('service', table.classify, 95, `${answer},${ports}`, enter);
}
