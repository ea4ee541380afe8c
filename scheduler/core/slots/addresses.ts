import type { App } from '../../../src/model/app.ts';
import { slotId } from '../../../src/model/ids.ts';
import type { AppId, NetworkName, SlotId } from '../../../src/model/ids.ts';
import type { Lease, Slot } from '../../../src/model/instance.ts';
import type { Network } from '../../../src/model/network.ts';
import { addressPool } from '../../../src/fabric/address-pool.ts';
import { allocateAddress, claimAddress } from '../../../src/fabric/allocate.ts';
import { macOf } from '../../../src/fabric/mac.ts';
import { slotName } from '../../../src/fabric/names.ts';
import { addressBook, incarnationsOf } from '../tables.ts';
import type { World } from '../world.ts';

/** Where the label with pinned addresses is in an app's JSON. */
export const pinPath = '/networks(0)/labels/patchpanel.ip';
/** Where the number of instances is in an app's JSON. */
export const instancesPath = '/instances';

/** What was found wrong with an address, and where in the app. */
export interface AddressProblem {
  readonly path: string;
  readonly error: string;
}

/** The same of one of the apps of a change. */
export interface AppProblem extends AddressProblem {
  readonly appId: AppId;
}

/**
 * Gives out addresses for the slots of one change without touching the world, so that a change that is refused
 * halfway has given out nothing. INVARIANT: no address is given to two slots, nor one that a slot or a living
 * instance of another slot holds.
 */
export class LeasePlan {
  readonly #world: World;
  /** Taken by this plan, by network and address. */
  readonly #taken = new Map<string, SlotId>();
  readonly #firstFree = new Map<NetworkName, number>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The slot with a lease as the app wants it (its present one where that will do), or what is wrong. */
  leaseSlot(app: App, slot: Slot): Slot | AddressProblem {
    const { lease: present, ...bare } = slot;
    if (app.network.mode === 'host') return bare;
    const network = this.#world.networks.get(app.network.name);
    if (network === undefined)
      return { path: '/networks(0)/name', error: `network '${app.network.name}' does not exist` };
    const pin = app.network.pinned[slot.index];
    if (app.network.pinned.length > 0 && pin === undefined) {
      const count = app.network.pinned.length;
      return {
        path: pinPath,
        error: `lists ${count} addresses but slot ${slot.index} needs number ${slot.index + 1}`,
      };
    }
    if (pin !== undefined) return this.#pinned(network, bare, pin, present);
    return this.#kept(network, bare, present) ?? this.#next(network, bare);
  }

  /** To be called before the slots are put: later searches begin where this plan's ended. */
  commit(): void {
    for (const [network, firstFree] of this.#firstFree)
      addressBook(this.#world, network).firstFree = firstFree;
  }

  #pinned(network: Network, slot: Slot, pin: string, present: Lease | undefined): Slot | AddressProblem {
    const heldByOthers = { has: (ip: string) => this.#takenError(network, slot.id, ip) !== undefined };
    const claim = claimAddress(addressPool(network), heldByOthers, pin);
    if (claim.kind === 'refused') {
      const error = this.#takenError(network, slot.id, pin) ?? claim.problem;
      return { path: pinPath, error };
    }
    if (present?.network === network.name && present.ip === pin) return this.#give(network, slot, present);
    return this.#give(network, slot, leaseOf(network, slot, pin));
  }

  /** The slot's present lease, or the one that an incarnation of it still has, if it is in the network. */
  #kept(network: Network, slot: Slot, present: Lease | undefined): Slot | undefined {
    const leases = [present, ...incarnationsOf(this.#world, slot.id).map((instance) => instance.lease)];
    const lease = leases.find((candidate) => candidate?.network === network.name);
    if (lease === undefined || this.#takenError(network, slot.id, lease.ip) !== undefined) return undefined;
    return this.#give(network, slot, lease);
  }

  #next(network: Network, slot: Slot): Slot | AddressProblem {
    const book = addressBook(this.#world, network.name);
    const taken = { has: (ip: string) => book.holders.has(ip) || this.#taken.has(`${network.name} ${ip}`) };
    const cursor = this.#firstFree.get(network.name) ?? book.firstFree;
    const found = allocateAddress(addressPool(network), taken, cursor);
    if (found.kind === 'address') {
      this.#firstFree.set(network.name, found.cursor);
      return this.#give(network, slot, leaseOf(network, slot, found.ip));
    }
    return {
      path: instancesPath,
      error: `network '${network.name}' has no free address left for slot ${slot.index}: ${found.problem}`,
    };
  }

  #takenError(network: Network, slot: SlotId, ip: string): string | undefined {
    const planned = this.#taken.get(`${network.name} ${ip}`);
    const holders = planned === undefined ? [] : [planned];
    for (const holder of addressBook(this.#world, network.name).holders.get(ip) ?? []) {
      holders.push(this.#world.instances.get(holder as never)?.slotId ?? (holder as SlotId));
    }
    const other = holders.find((holder) => holder !== slot);
    return other === undefined ? undefined : `address ${ip} is taken by ${other}`;
  }

  #give(network: Network, slot: Slot, lease: Lease): Slot {
    this.#taken.set(`${network.name} ${lease.ip}`, slot.id);
    return { ...slot, lease };
  }
}

/** True for a problem, false for a slot. */
export const isProblem = (answer: Slot | AddressProblem): answer is AddressProblem => 'error' in answer;

/** A slot as it is before it has anything. */
export const newSlot = (app: AppId, index: number): Slot => ({
  id: slotId(app, index),
  appId: app,
  index,
  epoch: 0,
});

function leaseOf(network: Network, slot: Slot, ip: string): Lease {
  return {
    network: network.name,
    ip,
    mac: macOf(network.vni, ip),
    hostname: slotName(slot.appId, slot.index),
  };
}
