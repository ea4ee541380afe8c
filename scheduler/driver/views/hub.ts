import {
  type EndpointKey,
  type EndpointState,
  type ViewEndpoint,
  type ViewHost,
  type ViewNetwork,
  type ViewVersion,
} from '../../../src/fabric/view.ts';
import type { HostQuestion } from '../../../src/fabric/path/question.ts';
import { samePlug } from '../../../src/fabric/view-diff.ts';
import type { ViewRecord } from '../../../src/fabric/view-wire.ts';
import type { AgentId, SlotId } from '../../../src/model/ids.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { ConvergenceBarrier } from './barrier.ts';
import type { FabricChange } from './fabric-change.ts';
import { FabricState } from './fabric-state.ts';
import { FirstVersions } from './first-versions.ts';
import { HostFeed, type FeedLimits, type HostStreamStatus, type ViewSink } from './host-feed.ts';
import { affectedHosts, HostDeltas, HostSnapshots } from './host-view.ts';

export interface ViewHubOptions extends FeedLimits {
  /** Grows with each leader. */
  readonly term: number;
  readonly clock: Clock;
  /** False while the host counts as unreachable: nobody waits for it, its peers fence it. */
  readonly isReachable: (host: AgentId) => boolean;
  /** Everybody who must know this incarnation knows it in this state. */
  readonly onConverged: (endpoint: EndpointKey, state: EndpointState) => void;
  /** A host was cut off because it reads too slowly. */
  readonly onCutOff: (host: AgentId) => void;
  /** Changes within this many milliseconds become one version. */
  readonly coalesceMs: number;
  readonly heartbeatMs: number;
  /** A host that has not caught up for this long is not waited for until it has. */
  readonly ackTimeoutMs: number;
}

export const defaultViewLimits = {
  maxDeltas: 256,
  maxWeight: 20_000,
  maxOutstandingBytes: 8 * 1024 * 1024,
  coalesceMs: 10,
  heartbeatMs: 5_000,
  ackTimeoutMs: 10_000,
} as const;

/** How often hosts that fell behind or became unreachable are looked for, milliseconds. */
const sweepMs = 1_000;

/**
 * The views of all hosts: what changes in the fabric goes, coalesced and versioned, to the hosts that it concerns,
 * and their acknowledgements come back as convergence. A change costs what changed, once, and for each host that shares
 * the network a write and an acknowledgement.
 *
 * INVARIANTS: n grows by one with each set of changes; a host's records lead from its version to the newest without
 * a gap; memory per host is bounded by the limits.
 */
export class ViewHub {
  readonly #options: ViewHubOptions;
  readonly #state = new FabricState();
  readonly #snapshots = new HostSnapshots();
  readonly #feeds = new Map<AgentId, HostFeed>();
  readonly #firstVersions = new FirstVersions();
  readonly #barrier: ConvergenceBarrier;
  readonly #cancelTimers: (() => void)[] = [];
  #n = 0;
  #cancelFlush: (() => void) | undefined;
  #closed = false;

  constructor(options: ViewHubOptions) {
    this.#options = options;
    this.#barrier = new ConvergenceBarrier((endpoint, n) => this.#hostsBehind(endpoint, n));
    this.#every(options.heartbeatMs, () => this.#heartbeat());
    this.#every(sweepMs, () => this.#sweep());
  }

