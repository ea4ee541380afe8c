import { appId, networkName, slotId, type AgentId } from '../model/ids.ts';
import { parseCidr } from './cidr.ts';
import { formatIpv4 } from './ipv4.ts';
import { macOf } from './mac.ts';
import type { View, ViewEndpoint, ViewNetwork } from './view.ts';

/** The network in which hosts test themselves; no other may have its number, the last one. */
export const selfTestVni = 2 ** 20 - 1;

/** Networks have the numbers below; bits above carry flags in the tunnel header. */
export const largestVni = selfTestVni - 1;
const cidr = '198.18.0.0/28';
const app = appId('/patchpanel-self-test');

/** UDP port that every host's switch answers in that network, by a flow, without a process. */
export const echoPort = 7;
export const echoIp = '198.18.0.5';
export const echoMac = macOf(selfTestVni, echoIp);

const network = (mtu: number): ViewNetwork => ({
  name: networkName('patchpanel-self-test'),
  vni: selfTestVni,
  cidr,
  gateway: formatIpv4(parseCidr(cidr).gateway),
  mtu,
  domain: 'invalid',
});

const endpoint = (index: number, epoch: number, ip: string, host: AgentId): ViewEndpoint => ({
  slot: slotId(app, index),
  epoch,
  app,
  network: networkName('patchpanel-self-test'),
  host,
  ip,
  mac: macOf(selfTestVni, ip),
  hostname: `${index}.patchpanel-self-test`,
  state: 'active',
  ports: [],
});

/** A self-test under way: what its host's view has besides, on that host alone. */
export interface SelfTestSetup {
  readonly network: ViewNetwork;
  /** Two on the host itself. */
  readonly pair: readonly [ViewEndpoint, ViewEndpoint];
  /** Stands for the answering switch of another host. */
  readonly echo?: ViewEndpoint;
}

/** What the `run`th self-test of a host needs; `peer` is a host of its view. */
export function selfTestSetup(
  self: AgentId,
  run: number,
  mtu: number,
  peer: AgentId | undefined,
): SelfTestSetup {
  return {
    network: network(mtu),
    pair: [endpoint(0, run, '198.18.0.3', self), endpoint(1, run, '198.18.0.4', self)],
    ...(peer === undefined ? {} : { echo: endpoint(2, run, echoIp, peer) }),
  };
}

/** The view with what a self-test needs. */
export function withSelfTest(view: View, setup: SelfTestSetup | undefined): View {
  if (setup === undefined) return view;
  const { pair, echo } = setup;
  return {
    ...view,
    networks: [...view.networks, setup.network],
    endpoints: [...view.endpoints, ...pair, ...(echo === undefined ? [] : [echo])],
  };
}
