import type { AgentId, NetworkName } from '../model/ids.ts';
import type { LocalSwitch } from './local-switch.ts';
import { addressKey, networkKey, portKey, trafficKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { answersArpByRule } from './objects/network.ts';
import { routedWith } from './routes.ts';
import type { View, ViewEndpoint } from './view.ts';
import { samePlug, sidesOf } from './view-diff.ts';
import type { ViewDifference } from './view-diff.ts';
import type { ViewIndex } from './view-index.ts';

/**
 * The objects whose flows may differ between two views on one switch. What counts within networks is not among them:
 * see `touchedByCounts`. Other changes of the switch than ports (a new round, another tunnel port) touch everything.
 */
export function touchedKeys(before: View, after: View, difference: ViewDifference): Set<ObjectKey> {
  const keys = new Set<ObjectKey>();
  for (const change of difference.endpoints) {
    const { before: was, after: is } = change;
    if (was !== undefined && is !== undefined && samePlug(was, is)) continue;
    for (const endpoint of sidesOf(change)) addEndpoint(keys, endpoint);
  }
  for (const change of difference.networks) {
    for (const network of sidesOf(change)) addNetwork(keys, network.name);
  }
  const networks = renumberedNetworks(difference);
  for (const network of reroutedNetworks(before, after, difference)) {
    networks.add(network);
    addNetwork(keys, network);
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
export function touchedByPorts(index: ViewIndex, before: LocalSwitch, after: LocalSwitch): Set<ObjectKey> {
  const keys = new Set<ObjectKey>();
  for (const key of new Set([...before.ofports.keys(), ...after.ofports.keys()])) {
    const endpoint = index.localEndpoint(key);
    if (endpoint !== undefined && before.ofports.get(key) !== after.ofports.get(key))
      addEndpoint(keys, endpoint);
  }
  return keys;
}

/**
 * The objects whose flows may differ because networks passed the size at which one flow answers all ARP (`sizes` are
 * those of before, of the networks that changed), or because other apps have endpoints in `apps`.
 */
export function touchedByCounts(
  index: ViewIndex,
  sizes: ReadonlyMap<NetworkName, number>,
  apps: ReadonlySet<NetworkName>,
): Set<ObjectKey> {
  const keys = new Set<ObjectKey>();
  for (const network of apps) {
    keys.add(trafficKey(network));
    for (const { network: other } of index.routes.get(network) ?? []) keys.add(trafficKey(other.name));
  }
  for (const [network, size] of sizes) {
    if (answersArpByRule(size) === answersArpByRule(index.addressCounts.get(network) ?? 0)) continue;
    keys.add(networkKey(network));
    for (const [key, [first]] of index.addresses) if (first?.network === network) keys.add(key);
  }
  return keys;
}

/** The networks that the endpoints of a difference are or were in. */
export const changedNetworks = ({ endpoints }: ViewDifference): ReadonlySet<NetworkName> =>
  new Set(endpoints.flatMap(sidesOf).map(({ network }) => network));

function addEndpoint(keys: Set<ObjectKey>, endpoint: ViewEndpoint): void {
  keys.add(addressKey(endpoint));
  // Answers to all machines of a network are sent to each.
  if (endpoint.device !== undefined) keys.add(networkKey(endpoint.network));
  keys.add(portKey(endpoint));
}

function addNetwork(keys: Set<ObjectKey>, network: NetworkName): void {
  keys.add(networkKey(network));
  keys.add(trafficKey(network));
}

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