  get version(): ViewVersion {
    return { term: this.#options.term, n: this.#n };
  }

  /** Endpoints that not every host that must know them has acknowledged. */
  get pendingEndpoints(): number {
    return this.#barrier.pendingCount;
  }

  /** Says all endpoints that a slot has now. Hosts are told within coalesceMs. */
  setEndpoints(slot: SlotId, endpoints: readonly ViewEndpoint[]): void {
    this.#state.setEndpoints(slot, endpoints);
    this.#flushSoon();
  }

  /** A host has told its facts: what runs on it becomes visible to the others. */
  setHost(host: ViewHost): void {
    this.#state.setHost(host);
    this.#flushSoon();
  }

  /** A host is gone for ever, and nothing is on it. */
  forgetHost(host: AgentId): void {
    this.#feeds.get(host)?.disconnect();
    this.#feeds.delete(host);
    this.#announce(this.#barrier.excuse(host));
    this.#state.forgetHost(host);
  }

  /** Says all networks that there are now. */
  setNetworks(networks: readonly ViewNetwork[]): void {
    this.#state.setNetworks(networks);
    this.#flushSoon();
  }

  /**
   * Begins a host's stream: deltas when `have` can be continued, else a snapshot. A stream that the host had open
   * is ended. Call the result when the connection is gone.
   */
  connect(host: AgentId, have: ViewVersion | undefined, sink: ViewSink): () => void {
    this.#flush();
    const feed = this.#feedOf(host);
    feed.connect(sink, [...this.#opening(host, feed, have), ...this.#convergedOn(host)], this.#now());
    return () => {
      if (!feed.isSink(sink)) return;
      feed.disconnect();
      this.#announce(this.#barrier.excuse(host));
    };
  }

  /** The host has put a version in force. */
  acknowledge(host: AgentId, version: ViewVersion): void {
    const { term } = this.#options;
    const feed = this.#feeds.get(host);
    if (feed === undefined) return;
    feed.acknowledge(version, term, this.#now());
    if (version.term === term && version.n <= this.#n) {
      this.#announce(this.#barrier.applied(host, version.n));
    }
  }

  /** Keeps why the host could not put a version in force; undefined: all is well. */
  reportProblem(host: AgentId, problem: string | undefined): void {
    this.#feedOf(host).problem = problem;
  }

  /** Writes a question to the host's stream; false when it has none. */
  ask(host: AgentId, question: HostQuestion): boolean {
    const feed = this.#feeds.get(host);
    if (feed?.connected !== true) return false;
    if (feed.send({ kind: 'question', question })) return true;
    this.#cutOff(host);
    return false;
  }

  isConnected(host: AgentId): boolean {
    return this.#feeds.get(host)?.connected ?? false;
  }

  status(host: AgentId): HostStreamStatus | undefined {
    return this.#feeds.get(host)?.status();
  }

  /** Ends every stream and timer. */
  close(): void {
    this.#closed = true;
    this.#cancelFlush?.();
    for (const cancel of this.#cancelTimers) cancel();
    for (const feed of this.#feeds.values()) feed.disconnect();
  }

  #feedOf(host: AgentId): HostFeed {
    const known = this.#feeds.get(host);
    if (known !== undefined) return known;
    const feed = new HostFeed(this.#n, this.#options);
    this.#feeds.set(host, feed);
    return feed;
  }

  #opening(host: AgentId, feed: HostFeed, have: ViewVersion | undefined): readonly ViewRecord[] {
    const deltas = feed.continuation(have, this.#options.term);
    if (deltas !== undefined) return deltas.map((delta) => ({ kind: 'delta', delta }));
    feed.restart(this.#n);
    return [this.#snapshots.recordFor(this.#state, host, this.version)];
  }

  #convergedOn(host: AgentId): readonly ViewRecord[] {
    const own = this.#state.endpointsOn(host).filter((endpoint) => this.#barrier.hasConverged(endpoint));
    return own.map(convergedRecord);
  }

  #flushSoon(): void {
    if (this.#closed) return;
    this.#cancelFlush ??= this.#options.clock.after(this.#options.coalesceMs, () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const change = this.#state.commit();
    if (change.empty) return;
    this.#n += 1;
    this.#firstVersions.note(change, this.#n);
    const deltas = new HostDeltas(this.#state, change, this.version);
    for (const host of affectedHosts(this.#state, change)) this.#sendDelta(host, deltas);
    this.#trackChanges(change);
  }

  #sendDelta(host: AgentId, deltas: HostDeltas): void {
    const feed = this.#feeds.get(host);
    if (feed === undefined) return;
    if (!feed.follow(deltas.recordFor(host, feed.newest), this.#now())) this.#cutOff(host);
  }

  #cutOff(host: AgentId): void {
    this.#options.onCutOff(host);
    this.#announce(this.#barrier.excuse(host));
  }

  #trackChanges(change: FabricChange): void {
    for (const { shown, before } of change.networks.values()) {
      for (const key of before.keys()) if (!shown.has(key)) this.#barrier.forget(key);
    }
    for (const { shown, before } of change.networks.values()) {
      for (const [key, endpoint] of shown) {
        // Nobody waits for what only names depend on.
        const was = before.get(key);
        if (was !== undefined && samePlug(was, endpoint)) continue;
        if (this.#barrier.track(endpoint, this.#n)) this.#announce([endpoint]);
      }
    }
  }

  /**
   * The endpoint's own host always counts; others while they are there to answer. A host that came to know the network
   * after version n knows the endpoint with the version that told it of the network.
   */
  #hostsBehind(endpoint: ViewEndpoint, n: number): ReadonlySet<AgentId> {
    const { term } = this.#options;
    const behind = new Set<AgentId>();
    for (const host of this.#state.readersOf(endpoint.network)) {
      const feed = this.#feeds.get(host);
      const knows = Math.max(n, this.#firstVersions.of(endpoint.network, host));
      if (feed?.hasApplied({ term, n: knows })) continue;
      if (host === endpoint.host || this.#mustAnswer(host, feed)) behind.add(host);
    }
    return behind;
  }

  #mustAnswer(host: AgentId, feed: HostFeed | undefined): boolean {
    return feed !== undefined && feed.connected && this.#options.isReachable(host) && !this.#isLate(feed);
  }

  #isLate(feed: HostFeed): boolean {
    const since = feed.behindSince;
    return since !== undefined && this.#now() - since >= this.#options.ackTimeoutMs;
  }

  #announce(endpoints: readonly ViewEndpoint[]): void {
    for (const endpoint of endpoints) {
      this.#options.onConverged({ slot: endpoint.slot, epoch: endpoint.epoch }, endpoint.state);
      const told = this.#feeds.get(endpoint.host)?.send(convergedRecord(endpoint)) ?? true;
      if (!told) this.#cutOff(endpoint.host);
    }
  }

  #heartbeat(): void {
    for (const [host, feed] of this.#feeds) {
      if (!feed.send(heartbeat)) this.#cutOff(host);
    }
  }

  #sweep(): void {
    for (const [host, feed] of this.#feeds) {
      if (!this.#mustAnswer(host, feed)) this.#announce(this.#barrier.excuse(host));
    }
  }

  #every(periodMs: number, action: () => void): void {
    const index = this.#cancelTimers.length;
    const again = (): void => {
      this.#cancelTimers[index] = this.#options.clock.after(periodMs, () => {
        action();
        if (!this.#closed) again();
      });
    };
    again();
  }

  #now(): number {
    return this.#options.clock.now();
  }
}

const heartbeat: ViewRecord = { kind: 'heartbeat' };

function convergedRecord(endpoint: ViewEndpoint): ViewRecord {
  const { slot, epoch, state } = endpoint;
  return { kind: 'converged', endpoint: { slot, epoch }, state };
}
