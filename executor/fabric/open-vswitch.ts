import { join } from 'node:path';
import {
  bridgeIds,
  findBridge,
  inForceAt,
  planBridge,
  planNotice,
  switchRow,
  type BridgeWish,
} from '../adapters/ovsdb/bridge-plan.ts';
import {
  devicePorts,
  gatewayPorts,
  isHostPort,
  tunnelPort,
  tunnelPorts,
  type GatewayPort,
  type HostPort,
  type HostPortsWish,
} from '../adapters/ovsdb/host-port-plan.ts';
import type { Operation } from '../adapters/ovsdb/operations.ts';
import { OvsdbClient } from '../adapters/ovsdb/ovsdb-client.ts';
import {
  findInterface,
  foreignPorts,
  ownPorts,
  planPortRemoval,
  planPorts,
  portOpened,
  type OwnPort,
  type PortWish,
} from '../adapters/ovsdb/port-plan.ts';
import { nextRound } from '../../src/fabric/cookie.ts';
import { firstTunnels, sameTunnels, type TunnelWish } from '../../src/fabric/interconnect.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Batcher } from './batcher.ts';
import type { HostOfports } from './gateways.ts';

const READY_TIMEOUT_MS = 15_000;
/** An executor that has just ended may still be in the act. */
const LOCK_TIMEOUT_MS = 5_000;
const IN_FORCE_TIMEOUT_MS = 10_000;
const PORT_TIMEOUT_MS = 5_000;
const MAX_BATCH = 64;
const MAX_QUEUED = 4_096;

export interface OpenVSwitchOptions {
  readonly runDir: string;
  readonly bridge: string;
  readonly owner: string;
  readonly underlayIp: string;
  readonly datapath: 'auto' | 'system' | 'netdev';
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Rows of the database changed. */
  readonly onChange: () => void;
  /** The database is there again after it was lost. */
  readonly onBack: () => void;
}

/** Our bridge and its ports in the database of Open vSwitch. */
export class OpenVSwitch {
  readonly #options: OpenVSwitchOptions;
  readonly #client: OvsdbClient;
  readonly #additions: Batcher<PortWish>;
  readonly #removals: Batcher<string>;
  #underlayIp: string;
  #datapath: 'system' | 'netdev' | undefined;
  #round = 0;
  /** The tunnels that are wanted, and those of them that are known to be in force. */
  #tunnels: TunnelWish = firstTunnels;
  #tunnelsInForce: TunnelWish | undefined;
  #peerOfports: ReadonlyMap<string, number> | undefined;
  /** The host's legs in networks. */
  #gateways: readonly GatewayPort[] = [];
  /** Devices of the operator's machines. */
  #devices: readonly string[] = [];
  /** Changes of the host's ports are planned from what is there, so there is one at a time. */
  #changes: Promise<unknown> = Promise.resolve();

