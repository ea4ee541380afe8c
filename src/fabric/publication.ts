import type { AppId } from '../model/ids.ts';

/** A port of an app that hosts offer to the outside on an address of their own. */
export interface Publication {
  readonly app: AppId;
  readonly protocol: 'tcp' | 'udp';
  readonly hostPort: number;
  /** Port in the containers. */
  readonly port: number;
  /** Names of the hosts that offer it; empty: every host of the network. */
  readonly hosts: readonly string[];
  /** Addresses of the instances that serve, in the order of their slots. */
  readonly targets: readonly string[];
}

/** Where a port mapping says on which host port, and on which hosts, it is published: a label on the mapping. */
export const exposeLabel = 'patchpanel.expose';

/** What the label says. */
export interface Exposure {
  readonly hostPort: number;
  readonly hosts: readonly string[];
}

/** Ports of the tunnels: what is published there would cut the hosts off from each other. */
const tunnelPorts: ReadonlySet<number> = new Set([4789, 6081]);

/** Whether a host port must be left to the tunnels. */
export const isTunnelPort = (port: number): boolean => tunnelPorts.has(port);

/** What else every host needs: a published port hides it. An agent may have another port than Mesos's usual one. */
export const neededPorts: ReadonlyMap<number, string> = new Map([
  [22, 'SSH to hosts'],
  [53, 'names for containers'],
  [67, 'leases for machines'],
  [5051, 'the Mesos agent'],
]);

/** Reads `8080` or `8080@edge1,edge2`; the problem in words when it is neither. */
export function parseExposure(text: string): Exposure | { readonly problem: string } {
  const match = /^(\d{1,5})(?:@(.+))?$/.exec(text.trim());
  const hostPort = Number(match?.[1]);
  if (match === null || hostPort < 1 || hostPort > 65_535) {
    return { problem: `"${text}" must be a host port, or a port and hosts like 8080@edge1,edge2` };
  }
  if (isTunnelPort(hostPort)) return { problem: portNeeded(hostPort, 'the tunnels between hosts') };
  const hosts = match[2]?.split(',').map((host) => host.trim()) ?? [];
  const bad = hosts.find((host) => !/^[A-Za-z0-9]([-A-Za-z0-9.]{0,251}[A-Za-z0-9])?$/.test(host));
  if (bad !== undefined) return { problem: `"${bad}" is not a name of a host` };
  return { hostPort, hosts: [...new Set(hosts)] };
}

/** Why nothing is published on a port that hosts need for `use`. */
export const portNeeded = (hostPort: number, use: string): string =>
  `host port ${hostPort} is that of ${use}, which would be hidden: choose another one`;

/** True when one exposure takes no port of a host that the other has not. */
export const isWithin = (one: Exposure, other: Exposure): boolean =>
  one.hostPort === other.hostPort &&
  (other.hosts.length === 0 ||
    (one.hosts.length > 0 && one.hosts.every((host) => other.hosts.includes(host))));

/** True when an exposure takes its port of this host. */
export const isExposedOn = ({ hosts }: Exposure, hostname: string): boolean =>
  hosts.length === 0 || hosts.includes(hostname);

/** True when two exposures would take one port of one host. */
export const exposuresClash = (one: Exposure, other: Exposure): boolean =>
  one.hostPort === other.hostPort &&
  (one.hosts.length === 0 ||
    other.hosts.length === 0 ||
    one.hosts.some((host) => other.hosts.includes(host)));
