import { compileObjects, recompile, type FlowObjects } from '../../src/fabric/compile.ts';
import type { LocalSwitch } from '../../src/fabric/local-switch.ts';
import { touchedByPorts, touchedKeys } from '../../src/fabric/touched.ts';
import type { View } from '../../src/fabric/view.ts';

/** The flows of a view on a switch, with what they were made of. */
export interface CompiledFlows {
  readonly view: View;
  readonly local: LocalSwitch;
  readonly objects: FlowObjects;
}

/** The flows for a view and a switch. Compiles only what differs from `previous`, which may be of any age. */
export function flowsFor(previous: CompiledFlows | undefined, view: View, local: LocalSwitch): CompiledFlows {
  if (previous === undefined || !sameSwitch(previous.local, local)) {
    return { view, local, objects: compileObjects(view, local) };
  }
  const keys = touchedKeys(previous.view, view);
  for (const key of touchedByPorts(view, previous.local, local)) keys.add(key);
  if (keys.size === 0) return { view, local, objects: previous.objects };
  return { view, local, objects: recompile(previous.objects, view, keys, local) };
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