  constructor(options: OpenVSwitchOptions) {
    this.#options = options;
    this.#underlayIp = options.underlayIp;
    const { clock, random, log } = options;
    this.#client = new OvsdbClient({
      socketPath: join(options.runDir, 'db.sock'),
      lock: 'patchpanel',
      clock,
      random,
      log,
      onChange: options.onChange,
      // The first time is start()'s business.
      onReady: () => this.#round > 0 && options.onBack(),
      onLost: (reason) => log.warn('the database of Open vSwitch is out of reach', { reason }),
    });
    const limits = { maxBatch: MAX_BATCH, maxQueued: MAX_QUEUED };
    const what = 'Open vSwitch';
    this.#additions = new Batcher({ ...limits, what, flush: (wishes) => this.#insert(wishes) });
    this.#removals = new Batcher({ ...limits, what, flush: (veths) => this.#delete(veths) });
  }

  get ready(): boolean {
    return this.#client.ready;
  }

  /** Undefined before start() is done. */
  get datapath(): 'system' | 'netdev' | undefined {
    return this.#datapath;
  }

  /** Counts the executors that have used the bridge; 0 before start() is done. */
  get round(): number {
    return this.#round;
  }

  /** In a mesh: OpenFlow port of each peer by its underlay address; undefined when one port serves all. */
  get peerOfports(): ReadonlyMap<string, number> | undefined {
    return this.#peerOfports;
  }

  /** OpenFlow port of the tunnel to a peer, if there is one. */
  tunnelOfport(underlayIp: string): number | undefined {
    return this.#peerOfports === undefined ? tunnelPort.ofport : this.#peerOfports.get(underlayIp);
  }

  /** What the start script of Open vSwitch wrote, if one was used. */
  get version(): string | undefined {
    return this.#client.rows.all('Open_vSwitch')[0]?.ovsVersion;
  }

  /** The ports of ours on the bridge now, whichever executor made them. */
  ports(): readonly OwnPort[] {
    const bridge = this.#found();
    return bridge === undefined ? [] : ownPorts(this.#client.rows, bridge);
  }

  /** Whether somebody removed the bridge that start() made, and every port with it; repair() makes it again. */
  get bridgeGone(): boolean {
    return this.#round > 0 && this.#found() === undefined;
  }

  /** Names of the ports on the bridge that are not ours and must go; repair() takes them off. */
  foreignPorts(): readonly string[] {
    const bridge = this.#found();
    if (bridge === undefined) return [];
    const isOurs = (name: string) => isHostPort(name, this.#devices);
    return foreignPorts(this.#client.rows, bridge, isOurs).map(({ name }) => name);
  }

  /** Changes the address of this host's tunnel endpoint; repair() puts it in force. */
  setUnderlayIp(ip: string): void {
    this.#underlayIp = ip;
  }

  /**
   * Connects, makes the bridge with these tunnels and begins a new round on it.
   * @throws PatchpanelError `conflict` when another executor is at work here or the bridge is a stranger's, `external`
   * when Open vSwitch cannot make it, `deadline`, `unavailable`
   */
  async start(tunnels: TunnelWish): Promise<void> {
    this.#tunnels = tunnels;
    this.#client.start();
    await this.#client.whenSynced(READY_TIMEOUT_MS);
    await this.#client.whenReady(LOCK_TIMEOUT_MS).catch((error: unknown) => {
      throw this.#client.lockedOut ? lockedOut(error) : error;
    });
    const bridge = this.#found();
    const round = nextRound(Number(bridge?.externalIds[bridgeIds.round] ?? 0) || 0);
    this.#datapath = await this.#ensureFirst(round);
    this.#round = round;
  }

  stop(): void {
    this.#client.stop();
  }

  /** Makes the bridge again if it is gone or was changed. @throws PatchpanelError as start() */
  async repair(): Promise<void> {
    const datapath = this.#datapath;
    if (datapath === undefined) return;
    const change = this.#changes.then(() => this.#ensure(datapath, this.#round));
    this.#changes = change.catch(() => undefined);
    await change;
  }

  /** Makes the tunnel ports as they shall be; nothing is asked when they are. @throws PatchpanelError as start() */
  async connectPeers(tunnels: TunnelWish): Promise<void> {
    if (this.#tunnelsInForce !== undefined && sameTunnels(this.#tunnelsInForce, tunnels)) return;
    this.#tunnels = tunnels;
    await this.repair();
  }

  /**
   * Makes the ports of these legs of the host in networks and of these devices, and no others. A device need not be
   * there yet: it is plugged in when it is.
   * @returns the OpenFlow port of each VNI and of each device
   * @throws PatchpanelError as start(), `external` when Open vSwitch cannot make one of them
   */
  async makeHostPorts(gateways: readonly GatewayPort[], devices: readonly string[]): Promise<HostOfports> {
    this.#gateways = gateways;
    this.#devices = devices;
    await this.repair();
    const wanted = gatewayPorts(this.#client.rows, this.#hostPorts());
    for (const { name, ofport } of wanted) {
      const row = findInterface(this.#client.rows, name);
      if (row?.ofport === ofport) continue;
      throw new PatchpanelError(
        'external',
        `Open vSwitch cannot make ${name}: ${row?.error ?? 'see its log'}`,
      );
    }
    const machines = devicePorts(this.#client.rows, this.#hostPorts());
    return {
      legs: new Map(wanted.map(({ about, ofport }) => [Number(about), ofport])),
      devices: new Map(machines.map(({ name, ofport }) => [name, ofport])),
    };
  }

  /**
   * Plugs a veth in and waits for its number.
   * @throws PatchpanelError `external` with Open vSwitch's words when it cannot open the device, `deadline`, `aborted`
   */
  async addPort(wish: PortWish, signal: AbortSignal): Promise<void> {
    await this.#additions.add(wish);
    const what = `Open vSwitch's opening of ${wish.veth} as port ${wish.ofport}`;
    await this.#client.until(what, (rows) => portOpened(rows, wish), PORT_TIMEOUT_MS, signal);
  }

  /** Unplugs the veth of that name; fine when it is not there. */
  async removePort(veth: string): Promise<void> {
    await this.#removals.add(veth);
  }

  async #insert(wishes: readonly PortWish[]): Promise<void> {
    await this.#client.whenReady(PORT_TIMEOUT_MS);
    await this.#client.transact(planPorts(this.#bridge(), wishes));
  }

  async #delete(veths: readonly string[]): Promise<void> {
    await this.#client.whenReady(PORT_TIMEOUT_MS);
    const names = new Set(veths);
    const uuids = this.ports()
      .filter((port) => names.has(port.veth))
      .map((port) => port.portUuid);
    if (uuids.length > 0) await this.#client.transact(planPortRemoval(this.#bridge(), uuids));
  }

  #found() {
    return findBridge(this.#client.rows, this.#options.bridge);
  }

  #bridge() {
    const bridge = this.#found();
    if (bridge !== undefined) return bridge;
    const { bridge: name } = this.#options;
    throw new PatchpanelError('unavailable', `bridge ${name} is gone; it is being made again`);
  }

  /** Open vSwitch lists the system datapath whether the kernel has the module or not: whether it works is tried. */
  async #ensureFirst(round: number): Promise<'system' | 'netdev'> {
    const { datapath, log } = this.#options;
    if (datapath !== 'auto') return this.#ensure(datapath, round);
    if (this.#found()?.datapathType === 'netdev') return this.#ensure('netdev', round);
    if (!switchRow(this.#client.rows).datapathTypes.includes('system')) return this.#ensure('netdev', round);
    try {
      return await this.#ensure('system', round);
    } catch (error) {
      log.info('the kernel has no Open vSwitch datapath, the userspace one is used', { error });
      return this.#ensure('netdev', round);
    }
  }

  /** Puts the bridge right and waits until Open vSwitch has it in force. */
  async #ensure(datapath: 'system' | 'netdev', round: number): Promise<'system' | 'netdev'> {
    const { bridge, owner } = this.#options;
    const tunnels = this.#tunnels;
    const wish: BridgeWish = { name: bridge, owner, datapath, round, ...this.#hostPorts() };
    const ports = tunnelPorts(this.#client.rows, wish);
    const plan = planBridge(this.#client.rows, wish);
    const mark = await this.#commit(plan);
    const what = `the set-up of bridge ${bridge}`;
    const root = await this.#client.until(
      what,
      (rows) => rows.all('Open_vSwitch').find((row) => row.curCfg >= mark),
      IN_FORCE_TIMEOUT_MS,
    );
    const bad = ports.find(({ name, ofport }) => findInterface(this.#client.rows, name)?.ofport !== ofport);
    if (root.curCfg >= mark && bad === undefined) {
      this.#tunnelled(tunnels, ports);
      return datapath;
    }
    const error = bad === undefined ? undefined : findInterface(this.#client.rows, bad.name)?.error;
    throw new PatchpanelError(
      'external',
      `Open vSwitch cannot run bridge ${bridge} with the ${datapath} datapath: ${error ?? 'see the log of ovs-vswitchd'}`,
    );
  }

  #hostPorts(): HostPortsWish {
    return {
      underlayIp: this.#underlayIp,
      tunnels: this.#tunnels,
      gateways: this.#gateways,
      devices: this.#devices,
    };
  }

  #tunnelled(tunnels: TunnelWish, ports: readonly HostPort[]): void {
    this.#tunnelsInForce = tunnels;
    this.#peerOfports =
      tunnels.peers === undefined ? undefined : new Map(ports.map(({ about, ofport }) => [about, ofport]));
  }

  /** Commits and gives the configuration number that Open vSwitch will have reached when all is in force. */
  async #commit(operations: readonly Operation[]): Promise<number> {
    const root = switchRow(this.#client.rows);
    return inForceAt(await this.#client.transact([...operations, ...planNotice(root)]));
  }
}

const lockedOut = (cause: unknown) =>
  new PatchpanelError(
    'conflict',
    'another executor of this host holds the lock in ovsdb-server: stop it first',
    { cause },
  );
