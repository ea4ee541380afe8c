import { largestVni } from './self-test.ts';
import { formatCidr, parseCidr, reservedFor, subnetContains } from './cidr.ts';
import type { Subnet } from './cidr.ts';
import { tryParseIpv4 } from './ipv4.ts';
import { isLocalUnicastMac, isUnicastMac } from './mac.ts';
import { addressKey } from './object-key.ts';
import { endpointKey } from './view.ts';
import type { View, ViewEndpoint, ViewHost, ViewNetwork } from './view.ts';

/** The most problems that are listed; one is enough to refuse a view. */
const maxProblems = 20;
/**
 * Why a view must not be put in force; empty: nothing speaks against it. A switch that is programmed from a view
 * with no problems has no two flows of one identity, and no address that leads to two places.
 */
export function validateView(view: View): readonly string[] {
  const problems = new Problems();
  checkHosts(view.hosts, problems);
  const subnets = checkNetworks(view.networks, problems);
  checkEndpoints(view, subnets, problems);
  return problems.list;
}

class Problems {
  readonly list: string[] = [];

  add(problem: string): void {
    if (this.list.length < maxProblems) this.list.push(problem);
  }

  /** Remembers `value` and reports the second owner of it. */
  unique(seen: Map<string, string>, value: string, owner: string, what: string): void {
    const other = seen.get(value);
    if (other === undefined) seen.set(value, owner);
    else if (other !== owner) this.add(`${other} and ${owner} both have ${what} ${value}`);
    else this.add(`${owner} is there twice`);
  }
}

function checkHosts(hosts: readonly ViewHost[], problems: Problems): void {
  const ids = new Map<string, string>();
  // Two hosts may have one underlay address for a while: a machine that came back under a new agent id.
  for (const host of hosts) {
    problems.unique(ids, host.id, `host ${host.id}`, 'the id');
    if (tryParseIpv4(host.underlayIp) === undefined) {
      problems.add(`host ${host.id} has the underlay address "${host.underlayIp}", which is none`);
    }
  }
}

function checkNetworks(networks: readonly ViewNetwork[], problems: Problems): Map<string, Subnet> {
  const subnets = new Map<string, Subnet>();
  const names = new Map<string, string>();
  const vnis = new Map<string, string>();
  for (const network of networks) {
    const label = `network ${network.name}`;
    problems.unique(names, network.name, label, 'the name');
    problems.unique(vnis, String(network.vni), label, 'the VNI');
    if (!Number.isInteger(network.vni) || network.vni < 1 || network.vni > largestVni) {
      problems.add(`${label} has the VNI ${network.vni}; it must be 1 to ${largestVni}`);
    }
    const subnet = trySubnet(network.cidr);
    if (subnet === undefined) {
      problems.add(`${label} has the subnet "${network.cidr}", which is none`);
      continue;
    }
    subnets.set(network.name, subnet);
    if (tryParseIpv4(network.gateway) !== subnet.gateway) {
      problems.add(`${label} has the gateway ${network.gateway}; it must be the .1 of ${network.cidr}`);
    }
  }
  return subnets;
}

function checkEndpoints(view: View, subnets: ReadonlyMap<string, Subnet>, problems: Problems): void {
  const hosts = new Set(view.hosts.map((host) => host.id));
  const keys = new Set<string>();
  const firsts = new Map<string, ViewEndpoint>();
  const actives = new Map<string, string>();
  const macs = new Map<string, string>();
  for (const endpoint of view.endpoints) {
    const label = endpointKey(endpoint);
    if (keys.has(label)) problems.add(`endpoint ${label} is there twice`);
    keys.add(label);
    if (!hosts.has(endpoint.host)) {
      problems.add(`endpoint ${label} is on host ${endpoint.host}, which is not in the view`);
    }
    const subnet = subnets.get(endpoint.network);
    if (subnet === undefined) {
      problems.add(`endpoint ${label} is in network ${endpoint.network}, which is not in the view`);
      continue;
    }
    const problem = endpointProblem(endpoint, subnet);
    if (problem !== undefined) problems.add(problem);
    checkSharing(endpoint, firsts, macs, problems);
    if (endpoint.state === 'active') {
      problems.unique(actives, addressKey(endpoint), `endpoint ${label}`, 'active');
    }
  }
}

/** What is wrong with an endpoint by itself, in a network of this subnet; undefined when nothing is. */
export function endpointProblem(endpoint: ViewEndpoint, subnet: Subnet): string | undefined {
  const label = `endpoint ${endpointKey(endpoint)}`;
  const { epoch, ip, mac } = endpoint;
  if (!Number.isInteger(epoch) || epoch < 1) return `${label} must have a positive whole number as epoch`;
  const address = tryParseIpv4(ip);
  if (address === undefined || !subnetContains(subnet, address)) {
    return `${label} has the address "${ip}", which is not in ${formatCidr(subnet)}`;
  }
  if (reservedFor(subnet, address) !== undefined) {
    return `${label} has the address ${ip}, which is reserved in ${formatCidr(subnet)}`;
  }
  const isGood = endpoint.device === undefined ? isLocalUnicastMac : isUnicastMac;
  if (isGood(mac)) return undefined;
  return `${label} has the MAC "${mac}", which is no locally administered unicast address`;
}

/** All that have an address are incarnations of one slot with one MAC, and no other address has that MAC. */
function checkSharing(
  endpoint: ViewEndpoint,
  firsts: Map<string, ViewEndpoint>,
  macs: Map<string, string>,
  problems: Problems,
): void {
  const key = addressKey(endpoint);
  const first = firsts.get(key);
  if (first === undefined) {
    firsts.set(key, endpoint);
    problems.unique(macs, `${endpoint.network}/${endpoint.mac}`, endpointKey(endpoint), 'the MAC');
  } else if (first.slot !== endpoint.slot) {
    problems.add(`slots ${first.slot} and ${endpoint.slot} both have ${endpoint.network}/${endpoint.ip}`);
  } else if (first.mac !== endpoint.mac) {
    problems.add(`slot ${first.slot} has ${endpoint.ip} with two MACs: ${first.mac} and ${endpoint.mac}`);
  }
}

function trySubnet(cidr: string): Subnet | undefined {
  try {
    return parseCidr(cidr);
  } catch {
    return undefined;
  }
}
