import { endpointKey, type ViewEndpoint } from '../../../src/fabric/view.ts';
import type { AgentId } from '../../../src/model/ids.ts';

interface Pending {
  readonly endpoint: ViewEndpoint;
  /** The version in which the endpoint got its present state. */
  readonly n: number;
  readonly waitingFor: Set<AgentId>;
}

/**
 * The hosts that an endpoint still waits for: those that must know it and have not put version n in force.
 * Asked when an endpoint is first tracked and again when nobody is left, because hosts come and go meanwhile.
 */
export type HostsBehind = (endpoint: ViewEndpoint, n: number) => Iterable<AgentId>;

/**
 * Tells when everybody who must know an endpoint knows it in its present state.
 * INVARIANT: an endpoint is pending or converged or unknown, never two of these; a state converges at most once.
 */
export class ConvergenceBarrier {
  readonly #hostsBehind: HostsBehind;
  readonly #pending = new Map<string, Pending>();
  readonly #pendingOfHost = new Map<AgentId, Set<string>>();
  readonly #converged = new Map<string, ViewEndpoint>();

  constructor(hostsBehind: HostsBehind) {
    this.#hostsBehind = hostsBehind;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  /** True when the endpoint is known everywhere in exactly this state. */
  hasConverged(endpoint: ViewEndpoint): boolean {
    return this.#converged.get(endpointKey(endpoint))?.state === endpoint.state;
  }

  /** Begins to wait for an endpoint that got a new state in version n; true: nobody is to be waited for. */
  track(endpoint: ViewEndpoint, n: number): boolean {
    const key = endpointKey(endpoint);
    this.forget(key);
    const pending = { endpoint, n, waitingFor: new Set<AgentId>() };
    this.#pending.set(key, pending);
    return this.#settle(key, pending);
  }

  /** The endpoint is gone. */
  forget(key: string): void {
    const pending = this.#pending.get(key);
    if (pending !== undefined) this.#unindex(key, pending.waitingFor);
    this.#pending.delete(key);
    this.#converged.delete(key);
  }

  /** The host has put version n in force: the endpoints that converged by that. */
  applied(host: AgentId, n: number): readonly ViewEndpoint[] {
    return this.#release(host, (pending) => pending.n <= n);
  }

  /** The host is not to be waited for at present: the endpoints that converged by that. */
  excuse(host: AgentId): readonly ViewEndpoint[] {
    return this.#release(host, () => true);
  }

  #release(host: AgentId, when: (pending: Pending) => boolean): readonly ViewEndpoint[] {
    const converged: ViewEndpoint[] = [];
    // A copy: an endpoint that must wait on for this very host is put back.
    for (const key of Array.from(this.#pendingOfHost.get(host) ?? [])) {
      const pending = this.#pending.get(key);
      if (pending === undefined || !when(pending)) continue;
      pending.waitingFor.delete(host);
      this.#unindex(key, [host]);
      if (pending.waitingFor.size === 0 && this.#settle(key, pending)) converged.push(pending.endpoint);
    }
    return converged;
  }

  /** Nobody is waited for: asks who is behind now, and either waits on or is done. */
  #settle(key: string, pending: Pending): boolean {
    for (const host of this.#hostsBehind(pending.endpoint, pending.n)) {
      pending.waitingFor.add(host);
      const keys = this.#pendingOfHost.get(host);
      if (keys === undefined) this.#pendingOfHost.set(host, new Set([key]));
      else keys.add(key);
    }
    if (pending.waitingFor.size > 0) return false;
    this.#pending.delete(key);
    this.#converged.set(key, pending.endpoint);
    return true;
  }

  #unindex(key: string, hosts: Iterable<AgentId>): void {
    for (const host of hosts) {
      const keys = this.#pendingOfHost.get(host);
      keys?.delete(key);
      if (keys?.size === 0) this.#pendingOfHost.delete(host);
    }
  }
}
