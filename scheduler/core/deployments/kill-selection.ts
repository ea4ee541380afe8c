import type { App } from '../../../src/model/app.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { isReady } from '../slots/health.ts';
import { incarnationsOf } from '../tables.ts';
import type { World } from '../world.ts';

/**
 * An app's slots in the order in which they go when it shrinks: the first goes first. Marathon's rule: what does not
 * serve before what does, then the youngest or the oldest instances as the app says; of those launched together the
 * highest slot, or for the oldest the lowest. Addresses that are pinned belong to the first slots, so there the
 * highest slots go.
 */
export function shrinkOrder(world: World, app: App, slots: readonly Slot[]): Slot[] {
  if (app.network.mode !== 'host' && app.network.pinned.length > 0)
    return slots.toSorted((a, b) => b.index - a.index);
  const ranked = slots.map((slot) => ({ slot, ...rankOf(world, app, slot) }));
  const sign = app.killSelection === 'OLDEST_FIRST' ? 1 : -1;
  return ranked
    .sort((a, b) => a.weight - b.weight || sign * (a.since - b.since || a.slot.index - b.slot.index))
    .map(({ slot }) => slot);
}

interface Rank {
  /** How far the slot is from serving; the lowest goes first. */
  readonly weight: number;
  /** When its instance was launched. */
  readonly since: number;
}

function rankOf(world: World, app: App, slot: Slot): Rank {
  const active = incarnationsOf(world, slot.id).find(({ epoch }) => epoch === slot.activeEpoch);
  if (active === undefined || active.goal === 'stop') return { weight: 0, since: 0 };
  return { weight: weightOf(active, app), since: active.stagedAt };
}

function weightOf(instance: Instance, app: App): number {
  switch (instance.condition) {
    case 'unreachable':
    case 'unknown':
      return 1;
    case 'provisioned':
    case 'staging':
      return 2;
    case 'starting':
      return 3;
    case 'running':
      return isReady(instance, app) ? 5 : 4;
    case 'killing':
    case 'finished':
    case 'failed':
    case 'killed':
    case 'error':
    case 'lost':
    case 'dropped':
    case 'gone':
    case 'gone-by-operator':
      return 0;
  }
}
