import { parseIpv4 } from '../../../src/fabric/ipv4.ts';
import { appName, fullName, isDnsName } from '../../../src/fabric/names.ts';
import { endpointKey, type View, type ViewEndpoint } from '../../../src/fabric/view.ts';
import { compareViews } from '../../../src/fabric/view-diff.ts';
import type { AppId, NetworkName } from '../../../src/model/ids.ts';

/** One target of a service: `_http._tcp.web.patchpanel.internal` → `0.web.patchpanel.internal`, 80. */
export interface ServiceTarget {
  /** What is asked for. */
  readonly name: string;
  /** The part of it that all services of the app and protocol have in common, `_tcp.web.patchpanel.internal`. */
  readonly zone: string;
  readonly target: string;
  readonly port: number;
}

/** All names that a host answers, and what they were made of. */
export interface NameRecords {
  readonly view: View;
  readonly endpoints: ReadonlyMap<AppId, ReadonlyMap<string, ViewEndpoint>>;
  /** Addresses by file, one for each app, in the form of /etc/hosts. The same map as before when none has changed. */
  readonly hosts: ReadonlyMap<string, string>;
  /** By app; one without a service that is served is not in it. The same map as before when none has changed. */
  readonly services: ReadonlyMap<AppId, readonly ServiceTarget[]>;
}

/**
 * The names of a view. A slot's name leads to its address as long as the slot is in the view; an app's name and its
 * services lead to the endpoints that serve. Makes only what differs from `previous`, which may be of any age.
 */
export function nameRecords(previous: NameRecords | undefined, view: View): NameRecords {
  const domains = domainsOf(view);
  if (previous === undefined || !sameDomains(domainsOf(previous.view), domains)) {
    return recordsOf(
      view,
      view.endpoints.map((endpoint) => ({ after: endpoint })),
      domains,
      nothing(view),
    );
  }
  const { endpoints: changes } = compareViews(previous.view, view);
  return changes.length === 0 ? { ...previous, view } : recordsOf(view, changes, domains, previous);
}

type Domains = ReadonlyMap<NetworkName, string>;

const domainsOf = ({ networks }: View): Domains =>
  new Map(networks.filter(({ domain }) => isDnsName(domain)).map(({ name, domain }) => [name, domain]));

const sameDomains = (one: Domains, other: Domains): boolean =>
  one.size === other.size && [...one].every(([name, domain]) => other.get(name) === domain);

const nothing = (view: View): NameRecords => ({
  view,
  endpoints: new Map(),
  hosts: new Map(),
  services: new Map(),
});

function recordsOf(
  view: View,
  changes: readonly { readonly before?: ViewEndpoint; readonly after?: ViewEndpoint }[],
  domains: Domains,
  previous: NameRecords,
): NameRecords {
  const endpoints = new Map(previous.endpoints);
  const touched = new Map<AppId, Map<string, ViewEndpoint>>();
  const of = (app: AppId) => {
    const known = touched.get(app) ?? new Map(endpoints.get(app));
    touched.set(app, known);
    return known;
  };
  for (const { before, after } of changes) {
    if (before !== undefined) of(before.app).delete(endpointKey(before));
    if (after !== undefined) of(after.app).set(endpointKey(after), after);
  }
  const hosts = new Map(previous.hosts);
  const services = new Map(previous.services);
  let [named, served] = [false, false];
  for (const [app, present] of touched) {
    const shown = [...present.values()].filter((endpoint) => isNamed(endpoint, domains)).sort(byAddress);
    put(endpoints, app, present.size > 0 ? present : undefined);
    const [file, text] = [fileOf(app), hostsText(shown, domains)];
    if (hosts.get(file) !== text) {
      named = true;
      put(hosts, file, text);
    }
    const targets = shown.flatMap((endpoint) => servicesOf(endpoint, domains));
    if (!sameTargets(services.get(app), targets)) {
      served = true;
      put(services, app, targets.length > 0 ? targets : undefined);
    }
  }
  return {
    view,
    endpoints,
    hosts: named ? hosts : previous.hosts,
    services: served ? services : previous.services,
  };
}

function put<K, V>(map: Map<K, V>, key: K, value: V | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

/** `/shop/db` → `shop_db`: no id holds a `_`. */
const fileOf = (app: AppId): string => app.replace(/^\//, '').replaceAll('/', '_');

/** What is not a name must not get into a configuration, wherever it comes from. */
const isNamed = ({ network, hostname }: ViewEndpoint, domains: Domains): boolean =>
  domains.has(network) && isDnsName(hostname);

const byAddress = (one: ViewEndpoint, other: ViewEndpoint): number => parseIpv4(one.ip) - parseIpv4(other.ip);

/** The first name of a line is what its address is called. Incarnations of a slot share its address. */
function hostsText(endpoints: readonly ViewEndpoint[], domains: Domains): string | undefined {
  const active = new Set(endpoints.filter(({ state }) => state === 'active').map(({ slot }) => slot));
  const lines = new Map<string, string>();
  for (const endpoint of endpoints) {
    const { ip, slot, state } = endpoint;
    if (state !== 'active' && (active.has(slot) || lines.has(ip))) continue;
    const names = [slotNameOf(endpoint, domains)];
    if (endpoint.serving === true) names.push(appNameOf(endpoint, domains));
    lines.set(ip, `${ip} ${names.join(' ')}\n`);
  }
  return lines.size === 0 ? undefined : [...lines.values()].join('');
}

function servicesOf(endpoint: ViewEndpoint, domains: Domains): ServiceTarget[] {
  if (endpoint.serving !== true) return [];
  const app = appNameOf(endpoint, domains);
  const target = slotNameOf(endpoint, domains);
  return endpoint.ports.flatMap(({ number: port, protocol, name }) => {
    if (name === undefined || !isDnsName(name)) return [];
    const zone = `_${protocol}.${app}`;
    return [{ name: `_${name}.${zone}`, zone, target, port }];
  });
}

const domainOf = ({ network }: ViewEndpoint, domains: Domains): string => domains.get(network) ?? '';

const slotNameOf = (endpoint: ViewEndpoint, domains: Domains): string =>
  fullName(endpoint.hostname, domainOf(endpoint, domains));

const appNameOf = (endpoint: ViewEndpoint, domains: Domains): string =>
  fullName(appName(endpoint.app), domainOf(endpoint, domains));

function sameTargets(one: readonly ServiceTarget[] = [], other: readonly ServiceTarget[]): boolean {
  return (
    one.length === other.length &&
    one.every(({ name, target, port }, i) => {
      const also = other[i];
      return name === also?.name && target === also.target && port === also.port;
    })
  );
}
