import { parseCidr } from '../../../src/fabric/cidr.ts';
import { serviceAddress } from '../../../src/fabric/gateways.ts';
import { formatIpv4 } from '../../../src/fabric/ipv4.ts';
import { isDnsName } from '../../../src/fabric/names.ts';
import { endpointsOn } from '../../../src/fabric/own-endpoints.ts';
import type { View, ViewEndpoint, ViewNetwork } from '../../../src/fabric/view.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import { gatewayDevice } from './gateway-legs.ts';

/** How long a machine may keep its address without asking, in seconds. It asks again after half of it. */
const leaseSeconds = 3_600;

/**
 * Settings of the server that leases the machines of the host `self` their addresses, by MAC; undefined when it has none.
 * Nobody else is answered. What is leased is reserved, so the server remembers nothing.
 */
export function leaseServerConfig(view: View, self: AgentId): string | undefined {
  const machines = endpointsOn(view, self).filter(
    ({ device, hostname }) => device !== undefined && isDnsName(hostname),
  );
  if (machines.length === 0) return undefined;
  const names = new Set(machines.map(({ network }) => network));
  const networks = view.networks.filter(({ name, domain }) => names.has(name) && isDnsName(domain));
  const settings = [
    'port=0',
    'bind-dynamic',
    'except-interface=lo',
    'dhcp-authoritative',
    'leasefile-ro',
    'no-ping',
    'dhcp-ignore=tag:!known',
    ...networks.flatMap(networkSettings),
    ...machines.map(machineSetting),
  ];
  return settings.map((line) => `${line}\n`).join('');
}

function networkSettings(network: ViewNetwork): readonly string[] {
  const { vni, cidr, gateway, mtu, domain } = network;
  const { address, prefixLength } = parseCidr(cidr);
  const tag = `n${vni}`;
  const mask = formatIpv4((-1 << (32 - prefixLength)) >>> 0);
  const option = (name: string, value: string) => `dhcp-option=tag:${tag},option:${name},${value}`;
  return [
    `interface=${gatewayDevice(vni)}`,
    `dhcp-range=set:${tag},${formatIpv4(address)},static,${mask},${leaseSeconds}`,
    option('router', gateway),
    option('dns-server', serviceAddress(network)),
    option('domain-name', domain),
    option('domain-search', domain),
    // Hardly a client asks for it, and every one needs it.
    `dhcp-option-force=tag:${tag},option:mtu,${mtu}`,
  ];
}

const machineSetting = ({ mac, ip, hostname }: ViewEndpoint): string =>
  `dhcp-host=${mac},${ip},${hostname},${leaseSeconds}`;
