import type { App } from '../../../src/model/app.ts';
import type { AgentId, AppId, SlotId } from '../../../src/model/ids.ts';
import { placementOf } from '../../../src/model/placement.ts';
import type { Scalars } from '../../../src/model/resources.ts';
import { ConstraintContext } from './constraints.ts';
import type { Occupied } from './constraints.ts';
import { withoutExposed } from '../fabric/exposures.ts';
import type { FrameBuilder } from '../frame.ts';
import { incarnationsOf } from '../tables.ts';
import { acceptedBy, launch, needOf, stockBesideExecutor } from './launching.ts';
import { shortage, stockFor } from './offer-pool.ts';
import type { Accepted, AgentPool } from './offer-pool.ts';
import { offeringPlaces } from './places.ts';
import { choosePorts, wantedPorts } from './ports.ts';
import { isBroken } from '../fabric/hosts.ts';
import { isUnfit } from '../fabric/unfit-hosts.ts';
import { progressOf } from '../deployments/progress.ts';
import { RankedPools } from './ranked-pools.ts';
import { isAbsent } from '../slots/slot-plan.ts';
import { noteOffers } from './unplaced.ts';
import type { Offer } from '../events.ts';

/**
 * Places one app's wanted slots on the offers of one frame. A pool that lacks something is not looked at again; one
 * that a constraint excludes is, for the next slot or once another instance was placed.
 */
export class AppMatcher {
  readonly #frame: FrameBuilder;
  readonly #app: App | undefined;
  readonly #appId: AppId;
  readonly #slots: SlotId[];
  readonly #pools: RankedPools;
  readonly #need: Scalars | undefined;
  readonly #accepted: Accepted;
  readonly #wantedPorts: readonly (number | 'any')[];
  readonly #constraints: ConstraintContext | undefined;
  readonly #refused = new Map<AgentId, { readonly offer: Offer; readonly reason: string }>();
  /** Instances of the app by agent, counted once: an app of thousands meets the same agents again and again. */
  readonly #counts: Map<AgentId, number>;
  #launched = 0;

