import { addressPool } from '../../../src/fabric/address-pool.ts';
import { allocateAddress, claimAddress } from '../../../src/fabric/allocate.ts';
import { isMac, isUnicastMac, macOf, macPrefixOf } from '../../../src/fabric/mac.ts';
import { fullName, isDnsName, lengthProblem } from '../../../src/fabric/names.ts';
import type { NetworkName } from '../../../src/model/ids.ts';
import type { Network } from '../../../src/model/network.ts';
import { reservationSlot, type Reservation } from '../../../src/model/reservation.ts';
import type { AddressProblem } from '../slots/addresses.ts';
import type { ChangeResult, ReservationWish } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { appNamed } from '../fabric/name-clashes.ts';
import { hostNamed, noSuchHost } from '../fabric/reservations.ts';
import { addressBook } from '../tables.ts';
import type { World } from '../world.ts';

/** Creates or changes a reservation; whatever is wrong with it is told before anything is stored. */
export function putReservation(frame: FrameBuilder, wish: ReservationWish): ChangeResult {
  const { world } = frame;
  const network = world.networks.get(wish.network);
  if (network === undefined) return notFound(`Network '${wish.network}' does not exist`);
  const reservation = reserve(world, network, wish);
  if ('error' in reservation)
    return { kind: 'invalid', details: [{ path: reservation.path, errors: [reservation.error] }] };
  frame.putReservation(reservation);
  return { kind: 'accepted' };
}

/** Gives the address of a machine back. */
export function deleteReservation(frame: FrameBuilder, network: NetworkName, name: string): ChangeResult {
  const reservation = frame.world.reservations.get(reservationSlot({ network, name }));
  if (reservation === undefined) return notFound(`Network '${network}' has no reservation '${name}'`);
  frame.deleteReservation(reservation);
  return { kind: 'accepted' };
}

const notFound = (message: string): ChangeResult => ({ kind: 'not-found', message });

function reserve(world: World, network: Network, wish: ReservationWish): Reservation | AddressProblem {
  const problem = nameProblem(world, network, wish) ?? placeProblem(world, wish);
  if (problem !== undefined) return problem;
  const ip = addressFor(world, network, wish);
  if (typeof ip !== 'string') return ip;
  const before = world.reservations.get(reservationSlot(wish));
  const present = before?.ip === ip ? before.mac : macOf(network.vni, ip);
  const mac = wish.mac?.toLowerCase() ?? present;
  return macProblem(world, network, wish, ip, mac) ?? { ...wish, ip, mac };
}

function nameProblem(world: World, network: Network, wish: ReservationWish): AddressProblem | undefined {
  const { name } = wish;
  if (!isDnsName(name) || name.includes('.'))
    return { path: '/name', error: `"${name}" is not a DNS label: use a-z, 0-9 and "-"` };
  const full = fullName(name, network.domain);
  const long = lengthProblem(full);
  if (long !== undefined) return { path: '/name', error: long };
  const app = appNamed(world, full);
  if (app !== undefined) return { path: '/name', error: `${full} is the name of app '${app}'` };
  const other = othersThan(world, wish).find(
    (each) => each.name === name && world.networks.get(each.network)?.domain === network.domain,
  );
  return other && { path: '/name', error: `${full} is reserved in network '${other.network}'` };
}

/** What is sure to be a name of a device, without what we call our own. */
const devicePattern = /^(?!br-patchpanel$|pp-tun$|pp[tg][0-9a-f]|pp[0-9a-z]+h$)[A-Za-z0-9_.-]{1,15}$/;

function placeProblem(world: World, wish: ReservationWish): AddressProblem | undefined {
  const { host, device } = wish;
  if (hostNamed(world, host) === undefined) {
    const known = Array.from(world.hosts.values(), ({ facts }) => facts.hostname);
    return { path: '/host', error: noSuchHost(host, known) };
  }
  if (!devicePattern.test(device))
    return {
      path: '/device',
      error: `"${device}" is not a name that a port of yours can have on the bridge`,
    };
  const other = othersThan(world, wish).find((each) => each.host === host && each.device === device);
  return other === undefined
    ? undefined
    : { path: '/device', error: `${device} on ${host} is reserved as '${other.name}' in '${other.network}'` };
}

/** The address that was asked for, else the one that it has, else the next free one. */
function addressFor(world: World, network: Network, wish: ReservationWish): string | AddressProblem {
  const self = reservationSlot(wish);
  const { holders, firstFree } = addressBook(world, network.name);
  const others = (ip: string) => [...(holders.get(ip) ?? [])].filter((holder) => holder !== self);
  const ip = wish.ip ?? world.reservations.get(self)?.ip;
  const taken = { has: (address: string) => others(address).length > 0 };
  const pool = addressPool(network);
  const given = ip === undefined ? allocateAddress(pool, taken, firstFree) : claimAddress(pool, taken, ip);
  if (given.kind === 'address') return given.ip;
  const by = given.reason === 'taken' ? ` by ${others(ip ?? '').join(', ')}` : '';
  return { path: '/ip', error: `${given.problem}${by}` };
}

function macProblem(
  world: World,
  network: Network,
  wish: ReservationWish,
  ip: string,
  mac: string,
): AddressProblem | undefined {
  const refuse = (error: string): AddressProblem => ({ path: '/mac', error });
  if (!isMac(mac) || !isUnicastMac(mac))
    return refuse(`"${mac}" is not the MAC of a device, like 52:54:00:12:34:56`);
  if (mac.startsWith(`${macPrefixOf(network.vni)}:`) && mac !== macOf(network.vni, ip))
    return refuse(
      `${mac} is the MAC of another address of '${network.name}'; choose one that begins otherwise`,
    );
  const other = othersThan(world, wish).find((each) => each.network === network.name && each.mac === mac);
  return other === undefined ? undefined : refuse(`${mac} is reserved as '${other.name}'`);
}

const othersThan = (world: World, wish: ReservationWish): readonly Reservation[] =>
  [...world.reservations.values()].filter((each) => reservationSlot(each) !== reservationSlot(wish));
