import type { Server } from 'node:http';
import type { Clock } from '../../../runtime/clock.ts';
import type { Logger } from '../../../runtime/logger.ts';
import { randomUuidText } from '../core/ids.ts';
import { Master } from '../core/master.ts';
import type { Endpoint } from '../core/messages.ts';
import type { Faults } from '../faults.ts';
import { handleMaster, type Leadership } from '../http/master-endpoint.ts';
import type { SchedulerStream } from '../http/scheduler-endpoint.ts';
import { closeServer, httpServer, listenOn } from '../http/server.ts';
import type { Credential, Timings } from '../options.ts';
import { MasterAnnouncements } from './master-announcements.ts';

export interface MasterGroupOptions {
  readonly host: string;
  readonly ports: readonly number[];
  /** `zk://…`: where the masters announce themselves. */
  readonly zookeeper: string | undefined;
  readonly credentials: readonly Credential[] | undefined;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timings: Timings;
  readonly log: Logger;
  /** Something may have changed that somebody waits for. */
  readonly notify: () => void;
  /** A new leader knows nothing yet: agents connect to it. */
  readonly elected: () => void;
}

/**
 * The masters of the cluster, of which one leads.
 * INVARIANTS: at most one master run is alive; what it knew dies with it; the others answer 307 to the last leader
 * that they heard of.
 */
export class MasterGroup {
  readonly #options: MasterGroupOptions;
  readonly #servers: Server[] = [];
  readonly #endpoints: Endpoint[] = [];
  readonly #streams = new Map<string, SchedulerStream>();
  readonly #announcements: MasterAnnouncements | undefined;
  /** Each election makes the one who leads a new master. */
  #ids: string[] = [];
  #leader = 0;
  #master: Master | undefined;
  #cancelElection: (() => void) | undefined;

  constructor(options: MasterGroupOptions) {
    this.#options = options;
    const { zookeeper, log } = options;
    this.#announcements = zookeeper === undefined ? undefined : new MasterAnnouncements(zookeeper, log);
  }

  /** The run that leads; undefined during an election. */
  get master(): Master | undefined {
    return this.#master;
  }

  get urls(): readonly string[] {
    return this.#endpoints.map(({ host, port }) => `http://${host}:${port}`);
  }

  get url(): string {
    return this.urls[this.#leader] ?? '';
  }

  /** Opens all ports; the first master leads. Rejects when a port is taken. */
  async start(): Promise<void> {
    const { host, ports, log, credentials, faults, random } = this.#options;
    for (const [index, wanted] of ports.entries()) {
      const endpoint = {
        credentials,
        faults,
        random,
        leadership: () => this.#leadership(index),
        opened: (stream: SchedulerStream) => this.#streams.set(stream.id, stream),
      };
      const server = httpServer(log, async (request, response, url) => {
        await handleMaster(endpoint, request, response, url);
        this.#options.notify();
      });
      this.#servers.push(server);
      this.#endpoints.push({ host, port: await listenOn(server, host, wanted) });
    }
    for (const index of this.#endpoints.keys()) await this.#announce(index);
    this.#elect(0);
  }

  /** The leader dies; after the election time the next master leads, or the same one anew. */
  async failover(): Promise<void> {
    const dead = this.#leader;
    this.#kill();
    this.#servers[dead]?.closeAllConnections();
    await this.#announcements?.withdraw(dead);
    await new Promise<void>((resolve) => {
      this.#cancelElection?.();
      this.#cancelElection = this.#options.clock.after(this.#options.timings.electionMs, () => {
        this.#elect((dead + 1) % this.#servers.length);
        resolve();
      });
    });
    await this.#announce(dead);
  }

  /** Breaks a framework's stream; false when it has none. */
  dropConnection(frameworkId: string): boolean {
    const id = this.#master?.framework(frameworkId)?.stream?.id;
    const stream = id === undefined ? undefined : this.#streams.get(id);
    stream?.destroy();
    return stream !== undefined;
  }

  async close(): Promise<void> {
    this.#cancelElection?.();
    this.#kill();
    await this.#announcements?.close();
    await Promise.all(this.#servers.map(closeServer));
  }

  /** A master that starts queues up behind the others. */
  async #announce(index: number): Promise<void> {
    const id = randomUuidText(this.#options.random);
    this.#ids[index] = id;
    await this.#announcements?.announce(index, { id, ...this.#endpoints[index]! });
  }

  #leadership(index: number): Leadership {
    const leader = this.#endpoints[this.#leader];
    if (index !== this.#leader && leader !== undefined) return { kind: 'standby', leader };
    return this.#master === undefined ? { kind: 'leaderless' } : { kind: 'leading', master: this.#master };
  }

  #elect(index: number): void {
    const endpoint = this.#endpoints[index]!;
    this.#leader = index;
    this.#master = new Master({
      ...this.#options,
      identity: { id: this.#ids[index]!, ...endpoint },
    });
    this.#options.log.info('a master leads', { ...endpoint });
    this.#options.elected();
    this.#options.notify();
  }

  #kill(): void {
    const master = this.#master;
    this.#master = undefined;
    master?.stop();
    for (const stream of this.#streams.values()) stream.destroy();
    this.#streams.clear();
  }
}
