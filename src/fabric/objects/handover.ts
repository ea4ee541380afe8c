import { endpointKey } from '../view.ts';
import type { LocalSwitch } from '../local-switch.ts';
import { unknownNumber } from '../traffic.ts';
import { objectNumber } from '../cookie.ts';
import { flag, table } from '../tables.ts';
import type { ViewEndpoint } from '../view.ts';
import type { ViewIndex } from '../view-index.ts';
import { findConnection, fromApp, goTo, markConnection } from './actions.ts';
import type { Address } from './address.ts';
import type { FlowWriter } from './flow-writer.ts';
import { networkMatch } from './network-match.ts';
import { placeOf, type Place } from './place.ts';

/** The first port of the two quarters that incarnations open connections from. */
const firstQuarterPort = 32_768;

/**
 * How far a handover is, as this host's view has it. waiting: the new incarnation is dark. anchored: its switch sees
 * every TCP frame for the address and sends all of them to the old one. flipped: it keeps what begins from now on.
 * swapped: it keeps everything.
 */
type Progress = 'waiting' | 'anchored' | 'flipped' | 'swapped';

/** Old and new incarnation of an address, from this host. */
interface Sides {
  readonly fresh: ViewEndpoint;
  readonly freshPlace: Place;
  readonly old: ViewEndpoint;
  readonly oldPlace: Place;
  readonly progress: Progress;
}

/**
 * What a handover adds to forwarding to the active incarnation.
 *
 * One switch alone decides whose a connection is, the one of the new incarnation: a SYN marks its connection with the
 * epoch of the one that it is handed to; what has no mark belongs to the old one and is sent there, over the tunnel
 * with the redirect bit, which keeps it from being passed on again. Before that switch begins to mark, all hosts send it
 * every TCP frame for the address (anchored). So there is no moment at which two hosts, or a switch and the cache of
 * its own datapath, could disagree about a connection: what was not marked at its beginning never will be. Where no
 * connections are kept it is the same switch that turns, and it turns everything at once; a frame that it or another one
 * has sent on to the old one's host before that is taken there, so none is lost on the way.
 */
export function handoverFlows(out: FlowWriter, address: Address, index: ViewIndex, local: LocalSwitch): void {
  partnerFlows(out, address, index, local);
  const sides = sidesOf(address, index, local);
  if (sides === undefined) return;
  const { freshPlace, oldPlace, progress } = sides;
  if (freshPlace.local) {
    // Once everything is its own, forwarding to the active incarnation says it all.
    if (progress !== 'swapped') anchorFlows(out, address, sides, freshPlace.actions, local);
  } else if (progress !== 'waiting') {
    towardsAnchor(out, address, sides, freshPlace.relay, oldPlace);
  }
}

/** Ports of this protocol that the app listens on and that lie in the quarters. */
export const highPorts = ({ ports }: ViewEndpoint, protocol: 'tcp' | 'udp'): number[] => [
  ...new Set(
    ports
      .filter((port) => port.protocol === protocol && port.number >= firstQuarterPort)
      .map(({ number }) => number),
  ),
];

/**
 * Frames for the address that the other host of a handover passes on are let in: they carry the MAC of who sent them
 * first, and the tunnel address of the one that passed them on.
 */
function partnerFlows(out: FlowWriter, address: Address, index: ViewIndex, local: LocalSwitch): void {
  const { network, incarnations, mac } = address;
  if (incarnations.every(({ host }) => host !== local.agentId)) return;
  const partners = new Set<string>();
  for (const incarnation of incarnations) {
    const place = placeOf(incarnation, network, index, local);
    if (place?.local === false) partners.add(place.underlayIp);
  }
  for (const partner of partners) {
    const match = `ip,${networkMatch(network.vni)},dl_dst=${mac},tun_src=${partner}`;
    // Who sent it first is not looked at: it counts for no app.
    out.flow('handover', table.tunnelGuard, 110, match, `${fromApp(unknownNumber)},${goTo(table.forward)}`);
  }
}

/** Undefined when there are not two of them, or one is not plugged in. */
function sidesOf(address: Address, index: ViewIndex, local: LocalSwitch): Sides | undefined {
  const active = newest(address, ({ state }) => state === 'active');
  const draining = newest(address, ({ state }) => state === 'draining');
  const waiting = newest(
    address,
    ({ state, epoch }) =>
      (state === 'standby' || state === 'anchored') && epoch > (active?.epoch ?? Number.POSITIVE_INFINITY),
  );
  const [fresh, old] = draining === undefined ? [waiting, active] : [active, draining];
  if (fresh === undefined || old === undefined) return undefined;
  const freshPlace = placeOf(fresh, address.network, index, local);
  const oldPlace = placeOf(old, address.network, index, local);
  if (freshPlace === undefined || oldPlace === undefined) return undefined;
  return { fresh, freshPlace, old, oldPlace, progress: progressOf(fresh, old) };
}

