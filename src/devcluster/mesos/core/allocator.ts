import { addBundles, emptyBundle, isEmptyBundle, subtractBundles, type Bundle } from './bundle.ts';
import { isRefused, type OfferFilter } from './offer-filters.ts';
import { dominantShare, lower, type Share } from './fair-share.ts';

/** Everything that is free on an agent, given to one role of one framework. */
export interface Allocation {
  readonly frameworkId: string;
  readonly role: string;
  readonly agentId: string;
  readonly resources: Bundle;
}

interface Agent {
  readonly total: Bundle;
  free: Bundle;
  active: boolean;
}

interface Client {
  readonly frameworkId: string;
  readonly role: string;
  active: boolean;
  suppressed: boolean;
  readonly filters: Map<string, OfferFilter[]>;
  allocated: Bundle;
  allocations: number;
}

const minCpus = 10;
const minMem = 32_000;

/**
 * The hierarchical allocator in small: one client for each (framework, role), dominant resource fairness between
 * roles and within them, whole agents at a time.
 * INVARIANTS: what an agent has free plus what its clients hold is its total; a deactivated client has no filters.
 */
export class Allocator {
  readonly #agents = new Map<string, Agent>();
  readonly #clients = new Map<string, Client>();
  #total: Bundle = emptyBundle;

  addAgent(agentId: string, total: Bundle): void {
    this.#agents.set(agentId, { total, free: total, active: true });
    this.#total = addBundles(this.#total, total);
  }

