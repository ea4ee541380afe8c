import { macOf } from '../../src/fabric/mac.ts';
import { withSelfTest, type SelfTestSetup } from '../../src/fabric/self-test.ts';
import { endpointsOn } from '../../src/fabric/own-endpoints.ts';
import { endpointKey, type EndpointKey, type View } from '../../src/fabric/view.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { ConditionWaiters } from './condition-waiters.ts';

const emptyView: View = { version: { term: 0, n: 0 }, hosts: [], networks: [], endpoints: [] };

/**
 * The last good view, and waiting for what it will say.
 * INVARIANT: what is remembered as converged is in the view.
 */
export class CurrentView {
  readonly #self: AgentId;
  readonly #waiters: ConditionWaiters;
  #view = emptyView;
  #selfTest: SelfTestSetup | undefined;
  #whole = emptyView;
  /** Keys of the endpoints of this host. */
  #own: ReadonlySet<string> = new Set();
  readonly #converged = new Set<string>();

  constructor(self: AgentId, clock: Clock) {
    this.#self = self;
    this.#waiters = new ConditionWaiters(clock);
  }

  /** What the scheduler says. */
  get ofScheduler(): View {
    return this.#view;
  }

  /** What the scheduler says, and what a self-test needs. */
  get view(): View {
    return this.#whole;
  }

  put(view: View): void {
    this.#view = view;
    this.#changed();
  }

  /** Adds what a self-test needs, on this host alone; undefined takes it away. */
  arrange(setup: SelfTestSetup | undefined): void {
    this.#selfTest = setup;
    this.#changed();
  }

  #changed(): void {
    const view = withSelfTest(this.#view, this.#selfTest);
    this.#whole = view;
    this.#own = new Set(endpointsOn(view, this.#self).map(endpointKey));
    for (const key of this.#converged) if (!this.#own.has(key)) this.#converged.delete(key);
    this.#waiters.check();
  }

  /** Every host that shares the network has the endpoint in force; of others' endpoints nothing is remembered. */
  markConverged(endpoint: EndpointKey): void {
    const key = endpointKey(endpoint);
    if (!this.#own.has(key)) return;
    this.#converged.add(key);
    this.#waiters.check();
  }

  /** @throws PatchpanelError `deadline` when the view does not name the endpoint on this host in time, `aborted` */
  async includes(endpoint: EndpointKey, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const key = endpointKey(endpoint);
    const what = `a view from the scheduler with ${key} on this host`;
    await this.#waiters.add(what, () => (this.#own.has(key) ? true : undefined), timeoutMs, signal);
  }

  /** @throws PatchpanelError `deadline` when not all hosts acknowledge the endpoint in time, `aborted` */
  async converged(endpoint: EndpointKey, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const key = endpointKey(endpoint);
    const what = `the acknowledgement of ${key} by all hosts of its network`;
    await this.#waiters.add(what, () => (this.#converged.has(key) ? true : undefined), timeoutMs, signal);
  }

  /** The MAC that the fabric answers for a network's gateway; undefined while the view does not have the network. */
  gatewayMac(spec: SwitchNetworkSpec): string | undefined {
    const network = this.#whole.networks.find((candidate) => candidate.name === spec.name);
    return network === undefined ? undefined : macOf(network.vni, spec.gateway);
  }

  /** Ends every wait with `aborted`. */
  stop(): void {
    this.#waiters.abort();
  }
}
