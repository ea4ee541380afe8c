import type { App } from '../../../src/model/app.ts';
import type { AppId, NetworkName } from '../../../src/model/ids.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import type { PortRange } from '../../../src/model/resources.ts';
import {
  exposeLabel,
  exposuresClash,
  isExposedOn,
  isWithin,
  neededPorts,
  portNeeded,
  type Exposure,
  type Publication,
} from '../../../src/fabric/publication.ts';
import type { AddressProblem, AppProblem } from '../slots/addresses.ts';
import type { AppEdit } from '../changes/app-edits.ts';
import { exposedPorts, type ExposedPort } from './exposed-ports.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { isReady } from '../slots/health.ts';
import { hasHeardAll } from '../offers/places.ts';
import { without } from '../offers/ports.ts';
import { noSuchHost } from './reservations.ts';
import { slotsOf } from '../slots/slot-table.ts';
import type { World } from '../world.ts';

/**
 * Why the apps of a change cannot have the host ports that they ask for, or undefined. What is taken back
 * (`isTakenBack`) had its ports before: only what has come into their place since stands against them.
 */
export function exposureProblem(
  frame: FrameBuilder,
  edits: readonly AppEdit[],
  isTakenBack: boolean,
): AppProblem | undefined {
  const { world } = frame;
  const exposures = new Map(world.exposures);
  const edited = edits.flatMap(({ after }) => after ?? []);
  for (const { appId } of edits) exposures.delete(appId);
  for (const app of edited) exposures.set(app.id, exposedPorts(app));
  for (const app of edited) {
    const problem =
      fixedPortProblem(exposures, app) ??
      clashProblem(exposures, app) ??
      newcomerProblem(frame, app, isTakenBack);
    if (problem !== undefined) return { appId: app.id, ...problem };
  }
  return undefined;
}

const labelPath = (index: number): string => `/container/portMappings(${index})/labels/${exposeLabel}`;

type Exposures = ReadonlyMap<AppId, readonly ExposedPort[]>;

function clashProblem(exposures: Exposures, app: App): AddressProblem | undefined {
  for (const mine of exposures.get(app.id) ?? []) {
    for (const [owner, ports] of exposures) {
      const other = ports.find((port) => port !== mine && clash(mine, port));
      if (other === undefined || (owner === app.id && other.index > mine.index)) continue;
      const error = `host port ${mine.exposure.hostPort} is taken by port ${other.port} of app '${owner}'`;
      return { path: labelPath(mine.index), error };
    }
  }
  return undefined;
}

const clash = (one: ExposedPort, other: ExposedPort): boolean =>
  exposuresClash(one.exposure, other.exposure) &&
  one.protocols.some((protocol) => other.protocols.includes(protocol));

/** What stands against a port that the app has not on all of these hosts already. */
function newcomerProblem(frame: FrameBuilder, app: App, isTakenBack: boolean): AddressProblem | undefined {
  const { world } = frame;
  const present = (world.exposures.get(app.id) ?? []).map(({ exposure }) => exposure);
  for (const { index, exposure } of exposedPorts(app)) {
    if (present.some((before) => isWithin(exposure, before))) continue;
    const error =
      (isTakenBack ? undefined : (strangeHost(frame, exposure, present) ?? neededPort(frame, exposure))) ??
      takenPort(world, app, exposure);
    if (error !== undefined) return { path: labelPath(index), error };
  }
  return undefined;
}

/**
 * A name that no host has; one that the app has given before may be of a host that is gone. Until all hosts have been heard
 * of, names are taken as they are.
 */
function strangeHost(
  { world, now }: FrameBuilder,
  { hosts }: Exposure,
  present: readonly Exposure[],
): string | undefined {
  if (hosts.length === 0 || !hasHeardAll(world, now)) return undefined;
  const known = knownHostnames(world);
  const before = new Set(present.flatMap((exposure) => exposure.hosts));
  const stranger = hosts.find((host) => !known.has(host) && !before.has(host));
  return stranger === undefined ? undefined : noSuchHost(stranger, known);
}

