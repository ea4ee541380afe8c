import { applyRules, configureLegs, underlayPrefix } from '../adapters/netns/gateway-host.ts';
import { DnsmasqNameServer } from '../adapters/dnsmasq/name-server.ts';
import { tunnelPort } from '../adapters/ovsdb/host-port-plan.ts';
import {
  gatewayWish,
  isWithinOwn,
  machineOfports,
  noGateways,
  type GatewayWish,
} from '../core/fabric/gateway-legs.ts';
import { FlowCompiler } from '../../src/fabric/flow-compiler.ts';
import type { FlowObjects } from '../../src/fabric/flow-objects.ts';
import type { LocalSwitch } from '../../src/fabric/local-switch.ts';
import { endpointsOn } from '../../src/fabric/own-endpoints.ts';
import type { View } from '../../src/fabric/view.ts';
import type { CountedObjects } from '../core/fabric/counter-rows.ts';
import type { Bridge } from './bridge.ts';
import type { CurrentView } from './current-view.ts';
import { Gateways } from './gateways.ts';
import { Names } from './names.ts';
import type { SwitchConfig, SwitchSurroundings } from './switch-config.ts';
import type { HostPart } from './view-feed.ts';

export interface ViewEnforcerParts {
  readonly config: SwitchConfig;
  readonly around: SwitchSurroundings;
  readonly current: CurrentView;
  readonly bridge: Bridge;
  /** Address of the host's tunnel endpoint, as of now. */
  readonly underlayIp: () => string;
  /** OpenFlow port of each container that is plugged in here, by endpoint key. */
  readonly containerOfports: () => ReadonlyMap<string, number>;
  /** Why legs or names are not in force; undefined when they are again. */
  readonly onProblem: (part: HostPart, problem: string | undefined) => void;
}

/**
 * Puts the current view in force on this host: the legs of its networks, the flows of the bridge, the names.
 * INVARIANTS: flows follow the legs that they name; legs or names that fail are reported and tried again, and keep nothing
 * of the rest from being in force.
 */
export class ViewEnforcer {
  readonly #parts: ViewEnforcerParts;
  readonly #compiler = new FlowCompiler();
  readonly #gateways: Gateways;
  readonly #names: Names | undefined;
  #left = false;

  constructor(parts: ViewEnforcerParts) {
    this.#parts = parts;
    this.#gateways = this.#newGateways();
    this.#names = this.#newNames();
  }

  /** What is programmed now, for those who count it. */
  get objects(): CountedObjects {
    return this.#compiler;
  }

  /** Whether machines of the operator's are plugged in here, for which somebody has to follow the views. */
  get hasMachines(): boolean {
    return this.#gateways.deviceOfports.size > 0;
  }

  /** Puts everything but flows in force, or makes an attempt at it. Never rejects. */
  async followLegsAndNames(): Promise<void> {
    await this.#gateways.follow(await this.#gatewayWish());
    await this.#followNames();
  }

  /** Resolves when the flows of the view are in force. @throws PatchpanelError as Bridge.follow() */
  async follow(view: View): Promise<void> {
    // What fails of it is reported and tried again: the network between containers does not wait for the outside.
    await this.#gateways.follow(await this.#gatewayWish());
    await Promise.all([this.#parts.bridge.follow(view), this.#followNames()]);
  }

  /** Devices of the host may have been made anew, or it has another address: its legs are put in force again. */
  async refreshLegs(): Promise<void> {
    this.#gateways.refresh(await this.#gatewayWish());
  }

  /** Takes the host's legs, rules and name servers away, for good. Never rejects. */
  async leave(): Promise<void> {
    this.#left = true;
    await Promise.all([this.#gateways.follow(noGateways), this.#followNames()]);
  }

  /** What is in force stays. */
  async stop(): Promise<void> {
    await this.#names?.stop();
    await this.#gateways.stop();
  }

  /** All flows that shall be in force, for this round of the bridge. */
  wantedFlows(round: number): FlowObjects {
    return this.#compiler.update(this.#parts.current.view, this.localSwitch(round));
  }

  /** The switch of this host with the numbers of its ports, as of now. */
  localSwitch(round: number): LocalSwitch {
    const { peerOfports } = this.#parts.bridge;
    return {
      agentId: this.#parts.config.agentId,
      round,
      tunnelOfport: tunnelPort.ofport,
      gatewayOfports: this.#gateways.ofports,
      ...(peerOfports === undefined ? {} : { peerOfports }),
      ofports: this.#ofports(),
    };
  }

  /** By the view and the address as they are when the host's routes have been read. */
  async #gatewayWish(): Promise<GatewayWish> {
    const { config, current, around, ...parts } = this.#parts;
    const { agentId: id, hostname } = config;
    const underlayIp = parts.underlayIp();
    const prefix = isWithinOwn(current.view, { id, underlayIp })
      ? await underlayPrefix(underlayIp, around.log)
      : undefined;
    if (this.#left) return noGateways;
    if (parts.underlayIp() !== underlayIp) return this.#gatewayWish();
    return gatewayWish(current.view, { id, hostname, underlayIp, underlayPrefix: prefix });
  }

  /** OpenFlow port of everything that is plugged in here, containers and machines. */
  #ofports(): ReadonlyMap<string, number> {
    const { deviceOfports } = this.#gateways;
    const containers = this.#parts.containerOfports();
    if (deviceOfports.size === 0) return containers;
    const { current, config } = this.#parts;
    return new Map([...containers, ...machineOfports(current.view, config.agentId, deviceOfports)]);
  }

  /** Where no endpoint is, nobody asks. */
  async #followNames(): Promise<void> {
    const view = this.#parts.current.ofScheduler;
    const asked = !this.#left && endpointsOn(view, this.#parts.config.agentId).length > 0;
    await this.#names?.follow(asked ? view : undefined);
  }

  #newGateways(): Gateways {
    const { around, bridge, underlayIp, onProblem } = this.#parts;
    const { clock, log, random } = around;
    return new Gateways({
      underlayIp,
      clock,
      random,
      log,
      host: {
        makePorts: (legs, devices) => bridge.makeHostPorts(legs, devices),
        configure: (legs) => configureLegs(legs, bridge.datapath === 'netdev'),
        applyRules,
      },
      onPorts: () =>
        void bridge.commit().catch((error: unknown) => log.warn('the flows of gateways failed', { error })),
      onProblem: (problem) => onProblem('legs', problem),
    });
  }

  #newNames(): Names | undefined {
    const { config, around, onProblem } = this.#parts;
    const { clock, log, random } = around;
    if (config.names === undefined) return undefined;
    return new Names({
      agentId: config.agentId,
      server: new DnsmasqNameServer(config.names),
      clock,
      random,
      log,
      onProblem: (problem) => onProblem('names', problem),
    });
  }
}
