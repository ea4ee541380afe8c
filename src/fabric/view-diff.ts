import type { Publication } from './publication.ts';
import { endpointKey } from './view.ts';
import type { View, ViewDelta, ViewEndpoint, ViewHost, ViewNetwork, ViewPort, ViewVersion } from './view.ts';

/** One thing of two views: `before` is absent when it is new, `after` when it is gone. */
export interface Changed<T> {
  readonly before?: T;
  readonly after?: T;
}

/** The forms that a thing has or had: one or both. */
export const sidesOf = <T>({ before, after }: Changed<T>): T[] =>
  [before, after].filter((side): side is NonNullable<typeof side> & T => side !== undefined);

/** Everything that is not equal in two views, old form beside new form. */
export interface ViewDifference {
  readonly hosts: readonly Changed<ViewHost>[];
  readonly networks: readonly Changed<ViewNetwork>[];
  readonly endpoints: readonly Changed<ViewEndpoint>[];
}

/**
 * What differs between the contents of two views; order does not matter. Records that are the same objects in both
 * are passed over without a look, so views that came from one another by applyDelta compare quickly.
 */
export const compareViews = (before: View, after: View): ViewDifference => ({
  hosts: compare(before.hosts, after.hosts, (host) => host.id, sameHost),
  networks: compare(before.networks, after.networks, (network) => network.name, sameNetwork),
  endpoints: compare(before.endpoints, after.endpoints, endpointKey, sameEndpoint),
});

/**
 * The delta that turns `before` into `after`, or undefined when they hold the same. Both must be of one term: a
 * host takes a new term only as a snapshot.
 */
export function diffViews(before: View, after: View): ViewDelta | undefined {
  const difference = compareViews(before, after);
  const { hosts, networks, endpoints } = difference;
  if (hosts.length + networks.length + endpoints.length === 0) return undefined;
  return {
    from: before.version,
    to: after.version,
    hosts: present(hosts),
    networks: present(networks),
    endpoints: present(endpoints),
    removedHosts: gone(hosts).map((host) => host.id),
    removedNetworks: gone(networks).map((network) => network.name),
    removedEndpoints: gone(endpoints).map(({ slot, epoch }) => ({ slot, epoch })),
  };
}

/** What became of a delta. */
export type DeltaResult =
  { readonly kind: 'applied'; readonly view: View } | { readonly kind: 'refused'; readonly problem: string };

/**
 * The view after the delta. Refused when the delta begins at another version than the view's, changes the term or
 * does not go forward; the caller then asks for a snapshot. Lists that the delta does not touch stay the same arrays.
 */
export function applyDelta(view: View, delta: ViewDelta): DeltaResult {
  const problem = deltaProblem(view.version, delta);
  if (problem !== undefined) return { kind: 'refused', problem };
  return {
    kind: 'applied',
    view: {
      version: delta.to,
      hosts: merge(view.hosts, delta.hosts, delta.removedHosts, (host) => host.id),
      networks: merge(view.networks, delta.networks, delta.removedNetworks, (network) => network.name),
      endpoints: mergeEndpoints(view.endpoints, delta),
    },
  };
}

/** Positive when `one` is later than `other`, negative when earlier, 0 when equal. */
export const compareVersions = (one: ViewVersion, other: ViewVersion): number =>
  one.term - other.term || one.n - other.n;

/** `7.12`: term and count, for people. */
export const formatVersion = (version: ViewVersion): string => `${version.term}.${version.n}`;

/** Why a host at version `current` refuses a snapshot, or undefined when it takes it: an earlier term has lost its say. */
export function snapshotProblem(current: ViewVersion | undefined, offered: ViewVersion): string | undefined {
  if (current === undefined || offered.term >= current.term) return undefined;
  return `the view ${formatVersion(offered)} is of an earlier term than ${formatVersion(current)}, which is in force`;
}

function deltaProblem(current: ViewVersion, delta: ViewDelta): string | undefined {
  const { from, to } = delta;
  if (compareVersions(from, current) !== 0) {
    return `the change begins at ${formatVersion(from)}, but ${formatVersion(current)} is in force`;
  }
  if (to.term !== from.term || to.n <= from.n) {
    return `the change leads from ${formatVersion(from)} to ${formatVersion(to)}, which is not forward in one term`;
  }
  return undefined;
}

function compare<T extends object>(
  before: readonly T[],
  after: readonly T[],
  keyOf: (item: T) => string,
  same: (one: T, other: T) => boolean,
): Changed<T>[] {
  if (before === after) return [];
  const [left, fresh] = apart(before, after);
  const old = new Map(left.map((item) => [keyOf(item), item]));
  const changes: Changed<T>[] = [];
  for (const item of fresh) {
    const key = keyOf(item);
    const was = old.get(key);
    old.delete(key);
    if (was === undefined) changes.push({ after: item });
    else if (was !== item && !same(was, item)) changes.push({ before: was, after: item });
  }
  for (const item of old.values()) changes.push({ before: item });
  return changes;
}

