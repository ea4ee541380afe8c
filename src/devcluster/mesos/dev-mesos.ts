import { agentId, type AgentId } from '../../model/ids.ts';
import { systemClock, type Clock } from '../../runtime/clock.ts';
import { PatchpanelError } from '../../runtime/errors.ts';
import { AgentHost } from './agents/agent-host.ts';
import { snapshotOf } from './cluster-snapshot.ts';
import type { MesosControl } from './control.ts';
import { Faults } from './faults.ts';
import { Mailbox } from './mailbox.ts';
import { MasterGroup } from './masters/master-group.ts';
import {
  mesosTimings,
  type AgentOptions,
  type DevMesosOptions,
  type LosableCall,
  type Timings,
} from './options.ts';
import type { ClusterSnapshot } from './snapshot.ts';
import { Waiters } from './waiters.ts';

const defaultHost = '127.0.0.1';
const registrationTimeoutMs = 30_000;

/**
 * Starts the masters; agents are added through the control.
 * Rejects with the system's error when a port is taken.
 */
export async function startDevMesos(options: DevMesosOptions): Promise<DevMesos> {
  const mesos = new DevMesos(options);
  await mesos.start();
  return mesos;
}

/**
 * A Mesos cluster in this process behind real ports.
 * INVARIANTS: an agent keeps its id as long as its disk (the host object) lives; after `close` no executor that it
 * started runs.
 */
export class DevMesos implements MesosControl {
  readonly #options: DevMesosOptions;
  readonly #timings: Timings;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #waiters: Waiters;
  readonly #mailbox: Mailbox;
  readonly #faults = new Faults();
  readonly #masters: MasterGroup;
  readonly #agents = new Set<AgentHost>();

  constructor(options: DevMesosOptions) {
    this.#options = options;
    this.#timings = { ...mesosTimings, ...options.timings };
    this.#random = options.random ?? Math.random;
    this.#waiters = new Waiters(options.clock ?? systemClock);
    this.#clock = noticing(options.clock ?? systemClock, () => this.#waiters.notify());
    this.#mailbox = new Mailbox(() => this.#waiters.notify());
    this.#masters = new MasterGroup({
      host: options.host ?? defaultHost,
      ports: options.ports ?? [0],
      zookeeper: options.zookeeper,
      credentials: options.credentials,
      faults: this.#faults,
      clock: this.#clock,
      random: this.#random,
      timings: this.#timings,
      log: options.log,
      notify: () => this.#waiters.notify(),
      elected: () => {
        for (const agent of this.#agents) agent.connect();
      },
    });
  }

  /** Opens the masters' ports. */
  start(): Promise<void> {
    return this.#masters.start();
  }

  get url(): string {
    return this.#masters.url;
  }

  get urls(): readonly string[] {
    return this.#masters.urls;
  }

  async addAgent(options: AgentOptions): Promise<AgentId> {
    const host = new AgentHost({
      agent: options,
      defaultHost: this.#options.host ?? defaultHost,
      clock: this.#clock,
      random: this.#random,
      timings: this.#timings,
      log: this.#options.log.child({ agent: options.hostname }),
      post: (delivery) => this.#mailbox.post(delivery),
      notify: () => this.#waiters.notify(),
      leader: () => this.#masters.master,
    });
    await host.start();
    this.#agents.add(host);
    await this.#registration(host);
    return agentId(host.disk.agentId ?? '');
  }

  stopAgent(id: AgentId): Promise<void> {
    return this.#agent(id).stop();
  }

  async startAgent(id: AgentId): Promise<void> {
    const host = this.#agent(id);
    if (host.agent !== undefined) return;
    await host.start();
    await this.#registration(host);
  }

  cutAgent(id: AgentId): void {
    this.#agent(id).cut();
  }

  healAgent(id: AgentId): void {
    this.#agent(id).heal();
  }

  markUnreachable(id: AgentId): void {
    this.#agent(id);
    this.#masters.master?.markUnreachable(id);
    this.#waiters.notify();
  }

  killExecutor(id: AgentId): number {
    return this.#agent(id).killExecutors();
  }

  failover(): Promise<void> {
    return this.#masters.failover();
  }

  dropConnection(frameworkId: string): boolean {
    return this.#masters.dropConnection(frameworkId);
  }

  lose(call: LosableCall, count: number): void {
    this.#faults.lose(call, count);
  }

  duplicateUpdates(count: number): void {
    this.#faults.duplicateUpdates(count);
  }

  state(): ClusterSnapshot {
    return snapshotOf(this.#masters, this.#agents);
  }

  waitFor(what: string, condition: (state: ClusterSnapshot) => boolean, timeoutMs: number): Promise<void> {
    return this.#waiters.until(what, () => condition(this.state()), timeoutMs);
  }

  async close(): Promise<void> {
    // Agents first: what their executors still say must not reach a master that is going.
    await Promise.all([...this.#agents].map((agent) => agent.close()));
    await this.#masters.close();
    this.#mailbox.close();
    this.#waiters.close();
  }

  #agent(id: AgentId): AgentHost {
    for (const host of this.#agents) if (host.disk.agentId === id) return host;
    throw new PatchpanelError('not-found', `there is no agent ${id}`);
  }

  #registration(host: AgentHost): Promise<void> {
    if (host.isCut) return Promise.resolve();
    const what = `the registration of agent ${host.options.hostname}`;
    return this.#waiters.until(what, () => host.agent?.isRegistered === true, registrationTimeoutMs);
  }
}

/** A clock whose timers are noticed by whoever waits for a change. */
function noticing(clock: Clock, notice: () => void): Clock {
  return {
    now: () => clock.now(),
    after: (delayMs, action) =>
      clock.after(delayMs, () => {
        action();
        notice();
      }),
  };
}
