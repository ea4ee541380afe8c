import { FlowProgrammer, managementSocket } from '../adapters/openflow/flow-programmer.ts';
import { canaryFlow } from '../../src/fabric/objects/base.ts';
import { awaitRevalidation, forgetRemembered } from '../adapters/openflow/datapath-cache.ts';
import { SwitchWatch } from '../adapters/openflow/switch-watch.ts';
import type { GatewayPort } from '../adapters/ovsdb/host-port-plan.ts';
import type { OwnPort, PortWish } from '../adapters/ovsdb/port-plan.ts';
import { cookieParts } from '../../src/fabric/cookie.ts';
import type { FlowObjects } from '../../src/fabric/flow-objects.ts';
import { firstTunnels, type TunnelWish } from '../../src/fabric/interconnect.ts';
import { table } from '../../src/fabric/tables.ts';
import type { View } from '../../src/fabric/view.ts';
import { withDeadline } from '../../src/runtime/deadline.ts';
import { Loop } from '../../src/runtime/loop.ts';
import { Scope } from '../../src/runtime/scope.ts';
import { FlowTable } from './flow-table.ts';
import type { HostOfports } from './gateways.ts';
import { HandoverSteps } from './handover-steps.ts';
import { Neighbours } from './neighbours.ts';
import { OpenVSwitch } from './open-vswitch.ts';
import { Rewriter } from './rewriter.ts';
import type { SwitchConfig, SwitchSurroundings } from './switch-config.ts';

const FIRST_FLOWS_TIMEOUT_MS = 20_000;
/** Open vSwitch forgets a neighbour after 15 minutes without use. */
const NEIGHBOURS_EVERY_MS = 5 * 60_000;

export interface BridgeOptions {
  readonly config: SwitchConfig;
  readonly around: SwitchSurroundings;
  /** All flows that shall be in force, for this round of the bridge. */
  readonly wanted: (round: number) => FlowObjects;
  /** The tunnels that the view in force asks for; undefined while it has no say. */
  readonly tunnels: () => TunnelWish | undefined;
  /** Why the wanted flows are not in force; undefined when they are again. */
  readonly onProblem: (problem: string | undefined) => void;
  /** Open vSwitch is there (again): devices of its own may be new. */
  readonly onUp: () => void;
  /** Something about the ports changed. */
  readonly onPorts: () => void;
  /** The database came back, or the bridge was made again: what is missing must be plugged in. */
  readonly replug: (signal: AbortSignal) => Promise<void>;
}

/**
 * Our bridge in Open vSwitch: its rows and its flows, kept right while its daemons come and go.
 * INVARIANT: after a restart of either daemon everything is written anew, without being asked.
 */
export class Bridge {
  readonly #options: BridgeOptions;
  readonly #scope: Scope;
  readonly #vswitch: OpenVSwitch;
  readonly #programmer: FlowProgrammer;
  readonly #flows: FlowTable;
  readonly #watch: SwitchWatch;
  readonly #neighbours: Neighbours;
  readonly #repairs: Loop;
  readonly #refreshes: Loop;
  readonly #rewriter: Rewriter;
  #repairing = false;
  /** The handovers of the view that was followed last. */
  readonly #handovers = new HandoverSteps(() => this.#askFlowsAgain());
  #version = 'unknown';

