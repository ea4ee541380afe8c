import type { NetworkName } from '../model/ids.ts';
import { compileIndex, flowsOf } from './compile.ts';
import type { FlowObjects } from './flow-objects.ts';
import type { LocalSwitch } from './local-switch.ts';
import { trafficKey } from './object-key.ts';
import type { ObjectKey } from './object-key.ts';
import { changedNetworks, touchedByCounts, touchedByPorts, touchedKeys } from './touched.ts';
import { countedPairs, type AppPair } from './traffic.ts';
import { compareViews } from './view-diff.ts';
import type { View } from './view.ts';
import { ViewIndex } from './view-index.ts';

/**
 * Keeps the flows of a switch while views and ports change, at a cost of what changed.
 * INVARIANT: what `update` gives is what compiling the view anew would give.
 */
export class FlowCompiler {
  #state:
    | {
        readonly view: View;
        readonly local: LocalSwitch;
        readonly index: ViewIndex;
        readonly objects: FlowObjects;
      }
    | undefined;

  /** What has flows now. */
  get keys(): Iterable<ObjectKey> {
    return this.#state?.objects.keys() ?? [];
  }

  /** The pairs of apps that are counted now. */
  get pairs(): readonly AppPair[] {
    const index = this.#state?.index;
    if (index === undefined) return [];
    return [...index.networks.keys()].flatMap((network) => countedPairs(network, index).pairs);
  }

  /** The flows for a view that validateView accepts, on a switch. */
  update(view: View, local: LocalSwitch): FlowObjects {
    const state = this.#state;
    if (state === undefined || !sameSwitch(state.local, local)) {
      const index = new ViewIndex(view, local.agentId);
      this.#state = { view, local, index, objects: compileIndex(index, local) };
      return this.#state.objects;
    }
    const [index, keys] = follow(state.index, state.view, view);
    for (const key of touchedByPorts(index, state.local, local)) keys.add(key);
    const groups = Array.from(keys, (key) => [key, flowsOf(key, index, local)] as const);
    const objects = groups.length === 0 ? state.objects : state.objects.with(groups);
    this.#state = { view, local, index, objects };
    return objects;
  }
}

/** The index of the next view, and the objects whose flows that may change. */
function follow(index: ViewIndex, before: View, after: View): [ViewIndex, Set<ObjectKey>] {
  const difference = compareViews(before, after);
  const keys = touchedKeys(before, after, difference);
  const networks = changedNetworks(difference);
  const sizes = new Map<NetworkName, number>();
  for (const network of networks) sizes.set(network, index.addressCounts.get(network) ?? 0);
  if (difference.networks.length === 0) {
    for (const key of touchedByCounts(index, sizes, index.follow(difference))) keys.add(key);
    return [index, keys];
  }
  const anew = new ViewIndex(after, index.local);
  const everywhere = new Set([...index.networks.keys(), ...anew.networks.keys()]);
  for (const key of touchedByCounts(anew, sizes, everywhere)) keys.add(key);
  for (const network of everywhere) keys.add(trafficKey(network));
  return [anew, keys];
}

const sameSwitch = (one: LocalSwitch, other: LocalSwitch): boolean =>
  one.agentId === other.agentId &&
  one.round === other.round &&
  one.tunnelOfport === other.tunnelOfport &&
  samePorts(one.peerOfports, other.peerOfports) &&
  samePorts(one.gatewayOfports, other.gatewayOfports);

function samePorts(
  one: ReadonlyMap<string, number> | undefined,
  other: ReadonlyMap<string, number> | undefined,
): boolean {
  if (one === other) return true;
  if (one === undefined || other === undefined || one.size !== other.size) return false;
  return [...one].every(([peer, ofport]) => other.get(peer) === ofport);
}