  constructor(frame: FrameBuilder, appId: AppId, pools: readonly AgentPool[]) {
    this.#frame = frame;
    this.#appId = appId;
    this.#app = frame.world.apps.get(appId);
    const progress = progressOf(frame.world, appId);
    this.#slots = [...progress.vacant, ...progress.standbys];
    this.#need = this.#app === undefined ? undefined : needOf(this.#app);
    this.#accepted = this.#app === undefined ? 'any' : acceptedBy(this.#app, frame.settings);
    this.#wantedPorts = this.#app === undefined ? [] : wantedPorts(this.#app);
    this.#constraints = this.#app === undefined ? undefined : contextOf(frame, this.#app);
    this.#counts = countsOf(frame, appId);
    const placement = placementOf(this.#app?.labels ?? {}, frame.settings.placement);
    this.#pools = new RankedPools(pools, placement, (pool) => this.#countOn(pool.agentId));
  }

  /** Places the next slot that can be placed. False: nothing more of this app can be, on these offers. */
  launchOne(): boolean {
    for (let slot = this.#slots.shift(); slot !== undefined; slot = this.#slots.shift()) {
      if (this.#place(slot)) return true;
      if (this.#constraints === undefined) return false;
    }
    return false;
  }

  /** Notes why the rest found no place, and puts an app that was served behind the others. */
  finish(): void {
    const { world, now } = this.#frame;
    if (this.#launched > 0) {
      world.wanting.delete(this.#appId);
      world.wanting.add(this.#appId);
    }
    noteOffers(world, this.#appId, this.#launched > 0, this.#refused, now);
  }

  #place(slotId: SlotId): boolean {
    const slot = this.#frame.world.slots.get(slotId);
    const app = this.#app;
    if (slot === undefined || app === undefined) return false;
    const excluded: AgentPool[] = [];
    let placed = false;
    for (let pool = this.#pools.take(); pool !== undefined; pool = this.#pools.take()) {
      const choice = this.#choose(pool, slotId, excluded);
      if (choice === undefined) continue;
      const instance = launch(this.#frame, app, slot, pool, choice);
      this.#constraints?.add({ place: instance, slotId });
      this.#launched++;
      this.#counts.set(pool.agentId, this.#countOn(pool.agentId) + 1);
      this.#pools.giveBack(pool);
      placed = true;
      break;
    }
    for (const pool of excluded) this.#pools.giveBack(pool);
    return placed;
  }

  /** The host ports of a launch there, or undefined when it cannot be there. */
  #choose(pool: AgentPool, slotId: SlotId, excluded: AgentPool[]): readonly number[] | undefined {
    if (this.#constraints?.allows(pool.offer, slotId) === false) {
      excluded.push(pool);
      return this.#refuse(pool, 'UnfulfilledConstraint');
    }
    if (this.#isUnderMaintenance(pool)) return this.#refuse(pool, 'AgentMaintenance');
    if (isUnfit(this.#frame, pool.agentId)) return this.#refuse(pool, 'HostUnfit');
    const onSwitch = this.#frame.world.slots.get(slotId)?.lease !== undefined;
    if (onSwitch && isBroken(this.#frame, pool.agentId)) return this.#refuse(pool, 'NetworkSelfTestFailed');
    const need = this.#need;
    const { settings, world } = this.#frame;
    if (need === undefined) return undefined;
    // More of this offer come back at once: nothing is wrong with them.
    if (settings.maxInstancesPerOffer > 0 && pool.launches.length >= settings.maxInstancesPerOffer)
      return undefined;
    const stock = stockFor(stockBesideExecutor(this.#frame, pool), this.#accepted);
    const short = shortage(need, stock.scalars);
    if (short !== undefined) return this.#refuse(pool, short);
    if (this.#wantedPorts.length === 0) return [];
    const ports = choosePorts(withoutExposed(world, stock.ports), this.#wantedPorts, this.#seed());
    return ports ?? this.#refuse(pool, 'InsufficientPorts');
  }

  /** Announced and about to begin, or under way. */
  #isUnderMaintenance({ offer }: AgentPool): boolean {
    const { now, settings } = this.#frame;
    const { unavailableFrom: from, unavailableUntil: until = Number.POSITIVE_INFINITY } = offer;
    return from !== undefined && from <= now + settings.drainingMs && now < until;
  }

  #refuse({ agentId, offer, launches }: AgentPool, reason: string): undefined {
    // One that was used up by others was no offer to this app.
    if (launches.length === 0) this.#refused.set(agentId, { offer, reason });
    return undefined;
  }

  /** Where the search for a free port begins: spread, and only asked for where it matters. */
  #seed(): number {
    return this.#wantedPorts.includes('any') ? Number.parseInt(this.#frame.uuid().slice(0, 8), 16) : 0;
  }

  #countOn(agentId: AgentId): number {
    return this.#counts.get(agentId) ?? 0;
  }
}

function countsOf(frame: FrameBuilder, appId: AppId): Map<AgentId, number> {
  const counts = new Map<AgentId, number>();
  for (const slotId of frame.world.slotsOfApp.get(appId) ?? []) {
    for (const { agentId } of incarnationsOf(frame.world, slotId)) {
      counts.set(agentId, (counts.get(agentId) ?? 0) + 1);
    }
  }
  return counts;
}

/** The places that count for the app's constraints: of whatever is not lost, also what is ending. */
function contextOf(frame: FrameBuilder, app: App): ConstraintContext | undefined {
  if (app.constraints.length === 0) return undefined;
  const occupied: Occupied[] = [];
  for (const slotId of frame.world.slotsOfApp.get(app.id) ?? []) {
    for (const instance of incarnationsOf(frame.world, slotId)) {
      if (!isAbsent(instance, app, frame.now)) occupied.push({ place: instance, slotId });
    }
  }
  return new ConstraintContext(app.constraints, occupied, offeringPlaces(frame));
}