  constructor(options: BridgeOptions) {
    this.#options = options;
    const { config, around } = options;
    const { clock, log, random } = around;
    this.#scope = new Scope(log);
    this.#programmer = new FlowProgrammer(config.ovsRunDir, config.bridge, (ip) =>
      this.#vswitch.tunnelOfport(ip),
    );
    this.#neighbours = new Neighbours(config.agentId, log, (ips) => this.#programmer.wakeNeighbours(ips));
    this.#vswitch = new OpenVSwitch({
      runDir: config.ovsRunDir,
      bridge: config.bridge,
      owner: config.hostKey,
      underlayIp: config.underlayIp,
      datapath: config.datapath,
      clock,
      random,
      log,
      onChange: () => this.#rowsChanged(),
      onBack: () => this.#rowsLost(),
    });
    this.#flows = new FlowTable({
      sink: this.#programmer,
      prepare: () => this.#followTunnels(),
      wanted: () => options.wanted(this.#vswitch.round),
      clock,
      random,
      log,
      onProblem: options.onProblem,
    });
    this.#watch = new SwitchWatch({
      socketPath: managementSocket(config.ovsRunDir, config.bridge),
      canaryTable: table.canary,
      clock,
      random,
      onUp: () => this.#switchUp(),
      onDown: (reason) => this.#switchDown(reason),
      onCanaryLost: () => this.#rewriter.touched('somebody removed our flows'),
      isOwn: (cookie) => cookieParts(cookie).round === this.#vswitch.round,
      onForeignFlow: () => this.#rewriter.touched('somebody else wrote flows on our bridge'),
    });
    const onError = (error: unknown) =>
      log.warn('the bridge could not be put right; it is tried again', { error });
    this.#repairs = new Loop({ clock, random, onError, round: (signal) => this.#repair(signal) });
    this.#refreshes = new Loop({
      clock,
      random,
      onError,
      everyMs: NEIGHBOURS_EVERY_MS,
      round: () => this.#warm(() => this.#neighbours.refresh()),
    });
    this.#rewriter = new Rewriter({ clock, log, rewrite: () => this.#flows.resync() });
  }

  get datapath(): 'system' | 'netdev' | undefined {
    return this.#vswitch.datapath;
  }

  get round(): number {
    return this.#vswitch.round;
  }

  /** In a mesh: OpenFlow port of each peer by its underlay address. */
  get peerOfports(): ReadonlyMap<string, number> | undefined {
    return this.#vswitch.peerOfports;
  }

  get version(): string {
    return this.#vswitch.version ?? this.#version;
  }

  get flows(): { readonly size: number; readonly resyncs: number; readonly inSync: boolean } {
    return this.#flows;
  }

  /** Whether the database can be trusted to say what is there. */
  get settled(): boolean {
    return this.#vswitch.ready && !this.#repairing;
  }

  /** Makes the rows; flows follow with openFlows(). @throws PatchpanelError as OpenVSwitch.start() */
  async openRows(): Promise<void> {
    this.#scope.defer('ovsdb', () => this.#vswitch.stop());
    this.#version = await this.#programmer.version();
    await this.#vswitch.start(this.#options.tunnels() ?? firstTunnels);
    this.#scope.defer('repairs', () => this.#repairs.stop());
  }

  /** Puts all flows in force for the first time. @throws PatchpanelError `external`, `deadline` */
  async openFlows(): Promise<void> {
    this.#scope.defer('flows', () => this.#flows.stop());
    this.#scope.defer('watch', () => this.#watch.stop());
    this.#scope.defer('neighbours', () => this.#refreshes.stop());
    this.#scope.defer('rewriting of flows', () => this.#rewriter.stop());
    this.#watch.start();
    await withDeadline(this.#flows.commit(), FIRST_FLOWS_TIMEOUT_MS, 'writing all flows for the first time');
    this.#rewriter.start();
  }

  async close(): Promise<void> {
    await this.#scope.close();
  }

  ports(): readonly OwnPort[] {
    return this.#vswitch.ports();
  }

  addPort(wish: PortWish, signal: AbortSignal): Promise<void> {
    return this.#vswitch.addPort(wish, signal);
  }

  removePort(veth: string): Promise<void> {
    return this.#vswitch.removePort(veth);
  }

  /** See OpenVSwitch.makeHostPorts. */
  makeHostPorts(gateways: readonly GatewayPort[], devices: readonly string[]): Promise<HostOfports> {
    return this.#vswitch.makeHostPorts(gateways, devices);
  }

  /** See FlowTable.commit. */
  commit(): Promise<void> {
    return this.#flows.commit();
  }

  resync(): Promise<void> {
    return this.#flows.resync();
  }

  /** The host has another address on the underlay now. @throws PatchpanelError as OpenVSwitch.start() */
  async moveUnderlay(ip: string): Promise<void> {
    this.#vswitch.setUnderlayIp(ip);
    await this.#vswitch.repair();
  }

  /**
   * Like commit, and new peers of this view can be reached without a first frame being lost, and handovers of this view
   * are in force for every frame.
   */
  async follow(view: View): Promise<void> {
    const committed = this.#flows.commit();
    const warmed = this.#warm(async () => {
      // A mesh has a port to a new peer only afterwards.
      if (this.peerOfports !== undefined) await committed;
      await this.#neighbours.follow(view);
    });
    await Promise.all([committed.then(() => this.#handovers.follow(view)), warmed]);
  }

  async #askFlowsAgain(): Promise<void> {
    try {
      const { ovsRunDir } = this.#options.config;
      await awaitRevalidation(ovsRunDir, () => this.#programmer.rewrite(canaryFlow(this.round)));
      if (this.datapath === 'netdev') await forgetRemembered(ovsRunDir);
    } catch (error) {
      this.#options.around.log.warn('the cache of the datapath could not be waited for', { error });
    }
  }

  /** The kernel's datapath queues what it must ask for a MAC; only the userspace one throws it away. */
  async #warm(action: () => Promise<void>): Promise<void> {
    if (this.datapath === 'netdev') await action();
  }

  async #followTunnels(): Promise<void> {
    const tunnels = this.#options.tunnels();
    if (tunnels !== undefined) await this.#vswitch.connectPeers(tunnels);
  }

  #switchUp(): void {
    this.#flows.switchUp();
    this.#refreshes.trigger();
    this.#options.onUp();
  }

  #switchDown(reason: string): void {
    this.#options.around.log.warn('Open vSwitch went away; flows are written anew when it is back', {
      reason,
    });
    this.#flows.switchDown();
  }

  #rowsChanged(): void {
    if (!this.settled) return;
    if (this.#vswitch.bridgeGone) {
      this.#options.around.log.warn('somebody removed our bridge; it is made again with all its ports');
      return this.#rowsLost();
    }
    this.#options.onPorts();
    const foreign = this.#vswitch.foreignPorts();
    if (foreign.length === 0) return;
    this.#options.around.log.warn('taking ports that are not ours off our bridge', { ports: foreign });
    this.#repairs.trigger();
  }

  /** Until all is plugged in again no port is missed. */
  #rowsLost(): void {
    this.#repairing = true;
    this.#repairs.trigger();
  }

  async #repair(signal: AbortSignal): Promise<void> {
    await this.#vswitch.repair();
    await this.#options.replug(signal);
    // Not waited for, so that there can be another repair when the bridge goes again; the table goes on by itself.
    this.#rewriter.now();
    this.#repairing = false;
    this.#rowsChanged();
    this.#options.onUp();
  }
}
