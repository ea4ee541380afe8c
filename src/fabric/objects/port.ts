import { objectNumber } from '../cookie.ts';
import type { Flow } from '../flow.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { portKey } from '../object-key.ts';
import { appNumber } from '../traffic.ts';
import { table } from '../tables.ts';
import { macOf } from '../mac.ts';
import type { ViewEndpoint, ViewNetwork } from '../view.ts';
import { fromApp, goTo, toPort } from './actions.ts';
import { FlowWriter } from './flow-writer.ts';
import { leasePortFlows } from './lease.ts';

/**
 * What a local incarnation may send: frames of its own MAC with its own address. All states may send: a standby
 * reaches its database while it warms up, a draining one answers what it still serves.
 */
export function portFlows(
  endpoint: ViewEndpoint,
  network: ViewNetwork,
  ofport: number,
  local: LocalSwitch,
): Flow[] {
  const out = new FlowWriter(local.round, objectNumber(portKey(endpoint)));
  const { mac, ip } = endpoint;
  const inPort = `in_port=${ofport}`;
  const ownArp = `arp,${inPort},dl_src=${mac},arp_sha=${mac}`;
  const enter = `set_field:${network.vni}->reg0,${fromApp(appNumber(endpoint.app))},${goTo(table.portSecurity)}`;
  out.flow('endpointLocal', table.classify, 90, inPort, enter);
  out.flow('endpointLocal', table.portSecurity, 100, `${ownArp},arp_spa=${ip}`, goTo(table.arp));
  // A probe for an address that its sender does not have yet carries no sender address (RFC 5227).
  out.flow('endpointLocal', table.portSecurity, 90, `${ownArp},arp_op=1,arp_spa=0.0.0.0`, goTo(table.arp));
  out.flow(
    'endpointLocal',
    table.portSecurity,
    100,
    `ip,${inPort},dl_src=${mac},nw_src=${ip}`,
    goTo(table.gateway),
  );
  const way = wayOut(endpoint, local);
  if (way !== undefined) {
    const leaving = `ip,${inPort},dl_dst=${macOf(network.vni, network.gateway)},nw_src=${ip}`;
    out.flow('endpointLocal', table.gateway, 60, leaving, toPort(way));
  }
  leasePortFlows(out, endpoint, network, ofport, local);
  out.drop('spoofed', table.portSecurity, 10, inPort);
  // What nobody has is counted for who asks for it.
  out.drop('unanswered-arp', table.arp, 10, inPort);
  out.drop('unknown-destination', table.forward, 20, inPort);
  return out.flows;
}

/** The gateway's port, for one that its host lets out by itself. */
const wayOut = ({ nat, network }: ViewEndpoint, local: LocalSwitch): number | undefined =>
  nat === true ? local.gatewayOfports?.get(network) : undefined;
