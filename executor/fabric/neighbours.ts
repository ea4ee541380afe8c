import type { View } from '../../src/fabric/view.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Batcher } from './batcher.ts';

/**
 * Keeps the userspace datapath's neighbour table warm: without it the first frame to a peer is lost while its MAC is
 * asked for, which costs a connection a whole second.
 */
export class Neighbours {
  readonly #self: AgentId;
  readonly #log: Logger;
  readonly #batches: Batcher<string>;
  #peers: ReadonlySet<string> = new Set();

  /** @param wake asks for the MACs of these tunnel endpoints */
  constructor(self: AgentId, log: Logger, wake: (underlayIps: readonly string[]) => Promise<void>) {
    this.#self = self;
    this.#log = log;
    this.#batches = new Batcher({ what: 'neighbours', maxBatch: 256, maxQueued: 16_384, flush: wake });
  }

  /** Wakes the peers that are new in this view. Never fails: a cold neighbour costs one frame. */
  async follow(view: View): Promise<void> {
    const before = this.#peers;
    const hosts = view.hosts.filter((host) => host.id !== this.#self);
    this.#peers = new Set(hosts.map((host) => host.underlayIp));
    await this.#wake([...this.#peers].filter((ip) => !before.has(ip)));
  }

  /** Wakes all peers, because Open vSwitch forgets those that it has not used for a while. */
  async refresh(): Promise<void> {
    await this.#wake([...this.#peers]);
  }

  async #wake(underlayIps: readonly string[]): Promise<void> {
    try {
      await Promise.all(underlayIps.map((ip) => this.#batches.add(ip)));
    } catch (error) {
      this.#log.debug('neighbours were not woken', { error });
    }
  }
}