/** Names of the hosts that have offered something or whose executor has reported. */
function knownHostnames({ places, hosts }: World): ReadonlySet<string> {
  const known = new Set(Array.from(places.values(), ({ hostname }) => hostname));
  for (const { facts } of hosts.values()) known.add(facts.hostname);
  return known;
}

/** What the port is needed for: on every host, by an agent, or for the API where that is on a host of the fabric. */
function neededPort({ world, settings }: FrameBuilder, exposure: Exposure): string | undefined {
  const { hostPort } = exposure;
  const use = neededPorts.get(hostPort);
  if (use !== undefined) return portNeeded(hostPort, use);
  for (const { hostname, agentPort } of world.places.values()) {
    if (agentPort === hostPort && isExposedOn(exposure, hostname))
      return portNeeded(hostPort, `the Mesos agent on ${hostname}`);
  }
  const { ports, hostname } = settings.api;
  const isHidden = ports.includes(hostPort) && isExposedOn(exposure, hostname);
  return isHidden && knownHostnames(world).has(hostname)
    ? portNeeded(hostPort, 'the API of Patchpanel')
    : undefined;
}

/** Ports of the host that apps use otherwise: those that tasks were given, and those that a definition insists on. */
function takenPort(world: World, { id }: App, exposure: Exposure): string | undefined {
  const { hostPort } = exposure;
  for (const { hostPorts, condition, hostname, taskId } of world.instances.values()) {
    if (hostPorts.includes(hostPort) && !isTerminal(condition) && isExposedOn(exposure, hostname))
      return `host port ${hostPort} is taken by task ${taskId} on ${hostname}`;
  }
  for (const other of world.apps.values()) {
    if (other.id !== id && fixedPorts(other).some(({ port }) => port === hostPort))
      return `host port ${hostPort} is required by app '${other.id}'`;
  }
  return undefined;
}

function fixedPortProblem(exposures: Exposures, app: App): AddressProblem | undefined {
  for (const { path, port } of fixedPorts(app)) {
    for (const [owner, ports] of exposures) {
      if (!ports.some(({ exposure }) => exposure.hostPort === port)) continue;
      return { path, error: `host port ${port} is published for app '${owner}'` };
    }
  }
  return undefined;
}

/** The host ports that each instance of the app insists on, and where the app says so. */
function fixedPorts(app: App): readonly { readonly path: string; readonly port: number }[] {
  const definitions = app.requirePorts ? app.portDefinitions : [];
  const all = [
    ...definitions.map(({ port }, index) => ({ path: `/portDefinitions(${index})/port`, port })),
    ...app.container.portMappings.map(({ hostPort = 0 }, index) => ({
      path: `/container/portMappings(${index})/hostPort`,
      port: hostPort,
    })),
  ];
  return all.filter(({ port }) => port > 0);
}

/** The ports without those that are published somewhere: a task on the host's network would never hear of its own. */
export function withoutExposed(world: World, ranges: readonly PortRange[]): readonly PortRange[] {
  let rest = ranges;
  for (const ports of world.exposures.values()) {
    for (const { exposure } of ports) rest = without(rest, exposure.hostPort);
  }
  return rest;
}

/** What hosts of a network offer to the outside; only instances that serve are offered. */
export function publicationsOf(world: World, network: NetworkName): readonly Publication[] {
  return [...world.exposures].flatMap(([appId, ports]) => {
    const app = world.apps.get(appId);
    if (app === undefined || app.network.mode === 'host' || app.network.name !== network) return [];
    const targets = slotsOf(world, appId).flatMap((slot) => servingAddress(world, app, slot, network) ?? []);
    return ports.flatMap(({ port, protocols, exposure }) =>
      protocols.map((protocol) => ({ app: appId, protocol, port, targets, ...exposure })),
    );
  });
}

function servingAddress(world: World, app: App, slot: Slot, network: NetworkName): string | undefined {
  const active = incarnationsOf(world, slot.id).find(({ epoch }) => epoch === slot.activeEpoch);
  if (active?.lease?.network !== network || !isReady(active, app) || !isReachable(world, active))
    return undefined;
  return active.lease.ip;
}

const isReachable = (world: World, { agentId, fenced }: Instance): boolean =>
  fenced !== true && world.hosts.get(agentId)?.reachable !== false;