/**
 * The items of each list that are not, as the same objects and in the same order, in the other: few when `after` was
 * made of `before` by applyDelta. Others may be in both.
 */
function apart<T>(before: readonly T[], after: readonly T[]): [T[], readonly T[]] {
  let at = 0;
  const left: T[] = [];
  for (const item of before) {
    if (item === after[at]) at += 1;
    else left.push(item);
  }
  return [left, after.slice(at)];
}

function merge<T>(
  items: readonly T[],
  changed: readonly T[],
  removed: readonly string[],
  keyOf: (item: T) => string,
): readonly T[] {
  if (changed.length === 0 && removed.length === 0) return items;
  const put = new Map(changed.map((item) => [keyOf(item), item]));
  const dead = new Set(removed);
  const merged: T[] = [];
  for (const item of items) {
    const key = keyOf(item);
    if (!put.has(key) && !dead.has(key)) merged.push(item);
  }
  merged.push(...put.values());
  return merged;
}

/** As merge(). Few slots change at a time: the keys of all others, thousands of texts, need not even be made. */
function mergeEndpoints(items: readonly ViewEndpoint[], delta: ViewDelta): readonly ViewEndpoint[] {
  const { endpoints: changed, removedEndpoints: removed } = delta;
  if (changed.length === 0 && removed.length === 0) return items;
  const put = new Map(changed.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const out = new Set([...put.keys(), ...removed.map(endpointKey)]);
  const slots = new Set([...changed, ...removed].map(({ slot }) => slot));
  const stays = (item: ViewEndpoint): boolean => !slots.has(item.slot) || !out.has(endpointKey(item));
  return [...items.filter(stays), ...put.values()];
}

const present = <T>(changes: readonly Changed<T>[]): T[] =>
  changes.flatMap(({ after }) => (after === undefined ? [] : [after]));

const gone = <T>(changes: readonly Changed<T>[]): T[] =>
  changes.flatMap(({ before, after }) => (before === undefined || after !== undefined ? [] : [before]));

const sameHost = (a: ViewHost, b: ViewHost): boolean =>
  a.id === b.id &&
  a.hostname === b.hostname &&
  a.underlayIp === b.underlayIp &&
  a.encapsulation === b.encapsulation &&
  a.portPerPeer === b.portPerPeer;

/** True when two records of a network say the same. */
export const sameNetwork = (a: ViewNetwork, b: ViewNetwork): boolean =>
  a.name === b.name &&
  a.vni === b.vni &&
  a.cidr === b.cidr &&
  a.gateway === b.gateway &&
  a.mtu === b.mtu &&
  a.domain === b.domain &&
  a.nat === b.nat &&
  a.forwards === b.forwards &&
  sameTexts(a.routes, b.routes) &&
  samePublications(a.publications, b.publications);

function samePublications(a: readonly Publication[] = [], b: readonly Publication[] = []): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((one, i) => samePublication(one, b[i]));
}

const samePublication = (a: Publication, b: Publication | undefined): boolean =>
  a.app === b?.app &&
  a.protocol === b.protocol &&
  a.hostPort === b.hostPort &&
  a.port === b.port &&
  sameTexts(a.hosts, b.hosts) &&
  sameTexts(a.targets, b.targets);

const sameTexts = (a: readonly string[] = [], b: readonly string[] = []): boolean =>
  a === b || (a.length === b.length && a.every((text, i) => text === b[i]));

/** True when two records of an endpoint say the same. */
export const sameEndpoint = (a: ViewEndpoint, b: ViewEndpoint): boolean =>
  a.serving === b.serving && samePlug(a, b);

/** True when two records of an endpoint differ at most in what only names depend on. */
export const samePlug = (a: ViewEndpoint, b: ViewEndpoint): boolean =>
  a.slot === b.slot &&
  a.epoch === b.epoch &&
  a.app === b.app &&
  a.network === b.network &&
  a.host === b.host &&
  a.ip === b.ip &&
  a.mac === b.mac &&
  a.hostname === b.hostname &&
  a.state === b.state &&
  a.keepsConnections === b.keepsConnections &&
  a.nat === b.nat &&
  a.device === b.device &&
  samePorts(a.ports, b.ports);

const samePorts = (a: readonly ViewPort[], b: readonly ViewPort[]): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every(({ number, protocol, name, hostPort }, i) => {
      const other = b[i];
      return (
        number === other?.number &&
        protocol === other.protocol &&
        name === other.name &&
        hostPort === other.hostPort
      );
    }));
