import type { Network } from '../../../src/model/network.ts';
import type { NetworkName } from '../../../src/model/ids.ts';
import { parseCidr, subnetContains, subnetsOverlap } from '../../../src/fabric/cidr.ts';
import { holdsAddress } from '../../../src/fabric/gateways.ts';
import type { Interconnect } from '../../../src/fabric/interconnect.ts';
import { isDnsName } from '../../../src/fabric/names.ts';
import { parseIpv4Range } from '../../../src/fabric/ipv4.ts';
import { largestVni } from '../../../src/fabric/self-test.ts';
import { messageOf } from '../../../src/runtime/errors.ts';
import type { ChangeResult } from '../events.ts';
import { largestMtu } from '../fabric/fabric-view.ts';
import { domainProblem } from '../fabric/name-clashes.ts';
import { hostNamed } from '../fabric/reservations.ts';
import type { FrameBuilder } from '../frame.ts';
import { addressBook } from '../tables.ts';
import type { World } from '../world.ts';

/** Creates or changes a network. What leases are made of (subnet, VNI) may not change while there are any. */
export function putNetwork(frame: FrameBuilder, network: Network): ChangeResult {
  const { world } = frame;
  const error =
    shapeError(network) ??
    clashError(world, network) ??
    changeError(world, network) ??
    underlayError(world, network) ??
    domainError(world, network) ??
    routeError(world, network) ??
    mtuError(world, frame.settings.interconnect, network);
  if (error !== undefined)
    return { kind: 'invalid', details: [{ path: error.path, errors: [error.message] }] };
  frame.putNetwork(network);
  // A wider range may have free addresses below the last search.
  addressBook(world, network.name).firstFree = 0;
  for (const slots of addressBook(world, network.name).holders.values()) {
    for (const holder of slots) {
      const slot = world.slots.get(holder as never);
      if (slot !== undefined) frame.fabricChanged(slot.id);
      else if (world.reservations.has(holder as never)) frame.fabricChanged(holder as never);
    }
  }
  return { kind: 'accepted' };
}

/** Removes a network that no app names and no slot in service or instance has an address of. */
export function deleteNetwork(frame: FrameBuilder, name: NetworkName): ChangeResult {
  const { world } = frame;
  if (!world.networks.has(name)) return { kind: 'not-found', message: `Network '${name}' does not exist` };
  if (name === frame.settings.defaultNetwork)
    return inUse(`Network '${name}' is the default network and cannot be deleted.`);
  for (const app of world.apps.values()) {
    if (app.network.mode !== 'host' && app.network.name === name)
      return inUse(`Network '${name}' is used by app '${app.id}'.`);
  }
  for (const other of world.networks.values()) {
    if (other.routes?.includes(name) === true)
      return inUse(`Network '${name}' is a route of network '${other.name}'.`);
  }
  const slots = [...world.slots.values()].filter((slot) => slot.lease?.network === name);
  const holder = [...addressBook(world, name).holders.values()]
    .flatMap((holders) => [...holders])
    .find((id) => world.instances.has(id as never));
  const reserved = [...world.reservations.values()].find(({ network }) => network === name);
  if (reserved !== undefined) return inUse(`Network '${name}' has a reservation, '${reserved.name}'.`);
  const busy = slots.find((slot) => slot.quarantinedUntil === undefined)?.id ?? holder;
  if (busy !== undefined) return inUse(`Network '${name}' is used by ${busy}.`);
  for (const slot of slots) frame.deleteSlot(slot);
  frame.deleteNetwork(name);
  return { kind: 'accepted' };
}

function routeError(world: World, { name, routes = [] }: Network): FieldError | undefined {
  for (const [index, other] of routes.entries()) {
    const path = `/routes(${index})`;
    if (other === name) return { path, message: 'a network needs no route to itself' };
    if (!world.networks.has(other)) return { path, message: `network '${other}' does not exist` };
  }
  return undefined;
}

/** What is in the network moves under another domain with it. */
function domainError(world: World, network: Network): FieldError | undefined {
  const before = world.networks.get(network.name);
  if (before === undefined || before.domain === network.domain) return undefined;
  const message = domainProblem(world, network);
  return message === undefined ? undefined : { path: '/domain', message };
}

/**
 * A subnet around a host's own address cuts that host off, unless the host has a narrower route to its neighbours, which
 * only its executor knows: that tells what becomes of a subnet that is in use.
 */
function underlayError(world: World, network: Network): FieldError | undefined {
  if (world.networks.get(network.name)?.cidr === network.cidr) return undefined;
  for (const host of world.hosts.values()) {
    const { hostname, underlayIp } = host.facts;
    // It may have come back under a new agent id, with another address.
    if (!holdsAddress(network, underlayIp) || hostNamed(world, hostname) !== host) continue;
    const message = `${network.cidr} holds ${underlayIp}, the address of host '${hostname}': it could be cut off`;
    return { path: '/cidr', message };
  }
  return undefined;
}

/** Packets that no tunnel carries would be lost without a word. */
function mtuError(world: World, interconnect: Interconnect, { mtu }: Network): FieldError | undefined {
  const largest = largestMtu(world, interconnect);
  if (mtu === undefined || largest === undefined || mtu <= largest) return undefined;
  const { encapsulation } = interconnect;
  return {
    path: '/mtu',
    message: `${mtu} is more than the ${largest} bytes that fit into ${encapsulation} on the hosts' underlay`,
  };
}

interface FieldError {
  readonly path: string;
  readonly message: string;
}

const inUse = (message: string): ChangeResult => ({ kind: 'conflict', message, deployments: [] });

function shapeError(network: Network): FieldError | undefined {
  try {
    const subnet = parseCidr(network.cidr);
    if (!Number.isInteger(network.vni) || network.vni < 1 || network.vni > largestVni) {
      return { path: '/vni', message: `must be a whole number from 1 to ${largestVni}` };
    }
    if (!isDnsName(network.domain)) {
      return {
        path: '/domain',
        message: `"${network.domain}" is not a DNS name; write it like example.internal`,
      };
    }
    if (network.range === undefined) return undefined;
    const range = rangeOf(network.range);
    if (typeof range === 'string') return { path: '/range', message: range };
    const inside = subnetContains(subnet, range.first) && subnetContains(subnet, range.last);
    return inside ? undefined : { path: '/range', message: `${network.range} is not within ${network.cidr}` };
  } catch (error) {
    return { path: '/cidr', message: messageOf(error) };
  }
}

function rangeOf(text: string): ReturnType<typeof parseIpv4Range> | string {
  try {
    return parseIpv4Range(text);
  } catch (error) {
    return messageOf(error);
  }
}

function clashError(world: World, network: Network): FieldError | undefined {
  const subnet = parseCidr(network.cidr);
  for (const other of world.networks.values()) {
    if (other.name === network.name) continue;
    if (other.vni === network.vni)
      return { path: '/vni', message: `VNI ${network.vni} is used by network '${other.name}'` };
    if (subnetsOverlap(subnet, parseCidr(other.cidr))) {
      return { path: '/cidr', message: `${network.cidr} overlaps ${other.cidr} of network '${other.name}'` };
    }
  }
  return undefined;
}

function changeError(world: World, network: Network): FieldError | undefined {
  const before = world.networks.get(network.name);
  const changed = before?.cidr !== network.cidr ? 'cidr' : before.vni !== network.vni ? 'vni' : undefined;
  if (before === undefined || changed === undefined) return undefined;
  const held = addressBook(world, network.name).holders.size;
  return held === 0
    ? undefined
    : { path: `/${changed}`, message: `cannot change while ${held} addresses of the network are held` };
}
