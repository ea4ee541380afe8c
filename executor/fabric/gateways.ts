import { firewallRules, needsRules } from '../core/fabric/firewall-rules.ts';
import { noGateways, type GatewayLeg, type GatewayWish } from '../core/fabric/gateway-legs.ts';
import type { NetworkName } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** OpenFlow ports of the host's legs by VNI, and of machines by the names of their devices. */
export interface HostOfports {
  readonly legs: ReadonlyMap<number, number>;
  readonly devices: ReadonlyMap<string, number>;
}

/** What gateways need of the host; small, so that tests can do without one. */
export interface GatewayHost {
  /** Makes the ports of these legs and devices, and no others. */
  makePorts(legs: readonly GatewayLeg[], devices: readonly string[]): Promise<HostOfports>;
  configure(legs: readonly GatewayLeg[]): Promise<void>;
  applyRules(text: string): Promise<void>;
}

export interface GatewaysOptions {
  readonly host: GatewayHost;
  /** Address of the host's tunnel endpoint, as of now. */
  readonly underlayIp: () => string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** The numbers of the legs' ports changed: flows have to follow. */
  readonly onPorts: () => void;
  /** Why gateways or published ports are not in force, or not all of them; undefined when they are again. */
  readonly onProblem: (problem: string | undefined) => void;
}

/**
 * The host's legs in networks and its rules for what passes between them and the outside.
 * INVARIANTS: one attempt at a time; what fails is tried again; a host whose gateways fail keeps its network otherwise.
 */
export class Gateways {
  readonly #options: GatewaysOptions;
  readonly #loop: Loop;
  #wish = noGateways;
  /** What was last put in force, as text; undefined: nobody knows. */
  #portsInForce: string | undefined;
  #rulesInForce: string | undefined;
  #ofports: ReadonlyMap<NetworkName, number> = new Map();
  #deviceOfports: ReadonlyMap<string, number> = new Map();
  #failing = false;
  #waiters: (() => void)[] = [];

  constructor(options: GatewaysOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#loop = new Loop({
      clock,
      random,
      round: () => this.#round(),
      onError: (error, attempt) => this.#failed(error, attempt),
    });
  }

  /** OpenFlow port of the leg in each network. */
  get ofports(): ReadonlyMap<NetworkName, number> {
    return this.#ofports;
  }

  /** OpenFlow port of each machine by the name of its device. */
  get deviceOfports(): ReadonlyMap<string, number> {
    return this.#deviceOfports;
  }

  /** Resolves when this wish, or a later one, was put in force or an attempt at it has failed. Never rejects. */
  async follow(wish: GatewayWish): Promise<void> {
    this.#wish = wish;
    if (this.#inForce(wish)) return;
    // What fails may fail for long; nobody waits for its next attempt.
    if (this.#failing) return this.#loop.trigger();
    await new Promise<void>((resolve) => {
      this.#waiters.push(resolve);
      this.#loop.trigger();
    });
  }

  /** Devices may have been made anew, without addresses: everything is put in force again, as it is wished now. */
  refresh(wish: GatewayWish): void {
    this.#wish = wish;
    this.#portsInForce = undefined;
    this.#loop.trigger();
  }

  /** What is in force stays. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#release();
  }

  #inForce(wish: GatewayWish): boolean {
    return portsText(wish) === this.#portsInForce && this.#rules() === this.#rulesInForce;
  }

  #rules(): string {
    return firewallRules(this.#wish, this.#options.underlayIp());
  }

  async #round(): Promise<void> {
    const { host } = this.#options;
    const waiters = this.#waiters.splice(0);
    try {
      const { legs, devices } = this.#wish;
      const text = portsText(this.#wish);
      if (text !== this.#portsInForce) {
        this.#take(legs, await host.makePorts(legs, devices));
        await host.configure(legs);
        this.#portsInForce = text;
      }
      await this.#applyRules(!needsRules(legs));
      this.#failing = false;
      this.#options.onProblem(this.#wish.problem);
    } catch (error) {
      this.#failing = true;
      throw error;
    } finally {
      for (const resolve of waiters) resolve();
    }
  }

  /** What another executor left is unknown: the first time, the table is replaced whatever it is. */
  async #applyRules(unneeded: boolean): Promise<void> {
    const rules = this.#rules();
    if (rules === this.#rulesInForce) return;
    try {
      await this.#options.host.applyRules(rules);
    } catch (error) {
      // A host without nftables has no rules of ours either.
      if (!unneeded || this.#rulesInForce !== undefined) throw error;
      this.#options.log.debug('there are no rules to remove', { error });
    }
    this.#rulesInForce = rules;
  }

  #take(legs: readonly GatewayLeg[], ports: HostOfports): void {
    const before = [...this.#ofports, ...this.#deviceOfports].join();
    this.#deviceOfports = ports.devices;
    this.#ofports = new Map(
      legs.flatMap(({ network, vni }) => {
        const ofport = ports.legs.get(vni);
        return ofport === undefined ? [] : [[network, ofport] as const];
      }),
    );
    if ([...this.#ofports, ...this.#deviceOfports].join() !== before) this.#options.onPorts();
  }

  #failed(error: unknown, attempt: number): void {
    this.#options.onProblem(`the host's legs are not in force: ${messageOf(error)}`);
    if (attempt === 1) this.#options.log.warn('the legs of the host could not be put in force', { error });
  }

  #release(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }
}

/** What is not to be made belongs to it: it is told in the round that leaves it out. */
const portsText = ({ legs, devices, problem }: GatewayWish): string =>
  JSON.stringify([legs, devices, problem]);
