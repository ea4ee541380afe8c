import {
  type EndpointKey,
  type View,
  type ViewDelta,
  type ViewEndpoint,
  type ViewHost,
  type ViewVersion,
} from '../../../src/fabric/view.ts';
import type { DeltaRecord, ViewRecord } from '../../../src/fabric/view-wire.ts';
import type { AgentId, NetworkName } from '../../../src/model/ids.ts';
import type { FabricChange, NetworkChange } from './fabric-change.ts';
import type { FabricState } from './fabric-state.ts';

/** A record with all that a host must know. */
type SnapshotRecord = Extract<ViewRecord, { kind: 'snapshot' }>;

/** Snapshots that are kept for the next host; more differ where many hosts know different networks. */
const maxSnapshots = 4;

/**
 * The snapshots of one version. When a leader begins, every host asks for one at once, and most hosts know the same
 * networks: these get the same object, so it is made, and encoded, once.
 */
export class HostSnapshots {
  readonly #shared = new Map<string, SnapshotRecord>();
  #version: ViewVersion | undefined;

  /** All that the host must know. `state` is the fabric at this version. */
  recordFor(state: FabricState, host: AgentId, version: ViewVersion): SnapshotRecord {
    if (version.n !== this.#version?.n) this.#shared.clear();
    this.#version = version;
    const names = [...state.knownTo(host)].sort();
    const key = names.join();
    const known = this.#shared.get(key);
    if (known !== undefined) return known;
    const record: SnapshotRecord = { kind: 'snapshot', view: snapshotOf(state, names, version) };
    if (this.#shared.size >= maxSnapshots) this.#shared.clear();
    this.#shared.set(key, record);
    return record;
  }
}

/** These networks, their endpoints and the hosts of these. */
function snapshotOf(state: FabricState, names: readonly NetworkName[], version: ViewVersion): View {
  const members = new Set(names.flatMap((name) => [...state.membersOf(name)]));
  return {
    version,
    hosts: hostRecords(state, members),
    networks: networkRecords(state, names),
    endpoints: names.flatMap((name) => [...state.endpointsOf(name).values()]),
  };
}

/** The hosts whose view a change touches: those that know its networks, and those that need not any more. */
export function affectedHosts(state: FabricState, change: FabricChange): ReadonlySet<AgentId> {
  const hosts = new Set<AgentId>();
  for (const [name, part] of change.networks) {
    for (const reader of state.readersOf(name)) hosts.add(reader);
    for (const gone of part.dismissed) hosts.add(gone);
  }
  return hosts;
}

/**
 * What one change means for each host. `state` is the fabric after the change, `to` the version that it makes.
 * Hosts for which it means the same get the same object: with a thousand of them it is made, and encoded, once.
 */
export class HostDeltas {
  readonly #state: FabricState;
  readonly #change: FabricChange;
  readonly #to: ViewVersion;
  readonly #shared = new Map<string, DeltaRecord>();

  constructor(state: FabricState, change: FabricChange, to: ViewVersion) {
    this.#state = state;
    this.#change = change;
    this.#to = to;
  }

  /** For a host whose view is at `from` once it has taken what was sent before. */
  recordFor(host: AgentId, from: number): DeltaRecord {
    const meaning = this.#meaningFor(host);
    if (meaning === undefined) return this.#make(host, from);
    const key = `${from} ${meaning}`;
    const shared = this.#shared.get(key) ?? this.#make(host, from);
    this.#shared.set(key, shared);
    return shared;
  }

  /**
   * What the host is told: the changed networks that it goes on knowing, and the hosts that it meets in none any more.
   * Undefined for the few for which a network is new or gone.
   */
  #meaningFor(host: AgentId): string | undefined {
    const known = this.#state.knownTo(host);
    const followed: NetworkName[] = [];
    const gone: AgentId[] = [];
    for (const [name, { dismissed, informed, left }] of this.#change.networks) {
      if (dismissed.has(host) || informed.has(host)) return undefined;
      if (!known.has(name)) continue;
      followed.push(name);
      for (const other of left) if (!sees(this.#state, host, other)) gone.push(other);
    }
    return `${followed.join()} ${gone.join()}`;
  }

  #make(host: AgentId, from: number): DeltaRecord {
    const draft = new Draft(this.#state, host);
    for (const [name, part] of this.#change.networks) {
      if (part.dismissed.has(host)) draft.leave(name, part);
      else if (part.informed.has(host)) draft.join(name);
      else if (this.#state.knownTo(host).has(name)) draft.follow(name, part);
    }
    return { kind: 'delta', delta: draft.delta({ term: this.#to.term, n: from }, this.#to) };
  }
}

/** Collects one host's delta network by network. */
class Draft {
  readonly #state: FabricState;
  readonly #host: AgentId;
  readonly #networks = new Set<NetworkName>();
  readonly #removedNetworks = new Set<NetworkName>();
  readonly #endpoints = new Map<string, ViewEndpoint>();
  readonly #removedEndpoints = new Map<string, EndpointKey>();
  readonly #hosts = new Set<AgentId>();
  readonly #maybeGone = new Set<AgentId>();

  constructor(state: FabricState, host: AgentId) {
    this.#state = state;
    this.#host = host;
  }

  join(name: NetworkName): void {
    this.#networks.add(name);
    for (const [key, endpoint] of this.#state.endpointsOf(name)) this.#endpoints.set(key, endpoint);
    for (const member of this.#state.membersOf(name)) this.#hosts.add(member);
  }

  /** All that the host knew of the network goes: what is still there and what went in the same change. */
  leave(name: NetworkName, change: NetworkChange): void {
    this.#removedNetworks.add(name);
    for (const [key, endpoint] of this.#state.endpointsOf(name)) {
      if (!change.shown.has(key) || change.before.has(key)) this.#remove(key, endpoint);
    }
    for (const [key, endpoint] of change.before) this.#remove(key, endpoint);
    for (const member of this.#state.membersOf(name)) {
      if (!change.joined.has(member)) this.#maybeGone.add(member);
    }
    for (const gone of change.left) this.#maybeGone.add(gone);
  }

  follow(name: NetworkName, change: NetworkChange): void {
    if (change.redefined) this.#networks.add(name);
    for (const [key, endpoint] of change.shown) this.#endpoints.set(key, endpoint);
    for (const [key, endpoint] of change.before) {
      if (!change.shown.has(key)) this.#remove(key, endpoint);
    }
    for (const member of change.joined) this.#hosts.add(member);
    for (const member of change.refreshedHosts) this.#hosts.add(member);
    for (const gone of change.left) this.#maybeGone.add(gone);
  }

  delta(from: ViewVersion, to: ViewVersion): ViewDelta {
    for (const key of this.#endpoints.keys()) this.#removedEndpoints.delete(key);
    return {
      from,
      to,
      hosts: hostRecords(this.#state, this.#hosts),
      networks: networkRecords(this.#state, this.#networks),
      endpoints: [...this.#endpoints.values()],
      removedHosts: [...this.#maybeGone].filter((other) => !sees(this.#state, this.#host, other)),
      removedNetworks: [...this.#removedNetworks],
      removedEndpoints: [...this.#removedEndpoints.values()],
    };
  }

  #remove(key: string, endpoint: ViewEndpoint): void {
    this.#removedEndpoints.set(key, { slot: endpoint.slot, epoch: endpoint.epoch });
  }
}

/** Whether the host knows a network that the other one has endpoints in. */
function sees(state: FabricState, host: AgentId, other: AgentId): boolean {
  const known = state.knownTo(host);
  for (const name of state.networksOf(other)) if (known.has(name)) return true;
  return false;
}

function hostRecords(state: FabricState, ids: Iterable<AgentId>): readonly ViewHost[] {
  return [...ids].flatMap((id) => state.host(id) ?? []);
}

function networkRecords(state: FabricState, names: Iterable<NetworkName>): View['networks'] {
  return [...names].flatMap((name) => state.network(name) ?? []);
}

/** How much a delta weighs in the bounds of a log: about what it holds. */
export function deltaWeight(delta: ViewDelta): number {
  return 1 + delta.hosts.length + delta.endpoints.length + delta.removedEndpoints.length;
}
