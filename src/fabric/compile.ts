import { networkName } from '../model/ids.ts';
import type { Flow, FlowDiff } from './flow.ts';
import { diffFlows } from './flow.ts';
import type { LocalSwitch } from './local-switch.ts';
import { networkKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { addressFlows } from './objects/address.ts';
import { baseFlows } from './objects/base.ts';
import { networkFlows } from './objects/network.ts';
import { portFlows } from './objects/port.ts';
import { endpointKey } from './view.ts';
import type { View, ViewEndpoint } from './view.ts';
import { indexView } from './view-index.ts';
import type { ViewIndex } from './view-index.ts';

/**
 * The flows of a switch by the object that they belong to. INVARIANT: over all objects, no two flows have the same
 * table, priority and match, as long as the view is valid.
 */
export type FlowObjects = ReadonlyMap<ObjectKey, readonly Flow[]>;

/** All flows of the switch of `local` for a view that validateView accepts; pure and total. */
export const compile = (view: View, local: LocalSwitch): Flow[] => allFlows(compileObjects(view, local));

/** Like compile, grouped by object, so that a change needs to compile only what it touches. */
export function compileObjects(view: View, local: LocalSwitch): FlowObjects {
  const index = indexView(view, local.agentId);
  const objects = new Map<ObjectKey, readonly Flow[]>([['base', baseFlows(local)]]);
  for (const network of index.networks.values()) put(objects, networkKey(network.name), index, local);
  for (const key of index.addresses.keys()) put(objects, key, index, local);
  for (const key of index.ports.keys()) put(objects, key, index, local);
  return objects;
}

/**
 * The objects of `view` when `previous` differs from them in `keys` at most (see touchedKeys). Untouched groups are
 * the same arrays as before, which is what makes diffObjects cheap.
 */
export function recompile(
  previous: FlowObjects,
  view: View,
  keys: Iterable<ObjectKey>,
  local: LocalSwitch,
): FlowObjects {
  const index = indexView(view, local.agentId);
  const objects = new Map(previous);
  for (const key of keys) put(objects, key, index, local);
  return objects;
}

/** The flows of all objects. */
export function allFlows(objects: FlowObjects): Flow[] {
  const flows: Flow[] = [];
  for (const group of objects.values()) for (const flow of group) flows.push(flow);
  return flows;
}

/** What turns the flows of `before` into those of `after`; looks only at groups that are not the same array. */
export function diffObjects(before: FlowObjects, after: FlowObjects): FlowDiff {
  const old: Flow[] = [];
  const now: Flow[] = [];
  for (const [key, group] of before) if (after.get(key) !== group) old.push(...group);
  for (const [key, group] of after) if (before.get(key) !== group) now.push(...group);
  return diffFlows(old, now);
}

function put(
  objects: Map<ObjectKey, readonly Flow[]>,
  key: ObjectKey,
  index: ViewIndex,
  local: LocalSwitch,
): void {
  const flows = flowsOf(key, index, local);
  if (flows === undefined) objects.delete(key);
  else objects.set(key, flows);
}

/** Undefined when the view has no such object (any more). */
function flowsOf(key: ObjectKey, index: ViewIndex, local: LocalSwitch): Flow[] | undefined {
  if (key === 'base') return baseFlows(local);
  const endpoint = index.ports.get(key);
  if (endpoint !== undefined) return flowsOfPort(endpoint, index, local);
  const [first, ...others] = index.addresses.get(key) ?? [];
  if (first !== undefined) return flowsOfAddress(first, others, index, local);
  const network = index.networks.get(networkName(key.slice('network:'.length)));
  if (network === undefined || networkKey(network.name) !== key) return undefined;
  return networkFlows(network, index, local);
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
