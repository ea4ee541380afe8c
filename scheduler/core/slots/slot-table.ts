import type { App } from '../../../src/model/app.ts';
import type { AppId, SlotId } from '../../../src/model/ids.ts';
import { sameLease, type Slot } from '../../../src/model/instance.ts';
import { isProblem, newSlot } from './addresses.ts';
import type { AddressProblem, LeasePlan } from './addresses.ts';
import { shrinkOrder } from '../deployments/kill-selection.ts';
import type { World } from '../world.ts';

/**
 * The slots that have to change so that an app has as many in service as it has instances. The rule, so that people
 * can predict it: scaling up fills the lowest free indexes, taking a slot that is in quarantine with its address;
 * scaling down takes those of `retire` away, then those that the app's kill selection names.
 */
export function planSlots(
  world: World,
  leases: LeasePlan,
  app: App,
  retire: ReadonlySet<SlotId>,
  now: number,
): Slot[] | AddressProblem {
  const existing = new Map(slotsOf(world, app.id).map((slot) => [slot.index, slot]));
  const changed: Slot[] = [];
  for (const index of indexesInService(world, app, existing, retire)) {
    const { quarantinedUntil, ...slot } = existing.get(index) ?? newSlot(app.id, index);
    const leased = leases.leaseSlot(app, quarantinedUntil === undefined ? slot : { ...slot, returned: true });
    if (isProblem(leased)) return leased;
    if (!isSameSlot(existing.get(index), leased)) changed.push(leased);
    existing.delete(index);
  }
  return [...changed, ...[...existing.values()].flatMap((slot) => retired(world, slot, now) ?? [])];
}

/** Takes every slot of an app out of service. */
export const retireAll = (world: World, app: AppId, now: number): Slot[] =>
  slotsOf(world, app).flatMap((slot) => retired(world, slot, now) ?? []);

/** When an address that is given up at `now` may be given to another slot. */
export function quarantineEnd(world: World, slot: Slot, now: number): number {
  const network = slot.lease === undefined ? undefined : world.networks.get(slot.lease.network);
  return now + (network?.quarantineSeconds ?? 0) * 1000;
}

/** The slots of an app by index, also those in quarantine. */
export function slotsOf(world: World, app: AppId): Slot[] {
  const slots: Slot[] = [];
  for (const id of world.slotsOfApp.get(app) ?? []) {
    const slot = world.slots.get(id);
    if (slot !== undefined) slots.push(slot);
  }
  return slots.sort((a, b) => a.index - b.index);
}

function indexesInService(
  world: World,
  app: App,
  existing: ReadonlyMap<number, Slot>,
  retire: ReadonlySet<SlotId>,
): number[] {
  const count = app.instances;
  const kept = [...existing.values()].filter(
    (slot) => slot.quarantinedUntil === undefined && !retire.has(slot.id),
  );
  const surplus = kept.length - count;
  const going = surplus > 0 ? new Set(shrinkOrder(world, app, kept).slice(0, surplus)) : undefined;
  const indexes = new Set(kept.filter((slot) => going?.has(slot) !== true).map((slot) => slot.index));
  for (let index = 0; indexes.size < count; index++) indexes.add(index);
  return [...indexes].sort((a, b) => a - b);
}

function retired(world: World, slot: Slot, now: number): Slot | undefined {
  return slot.quarantinedUntil === undefined
    ? { ...slot, quarantinedUntil: quarantineEnd(world, slot, now) }
    : undefined;
}

const isSameSlot = (before: Slot | undefined, after: Slot): boolean =>
  before !== undefined && before.quarantinedUntil === undefined && sameLease(before.lease, after.lease);
