import { agentId, appId, networkName, slotId } from '../../model/ids.ts';
import { parseCidr } from '../../fabric/cidr.ts';
import { formatIpv4 } from '../../fabric/ipv4.ts';
import { macOf } from '../../fabric/mac.ts';
import type { View, ViewEndpoint, ViewHost, ViewNetwork } from '../../fabric/view.ts';

const network: ViewNetwork = {
  name: networkName('default'),
  vni: 7,
  cidr: '10.0.0.0/9',
  gateway: '10.0.0.1',
  mtu: 1_450,
  domain: 'patchpanel.internal',
};
const firstIp = parseCidr(network.cidr).address + 10;
const firstUnderlay = parseCidr('172.16.0.0/16').address + 1;
/** Apps have so many instances. */
const instances = 40;

/** A fabric of one network, its endpoints spread evenly over its hosts. */
export function simulatedFabric(hostCount: number, endpointCount: number): View {
  const hosts = Array.from({ length: hostCount }, (_, i): ViewHost => ({
    id: agentId(`host-${i}`),
    hostname: `host-${i}`,
    underlayIp: formatIpv4(firstUnderlay + i),
  }));
  const endpoints = Array.from({ length: endpointCount }, (_, i): ViewEndpoint => {
    const app = appId(`/app-${Math.floor(i / instances)}`);
    const ip = formatIpv4(firstIp + i);
    return {
      slot: slotId(app, i % instances),
      epoch: 1,
      app,
      network: network.name,
      host: agentId(`host-${i % hostCount}`),
      ip,
      mac: macOf(network.vni, ip),
      hostname: `${i % instances}.app`,
      state: 'active',
      ports: [{ number: 80, protocol: 'tcp' }],
    };
  });
  return { version: { term: 1, n: 1 }, hosts, networks: [network], endpoints };
}

/** The endpoint as it is after a move to another host of the fabric. */
export const movedTo = (endpoint: ViewEndpoint, host: ViewHost | undefined): ViewEndpoint => ({
  ...endpoint,
  epoch: endpoint.epoch + 1,
  host: host?.id ?? endpoint.host,
});