  /** Forgets the agent and what was allocated on it; the caller says what that was. */
  removeAgent(agentId: string): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) return;
    this.#agents.delete(agentId);
    this.#total = subtractBundles(this.#total, agent.total);
    for (const client of this.#clients.values()) client.filters.delete(agentId);
  }

  setAgentActive(agentId: string, active: boolean): void {
    const agent = this.#agents.get(agentId);
    if (agent !== undefined) agent.active = active;
  }

  /** Makes the framework's clients those of `roles`; removed roles lose their filters. */
  setRoles(frameworkId: string, roles: readonly string[], suppressed: ReadonlySet<string>): void {
    for (const client of this.#clientsOf(frameworkId)) {
      if (roles.includes(client.role)) continue;
      client.active = false;
      client.filters.clear();
    }
    for (const role of roles) {
      const client = this.#client(frameworkId, role);
      client.active = true;
      if (client.suppressed && !suppressed.has(role)) client.filters.clear();
      client.suppressed = suppressed.has(role);
    }
  }

  /** No more offers for a framework that is away; its refusals are forgotten. */
  deactivate(frameworkId: string): void {
    for (const client of this.#clientsOf(frameworkId)) {
      client.active = false;
      client.filters.clear();
    }
  }

  removeFramework(frameworkId: string): void {
    for (const client of this.#clientsOf(frameworkId)) this.#clients.delete(keyOf(frameworkId, client.role));
  }

  suppress(frameworkId: string, roles: readonly string[]): void {
    for (const role of roles) this.#client(frameworkId, role).suppressed = true;
  }

  revive(frameworkId: string, roles: readonly string[]): void {
    for (const role of roles) {
      const client = this.#client(frameworkId, role);
      client.suppressed = false;
      client.filters.clear();
    }
  }

  isSuppressed(frameworkId: string, role: string): boolean {
    return this.#clients.get(keyOf(frameworkId, role))?.suppressed ?? false;
  }

  /** Filters of a role that are in force at `nowMs`. */
  activeFilters(role: string, nowMs: number): number {
    let count = 0;
    for (const client of this.#clients.values()) {
      if (client.role !== role) continue;
      for (const filters of client.filters.values()) {
        count += filters.filter(({ expiresAt }) => expiresAt > nowMs).length;
      }
    }
    return count;
  }

  /** Counts resources as held by a client without an offer: those of tasks that an agent brings along. */
  allocateExisting(frameworkId: string, role: string, agentId: string, resources: Bundle): void {
    this.#take(this.#client(frameworkId, role), agentId, resources);
  }

  /** Takes resources back, with a refusal that holds until `refusedUntil` where that is given. */
  recover(allocation: Allocation, refusedUntil?: number): void {
    const { frameworkId, role, agentId, resources } = allocation;
    if (isEmptyBundle(resources)) return;
    const agent = this.#agents.get(agentId);
    if (agent !== undefined) agent.free = addBundles(agent.free, resources);
    const client = this.#clients.get(keyOf(frameworkId, role));
    if (client === undefined) return;
    client.allocated = subtractBundles(client.allocated, resources);
    if (refusedUntil === undefined || agent === undefined) return;
    client.filters.set(agentId, [
      ...(client.filters.get(agentId) ?? []),
      { refused: resources, expiresAt: refusedUntil },
    ]);
  }

  /** One round over all agents, in random order; what is allocated counts as held from now on. */
  allocate(nowMs: number, random: () => number): Allocation[] {
    this.#dropExpired(nowMs);
    const allocations: Allocation[] = [];
    for (const [agentId, agent] of shuffle([...this.#agents], random)) {
      if (!agent.active || !isAllocatable(agent.free)) continue;
      const client = this.#nextClient(agentId, agent.free, nowMs);
      if (client === undefined) continue;
      const resources = agent.free;
      this.#take(client, agentId, resources);
      client.allocations += 1;
      allocations.push({ frameworkId: client.frameworkId, role: client.role, agentId, resources });
    }
    return allocations;
  }

  /** The client with the lowest share that wants this; undefined when none does. */
  #nextClient(agentId: string, free: Bundle, nowMs: number): Client | undefined {
    const willing = [...this.#clients.values()].filter(
      (client) =>
        client.active && !client.suppressed && !isRefused(client.filters.get(agentId) ?? [], free, nowMs),
    );
    if (willing.length < 2) return willing[0];
    const byRole = new Map<string, Share>();
    for (const client of this.#clients.values()) {
      const sum = byRole.get(client.role);
      byRole.set(client.role, {
        allocated: addBundles(sum?.allocated ?? emptyBundle, client.allocated),
        allocations: (sum?.allocations ?? 0) + client.allocations,
        name: client.role,
      });
    }
    return willing.reduce((best, client) => {
      if (best.role !== client.role) {
        return lower(byRole.get(client.role)!, byRole.get(best.role)!, this.#total) ? client : best;
      }
      return lower(shareOf(client), shareOf(best), this.#total) ? client : best;
    });
  }

  /** Dominant share of a role among all resources, between 0 and 1. */
  shareOfRole(role: string): number {
    let allocated = emptyBundle;
    for (const client of this.#clients.values()) {
      if (client.role === role) allocated = addBundles(allocated, client.allocated);
    }
    return dominantShare(allocated, this.#total);
  }

  #dropExpired(nowMs: number): void {
    for (const client of this.#clients.values()) {
      for (const [agentId, filters] of client.filters) {
        const live = filters.filter(({ expiresAt }) => expiresAt > nowMs);
        if (live.length === 0) client.filters.delete(agentId);
        else if (live.length < filters.length) client.filters.set(agentId, live);
      }
    }
  }

  #take(client: Client, agentId: string, resources: Bundle): void {
    const agent = this.#agents.get(agentId);
    if (agent !== undefined) agent.free = subtractBundles(agent.free, resources);
    client.allocated = addBundles(client.allocated, resources);
  }

  #client(frameworkId: string, role: string): Client {
    const known = this.#clients.get(keyOf(frameworkId, role));
    if (known !== undefined) return known;
    const client: Client = {
      frameworkId,
      role,
      active: false,
      suppressed: false,
      filters: new Map(),
      allocated: emptyBundle,
      allocations: 0,
    };
    this.#clients.set(keyOf(frameworkId, role), client);
    return client;
  }

  #clientsOf(frameworkId: string): Client[] {
    return [...this.#clients.values()].filter((client) => client.frameworkId === frameworkId);
  }
}

const keyOf = (frameworkId: string, role: string): string => `${frameworkId}\n${role}`;
const shareOf = ({ allocated, allocations, frameworkId }: Client): Share => ({
  allocated,
  allocations,
  name: frameworkId,
});

function isAllocatable(free: Bundle): boolean {
  return (free.scalars.get('cpus') ?? 0) >= minCpus || (free.scalars.get('mem') ?? 0) >= minMem;
}

function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other]!, items[last]!];
  }
  return items;
}
