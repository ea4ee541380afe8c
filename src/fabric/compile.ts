import { networkName } from '../model/ids.ts';
import type { Flow } from './flow.ts';
import { FlowObjects } from './flow-objects.ts';
import type { LocalSwitch } from './local-switch.ts';
import { networkKey, trafficKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { addressFlows } from './objects/address.ts';
import { baseFlows } from './objects/base.ts';
import { networkFlows } from './objects/network.ts';
import { trafficFlows } from './objects/traffic.ts';
import { portFlows } from './objects/port.ts';
import { endpointKey } from './view.ts';
import type { View, ViewEndpoint } from './view.ts';
import { ViewIndex } from './view-index.ts';

/** All flows of the switch of `local` for a view that validateView accepts; pure and total. */
export const compile = (view: View, local: LocalSwitch): Flow[] => compileObjects(view, local).all();

/** Like compile, grouped by object, so that a change needs to compile only what it touches. */
export const compileObjects = (view: View, local: LocalSwitch): FlowObjects =>
  compileIndex(new ViewIndex(view, local.agentId), local);

/** Like compileObjects, of a view that is indexed for the host already. */
export function compileIndex(index: ViewIndex, local: LocalSwitch): FlowObjects {
  const entries: [ObjectKey, readonly Flow[]][] = [];
  const put = (key: ObjectKey): void => {
    const flows = flowsOf(key, index, local);
    if (flows !== undefined) entries.push([key, flows]);
  };
  put('base');
  for (const { name } of index.networks.values()) {
    put(networkKey(name));
    put(trafficKey(name));
  }
  for (const key of index.addresses.keys()) put(key);
  for (const key of index.ports.keys()) put(key);
  return FlowObjects.of(entries);
}

/** The flows of one object; undefined when the view has no such object (any more). */
export function flowsOf(key: ObjectKey, index: ViewIndex, local: LocalSwitch): Flow[] | undefined {
  if (key === 'base') return baseFlows(local);
  const endpoint = index.ports.get(key);
  if (endpoint !== undefined) return flowsOfPort(endpoint, index, local);
  const [first, ...others] = index.addresses.get(key) ?? [];
  if (first !== undefined) return flowsOfAddress(first, others, index, local);
  const network = index.networks.get(networkName(key.slice(key.indexOf(':') + 1)));
  if (network === undefined) return undefined;
  if (key === networkKey(network.name)) return networkFlows(network, index, local);
  return key === trafficKey(network.name) ? trafficFlows(network, index, local) : undefined;
}

function flowsOfPort(endpoint: ViewEndpoint, index: ViewIndex, local: LocalSwitch): Flow[] | undefined {
  const network = index.networks.get(endpoint.network);
  const ofport = local.ofports.get(endpointKey(endpoint));
  if (network === undefined || ofport === undefined) return undefined;
  return portFlows(endpoint, network, ofport, local);
}

function flowsOfAddress(
  first: ViewEndpoint,
  others: readonly ViewEndpoint[],
  index: ViewIndex,
  local: LocalSwitch,
): Flow[] | undefined {
  const network = index.networks.get(first.network);
  if (network === undefined) return undefined;
  const address = { network, ip: first.ip, mac: first.mac, incarnations: [first, ...others] as const };
  return addressFlows(address, index, local);
}
