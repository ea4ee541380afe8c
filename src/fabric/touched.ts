import type { AgentId, NetworkName } from '../model/ids.ts';
import type { LocalSwitch } from './local-switch.ts';
import { addressKey, networkKey, portKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { answersArpByRule } from './objects/network.ts';
import { routedWith } from './routes.ts';
import { endpointKey } from './view.ts';
import type { View, ViewEndpoint } from './view.ts';
import { compareViews } from './view-diff.ts';
import type { Changed, ViewDifference } from './view-diff.ts';

/**
 * The objects whose flows may differ between two views on one switch: what `recompile` must be given. Other changes
 * of the switch than ports (a new round, another tunnel port) touch everything: compile anew then.
 */
export function touchedKeys(before: View, after: View): Set<ObjectKey> {
  const difference = compareViews(before, after);
  const keys = new Set<ObjectKey>();
  for (const change of difference.endpoints) {
    for (const endpoint of sides(change)) addEndpoint(keys, endpoint);
  }
  for (const change of difference.networks) {
    for (const network of sides(change)) keys.add(networkKey(network.name));
  }
  const networks = renumberedNetworks(difference);
  for (const network of reroutedNetworks(before, after, difference)) {
    networks.add(network);
    keys.add(networkKey(network));
  }
  for (const network of networksThatChangeArp(before, after)) {
    networks.add(network);
    keys.add(networkKey(network));
  }
  const hosts = movedHosts(difference);
  // A gateway has flows for every host.
  if (hosts.size > 0) for (const { name } of after.networks) keys.add(networkKey(name));
  if (networks.size === 0 && hosts.size === 0) return keys;
  for (const endpoint of [...before.endpoints, ...after.endpoints]) {
    if (networks.has(endpoint.network) || hosts.has(endpoint.host)) addEndpoint(keys, endpoint);
  }
  return keys;
}

/** The objects whose flows may differ when endpoints of this host were plugged in or out. */
export function touchedByPorts(view: View, before: LocalSwitch, after: LocalSwitch): Set<ObjectKey> {
  const keys = new Set<ObjectKey>();
  for (const endpoint of view.endpoints) {
    if (endpoint.host !== after.agentId) continue;
    const key = endpointKey(endpoint);
    if (before.ofports.get(key) !== after.ofports.get(key)) addEndpoint(keys, endpoint);
  }
  return keys;
}

function addEndpoint(keys: Set<ObjectKey>, endpoint: ViewEndpoint): void {
  keys.add(addressKey(endpoint));
  keys.add(portKey(endpoint));
}

const sides = <T>({ before, after }: Changed<T>): T[] =>
  [before, after].filter((side): side is NonNullable<typeof side> & T => side !== undefined);

/** Networks with routes, when something that routes depend on changed in any of them: rare, so not looked at closely. */
function reroutedNetworks(before: View, after: View, difference: ViewDifference): Set<NetworkName> {
  const changed = difference.networks.some(
    ({ before: was, after: is }) =>
      was?.vni !== is?.vni || was?.cidr !== is?.cidr || was?.routes?.join() !== is?.routes?.join(),
  );
  if (!changed) return new Set();
  return new Set([...routedWith(before.networks).keys(), ...routedWith(after.networks).keys()]);
}

/** Networks that came, went or got another number: every flow in them names it. */
function renumberedNetworks(difference: ViewDifference): Set<NetworkName> {
  const names = new Set<NetworkName>();
  for (const { before, after } of difference.networks) {
    const name = (after ?? before)?.name;
    if (name !== undefined && before?.vni !== after?.vni) names.add(name);
  }
  return names;
}

/** Hosts whose tunnel address came, went or changed. */
function movedHosts(difference: ViewDifference): Set<AgentId> {
  const ids = new Set<AgentId>();
  for (const { before, after } of difference.hosts) {
    const id = (after ?? before)?.id;
    if (id !== undefined && before?.underlayIp !== after?.underlayIp) ids.add(id);
  }
  return ids;
}

/** Networks that passed the size at which one flow answers all ARP, in either direction. */
function networksThatChangeArp(before: View, after: View): NetworkName[] {
  const old = networksByRule(before);
  const now = networksByRule(after);
  return [...old, ...now].filter((network) => old.has(network) !== now.has(network));
}

function networksByRule(view: View): Set<NetworkName> {
  const addresses = new Map<NetworkName, Set<string>>();
  // Most views are too small for it; that is known without counting.
  if (!answersArpByRule(view.endpoints.length)) return new Set();
  for (const { network, ip } of view.endpoints) {
    const seen = addresses.get(network);
    if (seen === undefined) addresses.set(network, new Set([ip]));
    else seen.add(ip);
  }
  return new Set([...addresses].filter(([, ips]) => answersArpByRule(ips.size)).map(([network]) => network));
}
