import { parseCidr, subnetContains } from '../../../src/fabric/cidr.ts';
import { tryParseIpv4 } from '../../../src/fabric/ipv4.ts';
import { fullName } from '../../../src/fabric/names.ts';
import type { ViewEndpoint } from '../../../src/fabric/view.ts';
import { appId, slotIdFromText, taskId, type NetworkName, type SlotId } from '../../../src/model/ids.ts';
import { isTerminal, type Instance, type Lease } from '../../../src/model/instance.ts';
import type { Network } from '../../../src/model/network.ts';
import { viewEndpoints } from './fabric-view.ts';
import { incarnationsOf } from '../tables.ts';
import type { World } from '../world.ts';

/** An incarnation that a path begins or ends at. */
export interface PathEndpoint {
  readonly kind: 'endpoint';
  readonly instance: Instance;
  readonly lease: Lease;
  /** As the views show it; undefined when it is fenced: hosts must not hear it. */
  readonly shown: ViewEndpoint | undefined;
}

/** An address that no slot has. */
export interface PathAddress {
  readonly kind: 'address';
  readonly ip: string;
  /** The network that the address lies in; undefined outside of the fabric. */
  readonly network: Network | undefined;
}

/** What a text names, or why it names nothing that a path can begin or end at. */
export type PathEnd =
  | PathEndpoint
  | PathAddress
  | { readonly kind: 'unknown'; readonly message: string }
  | { readonly kind: 'unfit'; readonly message: string };

/** What `/web#0`, `0.web`, a task id or an address names. Looks at every slot for a name, so it is for people. */
export function pathEnd(world: World, text: string): PathEnd {
  const instance = world.instances.get(taskId(text));
  if (instance !== undefined) return endpointOf(world, instance);
  const ip = tryParseIpv4(text);
  if (ip !== undefined) return endAtAddress(world, text, ip);
  const slot = world.slots.has(slotIdFromText(text)) ? slotIdFromText(text) : slotNamed(world, text);
  if (slot !== undefined) return endAtSlot(world, slot);
  const app = world.apps.get(appId(text));
  if (app !== undefined) {
    const message = `${text} is an app: name one of its slots, ${text}#0 to ${text}#${Math.max(0, app.instances - 1)}`;
    return { kind: 'unfit', message };
  }
  const forms = 'a slot (/web#0 or 0.web), a task id or an IPv4 address';
  return { kind: 'unknown', message: `there is no "${text}": it must be ${forms}` };
}

function slotNamed(world: World, text: string): SlotId | undefined {
  const name = text.replace(/\.$/, '');
  for (const slot of world.slots.values()) {
    if (slot.lease === undefined) continue;
    const domain = world.networks.get(slot.lease.network)?.domain ?? '';
    if (name === slot.lease.hostname || name === fullName(slot.lease.hostname, domain)) return slot.id;
  }
  return undefined;
}

/** The incarnation that has the slot's address, or else the newest. */
function endAtSlot(world: World, slotId: SlotId): PathEnd {
  const slot = world.slots.get(slotId);
  const incarnations = incarnationsOf(world, slotId).filter(({ condition }) => !isTerminal(condition));
  const active = incarnations.find(({ epoch }) => epoch === slot?.activeEpoch) ?? incarnations.at(-1);
  if (active !== undefined) return endpointOf(world, active);
  if (slot?.lease === undefined) return { kind: 'unfit', message: `nothing of ${slotId} runs` };
  // Its address is a good destination: nobody answers there.
  const network = world.networks.get(slot.lease.network);
  return { kind: 'address', ip: slot.lease.ip, network };
}

function endpointOf(world: World, instance: Instance): PathEnd {
  const { taskId: task, lease, condition, slotId, epoch } = instance;
  if (isTerminal(condition)) return { kind: 'unfit', message: `${task} has ended (${condition})` };
  if (lease === undefined) {
    return { kind: 'unfit', message: `${task} is on its host's network, not on the switch` };
  }
  const shown = viewEndpoints(world, [slotId])
    .get(slotId)
    ?.find((each) => each.epoch === epoch);
  return { kind: 'endpoint', instance, lease, shown };
}

function endAtAddress(world: World, text: string, ip: number): PathEnd {
  for (const [name, book] of world.addresses) {
    for (const holder of book.holders.get(text) ?? []) {
      const slot = slotOfHolder(world, name, holder);
      if (slot !== undefined) return endAtSlot(world, slot);
    }
  }
  return { kind: 'address', ip: text, network: networkOf(world, ip) };
}

/** Holders are slots, and instances that were launched with an address that their slot has no more. */
function slotOfHolder(world: World, network: NetworkName, holder: string): SlotId | undefined {
  const slot = world.slots.get(slotIdFromText(holder));
  if (slot !== undefined) return slot.lease?.network === network ? slot.id : undefined;
  return world.instances.get(taskId(holder))?.slotId;
}

function networkOf(world: World, ip: number): Network | undefined {
  for (const network of world.networks.values()) {
    if (subnetContains(parseCidr(network.cidr), ip)) return network;
  }
  return undefined;
}
