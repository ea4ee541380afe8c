import type { Interconnect } from '../../src/fabric/interconnect.ts';
import type { NetworkName, SlotId } from '../../src/model/ids.ts';
import type { Event } from '../core/events.ts';
import { viewEndpoints, viewHost, viewNetwork } from '../core/fabric/fabric-view.ts';
import type { World } from '../core/world.ts';
import type { ViewHub } from './views/hub.ts';

/** Reads what the slots show now; the result hands that to the hub. Nothing that is read later gets into it. */
export function slotsUpdate(
  world: World,
  interconnect: Interconnect,
  hub: ViewHub,
  slots: Iterable<SlotId>,
): () => void {
  const endpoints = viewEndpoints(world, slots);
  const agents = new Set([...endpoints.values()].flat().map((endpoint) => endpoint.host));
  const hosts = [...agents].flatMap((agent) => viewHost(world, interconnect, agent) ?? []);
  return () => {
    for (const host of hosts) hub.setHost(host);
    for (const [slot, shown] of endpoints) hub.setEndpoints(slot, shown);
  };
}

/** The same for all networks. */
export function networksUpdate(world: World, interconnect: Interconnect, hub: ViewHub): () => void {
  const names: NetworkName[] = [...world.networks.keys()];
  const networks = names.flatMap((name) => viewNetwork(world, interconnect, name) ?? []);
  return () => hub.setNetworks(networks);
}

/** Whether an event changes the settings of networks. */
export function touchesNetworks(event: Event): boolean {
  return (
    event.kind === 'change' && (event.change.kind === 'put-network' || event.change.kind === 'delete-network')
  );
}

/** Tells the hub of everything that the world holds, at the start. */
export function showEverything(world: World, interconnect: Interconnect, hub: ViewHub): void {
  networksUpdate(world, interconnect, hub)();
  for (const agent of world.hosts.keys()) {
    const host = viewHost(world, interconnect, agent);
    if (host !== undefined) hub.setHost(host);
  }
  slotsUpdate(world, interconnect, hub, [...world.slots.keys(), ...world.reservations.keys()])();
}
