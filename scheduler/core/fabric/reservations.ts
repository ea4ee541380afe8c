import type { ViewEndpoint } from '../../../src/fabric/view.ts';
import type { HostRecord } from '../../../src/model/host.ts';
import type { AgentId, SlotId } from '../../../src/model/ids.ts';
import { reservationApp, reservationSlot } from '../../../src/model/reservation.ts';
import type { World } from '../world.ts';

/** A machine is one incarnation for ever. */
const epoch = 1;

/** How views show a reserved machine; undefined while its host is not there. */
export function reservedEndpoint(world: World, slot: SlotId): ViewEndpoint | undefined {
  const reservation = world.reservations.get(slot);
  const host = reservation === undefined ? undefined : hostNamed(world, reservation.host);
  if (reservation === undefined || host === undefined || !host.reachable) return undefined;
  return {
    slot,
    epoch,
    app: reservationApp(reservation),
    network: reservation.network,
    host: host.facts.agentId,
    ip: reservation.ip,
    mac: reservation.mac,
    hostname: reservation.name,
    state: 'active',
    ports: [],
    device: reservation.device,
  };
}

/** The host of that name; of several (it came back under a new agent id) the one that is there, or was seen last. */
export function hostNamed(world: World, name: string): HostRecord | undefined {
  let found: HostRecord | undefined;
  for (const host of world.hosts.values()) {
    if (host.facts.hostname !== name) continue;
    if (found === undefined || isMoreLikely(host, found)) found = host;
  }
  return found;
}

/** The refusal of a name that none of the known hosts has. */
export function noSuchHost(name: string, known: Iterable<string>): string {
  const names = [...known].join(', ');
  return `no host is called '${name}'; known are: ${names === '' ? 'none yet' : names}`;
}

const isMoreLikely = (one: HostRecord, other: HostRecord): boolean =>
  one.reachable === other.reachable ? one.seenAt >= other.seenAt : one.reachable;

/** Whether a machine is reserved on the host. */
export function isReserved(world: World, host: HostRecord): boolean {
  const { hostname } = host.facts;
  const named = [...world.reservations.values()].some((reservation) => reservation.host === hostname);
  return named && hostNamed(world, hostname) === host;
}

/** The reserved machines on a host, by what holds their addresses. */
export function* reservedOn(world: World, agentId: AgentId): Iterable<SlotId> {
  const name = world.hosts.get(agentId)?.facts.hostname;
  for (const reservation of world.reservations.values()) {
    if (reservation.host === name) yield reservationSlot(reservation);
  }
}
