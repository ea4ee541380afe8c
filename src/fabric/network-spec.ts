import type { SwitchNetworkSpec } from '../model/task-spec.ts';
import { parseCidr } from './cidr.ts';
import type { ViewEndpoint, ViewNetwork } from './view.ts';

/** What is needed to plug a task in under an address of a network; `dns`: whom it asks for names, in this order. */
export const switchNetworkSpec = (
  { ip, mac, hostname }: Pick<ViewEndpoint, 'ip' | 'mac' | 'hostname'>,
  network: ViewNetwork,
  dns: SwitchNetworkSpec['dns'],
): SwitchNetworkSpec => ({
  mode: 'switch',
  name: network.name,
  ip,
  prefixLength: parseCidr(network.cidr).prefixLength,
  mac,
  gateway: network.gateway,
  mtu: network.mtu,
  hostname,
  domain: network.domain,
  dns,
});
