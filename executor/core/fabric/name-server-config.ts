import { reverseZones } from '../../../src/fabric/reverse-zones.ts';
import { isDnsName } from '../../../src/fabric/names.ts';
import type { View } from '../../../src/fabric/view.ts';
import type { ServiceTarget } from './name-records.ts';

/** How long an answer of ours may be kept, in seconds: asking again costs a frame within the host. */
const answerSeconds = 1;
/** Bounds of what is kept and of what waits for the host's resolvers. */
const keptAnswers = 10_000;
const waitingQuestions = 1_000;

/** Where the name server finds what changes while it runs. */
export interface NameServerFiles {
  /** Directory of files like /etc/hosts; it notices every change. */
  readonly hosts: string;
  /** Who is asked for what; read again at SIGHUP. */
  readonly servers: string;
  /** The host's resolvers, in the form of /etc/resolv.conf. */
  readonly resolvers: string;
}

/** Settings of the name server that containers ask. Nothing in it changes with the view, so it is never restarted. */
export const nameServerConfig = (files: NameServerFiles): string =>
  lines([
    ...common,
    'bind-dynamic',
    // The host's legs in networks; no other device of the host is listened on.
    'interface=ppg*',
    'except-interface=lo',
    `hostsdir=${files.hosts}`,
    `servers-file=${files.servers}`,
    `resolv-file=${files.resolvers}`,
    'domain-needed',
    'no-negcache',
    `cache-size=${keptAnswers}`,
    `dns-forward-max=${waitingQuestions}`,
  ]);

/**
 * dnsmasq reads services (SRV) when it starts and never again. So they are in a server of their own that only the name
 * server asks; there are two places for it, so that a new one is ready before the name server turns to it.
 */
export type ServiceSide = 'a' | 'b';

const loopback: Readonly<Record<ServiceSide, string>> = { a: '127.80.80.1', b: '127.80.80.2' };
const servicePort = 10_053;

/** The place that the new one goes to. */
export const otherSide = (side: ServiceSide): ServiceSide => (side === 'a' ? 'b' : 'a');

/** The place that a file of servers names; `a` when it names none. */
export const sideOf = (servers: string): ServiceSide => (servers.includes(`/${loopback.b}#`) ? 'b' : 'a');

/** Settings of the server of services; all of them are in it. */
export const serviceServerConfig = (services: readonly ServiceTarget[], side: ServiceSide): string =>
  lines([
    ...common,
    'no-resolv',
    'bind-interfaces',
    `listen-address=${loopback[side]}`,
    `port=${servicePort}`,
    ...zonesOf(services).map((zone) => `local=/${zone}/`),
    ...services.map(({ name, target, port }) => `srv-host=${name},${target},${port}`),
  ]);

/**
 * Who is asked for what: names of ours, and those of our addresses, are answered here or do not exist; services are
 * asked at `side`; everything else goes to the host's resolvers.
 */
export function serversText(
  networks: View['networks'],
  services: readonly ServiceTarget[],
  side: ServiceSide,
): string {
  const domains = new Set(networks.map(({ domain }) => domain).filter(isDnsName));
  const zones = new Set(networks.flatMap(({ cidr }) => reverseZones(cidr)));
  return lines([
    ...[...domains, ...zones].map((name) => `server=/${name}/`),
    ...zonesOf(services).map((zone) => `server=/${zone}/${loopback[side]}#${servicePort}`),
  ]);
}

const zonesOf = (services: readonly ServiceTarget[]): readonly string[] => [
  ...new Set(services.map(({ zone }) => zone)),
];

const common = ['no-hosts', `local-ttl=${answerSeconds}`];

const lines = (each: readonly string[]): string => each.map((line) => `${line}\n`).join('');
