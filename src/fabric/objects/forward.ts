import { portRange } from '../incarnations.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { macOf } from '../mac.ts';
import { flag, table } from '../tables.ts';
import type { EndpointState, ViewEndpoint } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import type { Address } from './address.ts';
import type { FlowWriter } from './flow-writer.ts';
import { handoverFlows, highPorts } from './handover.ts';
import { networkMatch } from './network-match.ts';
import { placeOf } from './place.ts';

/**
 * Who gets a frame for the address. The active incarnation gets everything; while there is another beside it,
 * replies to connections that an incarnation opened itself go to that one, told apart by the destination port
 * alone, so no host keeps any state. What the two hosts of a handover do besides is in handover.ts.
 */
export function forwardFlows(out: FlowWriter, address: Address, index: ViewIndex, local: LocalSwitch): void {
  const destination = `dl_dst=${address.mac}`;
  const write = (priority: number, incarnation: ViewEndpoint, protocol: string, rest: string): void => {
    const place = placeOf(incarnation, address.network, index, local);
    if (place === undefined) return;
    const purpose =
      protocol === '' ? (place.local ? 'endpointLocal' : 'endpointRemote') : ('handover' as const);
    // Split horizon: what came out of the tunnel never goes back into it.
    const horizon = place.local ? '' : `,reg1=${flag.notFromTunnel}`;
    const match = `${protocol}${networkMatch(address.network.vni)}${horizon},${destination}${rest}`;
    out.flow(purpose, table.forward, priority, match, place.actions);
  };
  const active = address.incarnations.find(({ state }) => state === 'active');
  if (active !== undefined) write(100, active, '', '');
  if (active?.device !== undefined) routedFlows(out, address, active, index, local);
  if (address.incarnations.length === 1 && active !== undefined) return;
  for (const incarnation of ownersOfQuarters(address.incarnations)) {
    const ports = `,tp_dst=${portRange(incarnation.epoch).match}`;
    write(250, incarnation, 'tcp,', `${ports},tcp_flags=+ack`);
    write(250, incarnation, 'udp,', ports);
  }
  if (active !== undefined) {
    for (const protocol of ['tcp', 'udp'] as const) {
      // What the app listens on there is no reply to anything that it opened.
      for (const port of highPorts(active, protocol)) write(290, active, `${protocol},`, `,tp_dst=${port}`);
    }
  }
  handoverFlows(out, address, index, local);
}

/** Routers send to the MAC that an address has by rule; a machine may have another. */
function routedFlows(
  out: FlowWriter,
  { network, ip, mac }: Address,
  machine: ViewEndpoint,
  index: ViewIndex,
  local: LocalSwitch,
): void {
  const byRule = macOf(network.vni, ip);
  const place = placeOf(machine, network, index, local);
  if (byRule === mac || place === undefined || !index.routes.has(network.name)) return;
  const horizon = place.local ? '' : `,reg1=${flag.notFromTunnel}`;
  const match = `ip,${networkMatch(network.vni)}${horizon},dl_dst=${byRule}`;
  out.flow('gateway', table.forward, 90, match, `set_field:${mac}->eth_dst,${place.actions}`);
}

/** Whom a quarter of the port space belongs to when incarnations of equal parity meet: the one that has more to lose. */
const precedence: Readonly<Record<EndpointState, number>> = {
  active: 0,
  draining: 1,
  anchored: 2,
  standby: 3,
};

function ownersOfQuarters(incarnations: readonly ViewEndpoint[]): ViewEndpoint[] {
  const owners = new Map<string, ViewEndpoint>();
  const ordered = [...incarnations].sort(
    (a, b) => precedence[a.state] - precedence[b.state] || b.epoch - a.epoch,
  );
  for (const incarnation of ordered) {
    const quarter = portRange(incarnation.epoch).match;
    if (!owners.has(quarter)) owners.set(quarter, incarnation);
  }
  return [...owners.values()];
}