function progressOf(fresh: ViewEndpoint, old: ViewEndpoint): Progress {
  if (fresh.state === 'active') return old.keepsConnections === true ? 'flipped' : 'swapped';
  return fresh.state === 'anchored' ? 'anchored' : 'waiting';
}

const newest = (
  { incarnations }: Address,
  is: (incarnation: ViewEndpoint) => boolean,
): ViewEndpoint | undefined => incarnations.filter(is).sort((a, b) => b.epoch - a.epoch)[0];

/**
 * The connection tracking zone of the handover to an incarnation. Each has one of its own: an earlier one whose end was
 * not seen any more is remembered for a day, and would claim a new connection from the same port.
 */
const zoneOf = ({ slot, epoch }: ViewEndpoint): number => 1 + ((objectNumber(slot) + epoch) % 0xffff);

/**
 * The switch of the new incarnation. Everything but the marking is there from the beginning: the flip changes what one
 * flow does, and marks are looked at by flows that were there before.
 */
function anchorFlows(
  out: FlowWriter,
  address: Address,
  { fresh, old, oldPlace, progress }: Sides,
  deliver: string,
  local: LocalSwitch,
): void {
  const { network, mac, ip } = address;
  const destination = `${networkMatch(network.vni)},dl_dst=${mac}`;
  const zone = zoneOf(fresh);
  for (const { base, port } of serverPorts(fresh)) {
    out.flow('handover', table.forward, base, `tcp,${destination}${port}`, findConnection(zone));
  }
  // Replies are tracked, too: a connection of which only one side is seen is soon forgotten.
  const ofport = local.ofports.get(endpointKey(fresh));
  out.flow(
    'handover',
    table.portSecurity,
    110,
    `tcp,in_port=${ofport},dl_src=${mac},nw_src=${ip}`,
    `ct(zone=${zone},table=${table.gateway})`,
  );
  out.flow('handover', table.connections, 100, `ct_mark=${fresh.epoch},tcp,${destination}`, deliver);
  const older = oldPlace.local ? `tcp,${destination}` : `tcp,${destination},reg1=${flag.notRedirected}`;
  const toOld = oldPlace.local ? oldPlace.actions : oldPlace.redirect;
  out.flow('handover', table.connections, 80, older, toOld);
  // A SYN that is sent again, since its answer was lost, goes where the first one went, also when the slot has flipped
  // meanwhile: were it answered by both, the connection would be reset.
  out.flow('handover', table.connections, 100, `ct_mark=${old.epoch},${older}`, toOld);
  // SYNs have a flow of their own from the beginning. Were there none until the flip, the datapath's cache would have one
  // entry for all segments beside those for SYNs that an earlier handover left, and Open vSwitch's userspace datapath
  // changes the first entry that a frame fits when it means another: the flip would never reach the SYNs.
  if (progress === 'flipped') {
    const begin = `${markConnection(zone, fresh.epoch)},${deliver}`;
    out.flow('handover', table.connections, 90, `tcp,${destination},tcp_flags=+syn-ack`, begin);
  } else {
    const begin = `${markConnection(zone, old.epoch)},${toOld}`;
    out.flow('handover', table.connections, 90, `${older},tcp_flags=+syn-ack`, begin);
  }
  if (oldPlace.local) return;
  // Other hosts may be ahead of this one: what has no connection goes where they think it belongs.
  if (progress !== 'flipped') {
    out.flow('handover', table.forward, 180, `ip,${destination},reg1=${flag.fromTunnel}`, deliver);
  }
  out.drop('unknown-connection', table.connections, 70, `tcp,${destination}`);
}

/** Any other switch: TCP goes to the anchor, on the old one's host also what comes from elsewhere. */
function towardsAnchor(
  out: FlowWriter,
  address: Address,
  { fresh, progress }: Sides,
  pass: string,
  oldPlace: Place,
): void {
  const destination = `${networkMatch(address.network.vni)},dl_dst=${address.mac}`;
  const origin = oldPlace.local ? '' : `,reg1=${flag.notFromTunnel}`;
  for (const { base, port } of serverPorts(fresh)) {
    out.flow('handover', table.forward, base, `tcp,${destination}${origin}${port}`, pass);
  }
  if (!oldPlace.local) return;
  const { actions } = oldPlace;
  out.flow('handover', table.forward, 310, `ip,${destination},reg1=${flag.redirected}`, actions);
  // Whatever is no TCP has no beginning that could be seen: it follows the flip.
  if (progress !== 'anchored') out.flow('handover', table.forward, 180, `ip,${destination}`, pass);
}

/** All ports below the quarters, and above them those that the app listens on: these are no replies. */
const serverPorts = (fresh: ViewEndpoint): { readonly base: number; readonly port: string }[] => [
  { base: 200, port: '' },
  ...highPorts(fresh, 'tcp').map((number) => ({ base: 300, port: `,tp_dst=${number}` })),
];
