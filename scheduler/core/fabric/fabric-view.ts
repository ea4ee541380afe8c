import { parseCidr } from '../../../src/fabric/cidr.ts';
import { interconnectFields, type Interconnect } from '../../../src/fabric/interconnect.ts';
import { formatIpv4 } from '../../../src/fabric/ipv4.ts';
import { endpointMtu } from '../../../src/fabric/mtu.ts';
import type {
  EndpointState,
  ViewEndpoint,
  ViewHost,
  ViewNetwork,
  ViewPort,
} from '../../../src/fabric/view.ts';
import type { AgentId, NetworkName, SlotId } from '../../../src/model/ids.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { launchedFrom } from '../changes/app-versions.ts';
import { publicationsOf } from './exposures.ts';
import { isPresent } from './hosts.ts';
import { drains } from '../slots/handover.ts';
import { isReady } from '../slots/health.ts';
import { reservedEndpoint } from './reservations.ts';
import { taskPorts } from '../offers/task-env.ts';
import { incarnationsOf } from '../tables.ts';
import type { World } from '../world.ts';

/**
 * The endpoints that views show of each of these slots and reservations; none for one that is gone. An incarnation is shown from
 * the moment it is stored until it has ended, unless it or its host is unreachable or the slot went on without it:
 * leaving the views is what fences it.
 */
export function viewEndpoints(world: World, slotIds: Iterable<SlotId>): Map<SlotId, readonly ViewEndpoint[]> {
  const endpoints = new Map<SlotId, readonly ViewEndpoint[]>();
  for (const id of slotIds) {
    const slot = world.slots.get(id);
    const shown =
      slot === undefined
        ? [reservedEndpoint(world, id)].filter((endpoint) => endpoint !== undefined)
        : incarnationsOf(world, id).flatMap((instance) => endpointOf(world, slot, instance) ?? []);
    endpoints.set(id, shown);
  }
  return endpoints;
}

/** A host as views show it; undefined before its executor has told its tunnel address. */
export function viewHost(world: World, interconnect: Interconnect, agentId: AgentId): ViewHost | undefined {
  const facts = world.hosts.get(agentId)?.facts;
  return facts === undefined
    ? undefined
    : {
        id: agentId,
        hostname: facts.hostname,
        underlayIp: facts.underlayIp,
        ...interconnectFields(interconnect),
      };
}

/** The most bytes that an endpoint can send to any host in one packet; undefined: there is no host yet. */
export function largestMtu(world: World, { encapsulation }: Interconnect): number | undefined {
  const hosts = [...world.hosts.values()].filter((host) => isPresent(world, host));
  if (hosts.length === 0) return undefined;
  return endpointMtu(
    hosts.map(({ facts }) => facts.underlayMtu),
    encapsulation,
  );
}

/**
 * A network as views show it. Its MTU is what every host's underlay carries, or its own where that is less: a
 * host with a smaller underlay may have come after the network.
 */
export function viewNetwork(
  world: World,
  interconnect: Interconnect,
  name: NetworkName,
): ViewNetwork | undefined {
  const network = world.networks.get(name);
  if (network === undefined) return undefined;
  const largest = largestMtu(world, interconnect);
  const publications = publicationsOf(world, name);
  return {
    name,
    vni: network.vni,
    cidr: network.cidr,
    gateway: formatIpv4(parseCidr(network.cidr).gateway),
    mtu:
      network.mtu === undefined
        ? (largest ?? endpointMtu([], interconnect.encapsulation))
        : Math.min(network.mtu, largest ?? Number.POSITIVE_INFINITY),
    domain: network.domain,
    ...(network.nat === true ? { nat: true } : {}),
    ...(network.routes === undefined || network.routes.length === 0 ? {} : { routes: network.routes }),
    ...(publications.length === 0 ? {} : { publications }),
    ...(world.forwarding.has(name) ? { forwards: true } : {}),
  };
}

function endpointOf(world: World, slot: Slot, instance: Instance): ViewEndpoint | undefined {
  const { lease } = instance;
  if (lease === undefined || !isShown(instance)) return undefined;
  if (world.hosts.get(instance.agentId)?.reachable === false) return undefined;
  return {
    slot: slot.id,
    epoch: instance.epoch,
    app: slot.appId,
    network: lease.network,
    host: instance.agentId,
    ip: lease.ip,
    mac: lease.mac,
    hostname: lease.hostname,
    ...stateOf(world, slot, instance),
    ...(instance.bridged === true ? { nat: true } : {}),
    ports: portsOf(world, instance),
  };
}

/**
 * How views show the incarnation of a slot while its host is there; undefined: they do not, so no host talks to it. It
 * changes with the two records alone.
 */
export const shownState = (slot: Slot, instance: Instance): EndpointState | undefined =>
  isShown(instance) ? placeInSlot(slot, instance) : undefined;

const isShown = ({ lease, condition, fenced }: Instance): boolean =>
  lease !== undefined && !isTerminal(condition) && condition !== 'unreachable' && fenced !== true;

function placeInSlot(slot: Slot, { epoch }: Instance): EndpointState {
  const active = slot.activeEpoch ?? 0;
  if (epoch === active) return 'active';
  if (epoch < active) return 'draining';
  return epoch === slot.anchoredEpoch ? 'anchored' : 'standby';
}

function stateOf(
  world: World,
  slot: Slot,
  instance: Instance,
): Pick<ViewEndpoint, 'state' | 'serving' | 'keepsConnections'> {
  const state = placeInSlot(slot, instance);
  const app = world.apps.get(slot.appId);
  if (app === undefined) return { state };
  if (state === 'active' && isReady(instance, app)) return { state, serving: true };
  return state === 'draining' && drains(app) ? { state, keepsConnections: true } : { state };
}

const noPorts: readonly ViewPort[] = [];

/** What the definition that the incarnation was launched with declares; the present one's where that is not kept. */
function portsOf(world: World, instance: Instance): readonly ViewPort[] {
  const app = launchedFrom(world, instance) ?? world.apps.get(instance.appId);
  if (app === undefined || app.container.portMappings.length === 0) return noPorts;
  return taskPorts(app, instance).flatMap(({ inside, onHost, protocol, name }) =>
    (['tcp', 'udp'] as const)
      .filter((each) => protocol.split(',').includes(each))
      .map((each) => ({
        number: inside,
        protocol: each,
        ...(name === undefined ? {} : { name }),
        ...(onHost === undefined ? {} : { hostPort: onHost }),
      })),
  );
}
