import { leaseServerConfig } from '../core/fabric/lease-server-config.ts';
import { nameRecords, type NameRecords, type ServiceTarget } from '../core/fabric/name-records.ts';
import { otherSide, serversText, sideOf, type ServiceSide } from '../core/fabric/name-server-config.ts';
import type { View } from '../../src/fabric/view.ts';
import type { AgentId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** How often it is looked whether the servers are still there. */
const LOOK_EVERY_MS = 5_000;
/** A new set of services costs a process: no more often than this. */
const SERVICES_EVERY_MS = 250;

/** What names need of the host; small, so that tests can do without dnsmasq. */
export interface NameServer {
  hosts(): Promise<ReadonlyMap<string, string>>;
  putHosts(changes: ReadonlyMap<string, string | undefined>): Promise<void>;
  servers(): Promise<string>;
  putServers(text: string): Promise<void>;
  ensureNames(): Promise<void>;
  hasServices(services: readonly ServiceTarget[], side: ServiceSide): Promise<boolean>;
  ensureServices(services: readonly ServiceTarget[], side: ServiceSide): Promise<void>;
  endServices(): Promise<void>;
  /** Undefined: no leases are given. */
  putLeases(settings: string | undefined): Promise<void>;
  remove(): Promise<void>;
}

export interface NamesOptions {
  /** The host whose machines get leases. */
  readonly agentId: AgentId;
  readonly server: NameServer;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Why names are not answered as they should; undefined when they are again. */
  readonly onProblem: (problem: string | undefined) => void;
}

/** What the servers are known to answer. */
interface InForce {
  readonly hosts: Map<string, string>;
  services: NameRecords['services'] | undefined;
  /** All of them, one after the other. */
  targets: readonly ServiceTarget[];
  side: ServiceSide;
  servers: string;
  /** What `servers` was made of; undefined: by another executor. */
  serversOf: (Pick<InForce, 'targets' | 'side'> & Pick<View, 'networks'>) | undefined;
}

/**
 * The names that this host answers its own endpoints, and the addresses that it leases its own machines.
 * INVARIANTS: one attempt at a time; what fails is tried again; the servers go on when this object stops, and are
 * taken over as they are by the next.
 */
export class Names {
  readonly #options: NamesOptions;
  readonly #loop: Loop;
  /** Undefined: no names are wanted here. */
  #wanted: NameRecords | undefined;
  /** Settings of the server of leases that is wanted. */
  #leases: string | undefined;
  /** What the last round served, null for nothing; undefined: nobody knows. */
  #served: NameRecords | null | undefined;
  #inForce: InForce | undefined;
  #servicesChangedAt = 0;
  #cancelServices: (() => void) | undefined;
  #failing = false;
  #waiters: (() => void)[] = [];

  constructor(options: NamesOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#loop = new Loop({
      clock,
      random,
      everyMs: LOOK_EVERY_MS,
      round: () => this.#round(),
      onError: (error, attempt) => this.#failed(error, attempt),
    });
  }

  /**
   * Answers the names of this view; undefined: nobody asks here. Resolves when that is in force or an attempt at it has
   * failed; services may follow a moment later. Never rejects.
   */
  async follow(view: View | undefined): Promise<void> {
    this.#wanted = view === undefined ? undefined : nameRecords(this.#wanted, view);
    const leases = view === undefined ? undefined : leaseServerConfig(view, this.#options.agentId);
    const sameLeases = leases === this.#leases;
    this.#leases = leases;
    if (sameLeases && this.#isServed(this.#wanted)) return;
    // What fails may fail for long; nobody waits for its next attempt.
    if (this.#failing) return this.#loop.trigger();
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      this.#loop.trigger();
    });
  }

  /** The servers stay. */
  async stop(): Promise<void> {
    this.#cancelServices?.();
    await this.#loop.stop();
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  #isServed(wanted: NameRecords | undefined): boolean {
    const served = this.#served;
    if (wanted === undefined || served === undefined) return served === null && wanted === undefined;
    return (
      served !== null &&
      served.hosts === wanted.hosts &&
      served.services === wanted.services &&
      served.view.networks === wanted.view.networks
    );
  }

  async #round(): Promise<void> {
    const waiters = this.#waiters.splice(0);
    try {
      const wanted = this.#wanted;
      if (wanted === undefined) await this.#clear();
      else await this.#serve(wanted);
      this.#served = wanted ?? null;
      this.#failing = false;
      this.#options.onProblem(undefined);
    } catch (error) {
      this.#failing = true;
      this.#served = undefined;
      throw error;
    } finally {
      for (const resolve of waiters) resolve();
    }
  }

  async #clear(): Promise<void> {
    if (this.#served === null) return;
    this.#inForce = undefined;
    await this.#options.server.remove();
  }

  /** Addresses first: nobody may be sent to a name that is not there yet. */
  async #serve(wanted: NameRecords): Promise<void> {
    const { server } = this.#options;
    const inForce = (this.#inForce ??= await this.#inherited());
    const changes = filesToPut(inForce.hosts, wanted.hosts);
    if (changes.size > 0) await server.putHosts(changes);
    for (const [file, text] of changes) {
      if (text === undefined) inForce.hosts.delete(file);
      else inForce.hosts.set(file, text);
    }
    await this.#serveServices(inForce, wanted.services);
    await this.#serveServers(inForce, wanted.view);
    await server.ensureNames();
    await server.putLeases(this.#leases);
    if (inForce.targets.length === 0) await server.endServices();
  }

  /** Made of little, but with many services of much: only when something of it is new. */
  async #serveServers(inForce: InForce, { networks }: View): Promise<void> {
    const { targets, side, serversOf } = inForce;
    if (serversOf?.networks === networks && serversOf.targets === targets && serversOf.side === side) return;
    const servers = serversText(networks, targets, side);
    if (servers !== inForce.servers) await this.#options.server.putServers(servers);
    inForce.servers = servers;
    inForce.serversOf = { networks, targets, side };
  }

  /**
   * The new server of services is started beside the one that is asked, which stays for the questions that are on their
   * way to it until the next change.
   */
  async #serveServices(inForce: InForce, wanted: NameRecords['services']): Promise<void> {
    const { server, clock } = this.#options;
    if (inForce.services === wanted) {
      if (inForce.targets.length > 0) await server.ensureServices(inForce.targets, inForce.side);
      return;
    }
    const services = [...wanted.values()].flat();
    if (services.length > 0 && !(await server.hasServices(services, inForce.side))) {
      const waitMs = this.#servicesChangedAt + SERVICES_EVERY_MS - clock.now();
      if (inForce.services !== undefined && waitMs > 0) return this.#servicesLater(waitMs);
      this.#servicesChangedAt = clock.now();
      const side = otherSide(inForce.side);
      await server.ensureServices(services, side);
      inForce.side = side;
    }
    inForce.services = wanted;
    inForce.targets = services;
  }

  #servicesLater(waitMs: number): void {
    this.#cancelServices?.();
    this.#cancelServices = this.#options.clock.after(waitMs, () => this.#loop.trigger());
  }

  /** What an earlier executor left is gone on with. */
  async #inherited(): Promise<InForce> {
    const { server } = this.#options;
    const servers = await server.servers();
    const hosts = new Map(await server.hosts());
    return { hosts, services: undefined, targets: [], side: sideOf(servers), servers, serversOf: undefined };
  }

  #failed(error: unknown, attempt: number): void {
    this.#options.onProblem(`names are not answered as they should: ${messageOf(error)}`);
    if (attempt === 1) this.#options.log.warn('names could not be put in force', { error });
  }
}

function filesToPut(
  present: ReadonlyMap<string, string>,
  wanted: ReadonlyMap<string, string>,
): ReadonlyMap<string, string | undefined> {
  const changes = new Map<string, string | undefined>();
  for (const [file, text] of wanted) if (present.get(file) !== text) changes.set(file, text);
  for (const file of present.keys()) if (!wanted.has(file)) changes.set(file, undefined);
  return changes;
}
