import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import {
  configureSandbox,
  createVeths,
  deleteVeths,
  listVeths,
  underlayMtu,
} from '../adapters/netns/veth.ts';
import { managementSocket } from '../adapters/openflow/flow-programmer.ts';
import { readStatistics } from '../adapters/openflow/statistics.ts';
import { traceFrame } from '../adapters/openflow/trace.ts';
import { TestSpace } from '../adapters/selftest/test-space.ts';
import { tunnelPort } from '../adapters/ovsdb/host-port-plan.ts';
import type { LinkWish } from '../core/fabric/link.ts';
import { serialOfVeth } from '../core/fabric/numbers.ts';
import { gatewayWish, machineOfports, noGateways, type GatewayWish } from '../core/fabric/gateway-legs.ts';
import type { AttachTimings, Fabric } from '../core/ports.ts';
import { FlowCompiler } from '../../src/fabric/flow-compiler.ts';
import type { FlowObjects } from '../../src/fabric/flow-objects.ts';
import type { LocalSwitch } from '../../src/fabric/local-switch.ts';
import { endpointMtu } from '../../src/fabric/mtu.ts';
import { tunnelsOf, type Encapsulation } from '../../src/fabric/interconnect.ts';
import { endpointKey, type EndpointKey, type View } from '../../src/fabric/view.ts';
import type { HostFacts } from '../../src/model/host.ts';
import type { SchedulerAccess, SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { Loop } from '../../src/runtime/loop.ts';
import { Scope } from '../../src/runtime/scope.ts';
import { Attachments } from './attachments.ts';
import { DnsmasqNameServer } from '../adapters/dnsmasq/name-server.ts';
import { applyRules, configureLegs } from '../adapters/netns/gateway-host.ts';
import { Batcher } from './batcher.ts';
import { Bridge } from './bridge.ts';
import { CurrentView } from './current-view.ts';
import { DrainWatch } from './drain-watch.ts';
import { PathQuestions } from './path-questions.ts';
import { SelfTest } from './self-test.ts';
import { Serials } from './serials.ts';
import { Sweeper } from './sweeper.ts';
import type { SwitchConfig, SwitchStatus, SwitchSurroundings } from './switch-config.ts';
import { FlowCounters } from './flow-counters.ts';
import { Gateways } from './gateways.ts';
import { Names } from './names.ts';
import { ViewFeed } from './view-feed.ts';

const SWEEP_EVERY_MS = 30_000;
const COUNT_EVERY_MS = 10_000;
const STATISTICS_TIMEOUT_MS = 5_000;

/**
 * The network side of the executor: one bridge of Open vSwitch, programmed from the views that the scheduler sends.
 * INVARIANTS: the view in force is the last good one; the bridge holds exactly the flows that the view and the port
 * numbers in use give; what was attached goes on when this object, the scheduler or Open vSwitch stops.
 */
export class Switch implements Fabric {
  readonly #config: SwitchConfig;
  readonly #around: SwitchSurroundings;
  readonly #scope: Scope;
  readonly #feed: ViewFeed;
  readonly #current: CurrentView;
  readonly #bridge: Bridge;
  readonly #attachments: Attachments;
  readonly #links: Batcher<LinkWish>;
  readonly #linkRemovals: Batcher<string>;
  readonly #gateways: Gateways;
  readonly #names: Names | undefined;
  readonly #drains: DrainWatch;
  readonly #questions: PathQuestions;
  readonly #counters: FlowCounters;
  readonly #selfTest: SelfTest | undefined;
  readonly #sweeper: Sweeper;
  readonly #sweeps: Loop;
  readonly #compiler = new FlowCompiler();
  #underlayIp: string;
  #serials: Serials | undefined;
  /** Another executor of this host has the switch now. */
  #handedOver = false;
  #left = false;

  constructor(config: SwitchConfig, surroundings: SwitchSurroundings) {
    this.#config = config;
    this.#around = surroundings;
    this.#underlayIp = config.underlayIp;
    const { clock, log, random } = surroundings;
    this.#scope = new Scope(log);
    this.#current = new CurrentView(config.agentId, clock);
    this.#feed = new ViewFeed({
      config,
      around: surroundings,
      onView: (view) => this.#viewChanged(view),
      onConverged: (endpoint) => this.#current.markConverged(endpoint),
      onQuestion: (question) => this.#questions.answer(question),
    });
    const limits = { maxBatch: 64, maxQueued: 4_096 };
    this.#links = new Batcher({ ...limits, what: 'the making of veths', flush: createVeths });
    this.#linkRemovals = new Batcher({ ...limits, what: 'the deletion of veths', flush: deleteVeths });
    this.#bridge = new Bridge({
      config,
      around: surroundings,
      wanted: (round) => this.#wantedFlows(round),
      tunnels: () => tunnelsOf(this.#current.view, config.agentId),
      onProblem: (problem) => this.#feed.flowsProblem(problem),
      onUp: () => this.#gateways.refresh(),
      onPorts: () => this.#attachments.watch(),
      replug: (signal) => this.#attachments.replug(signal),
    });
    this.#gateways = this.#newGateways();
    this.#names = this.#newNames();
    this.#attachments = this.#newAttachments();
    this.#questions = new PathQuestions({
      underlayIp: () => this.#underlayIp,
      local: () => this.#localSwitch(this.#bridge.round),
      trace: (flow) => traceFrame(config.ovsRunDir, config.bridge, flow),
    });
    this.#counters = this.#newCounters();
    this.#selfTest = this.#newSelfTest();
    this.#drains = new DrainWatch({
      agentId: config.agentId,
      clock,
      log,
      pidOf: (endpoint) => this.#attachments.sandboxPid(endpoint),
      onDrained: (endpoints) => this.#feed.drained(endpoints),
    });
    this.#sweeper = new Sweeper({
      find: () => this.#findVeths(),
      wanted: () => this.#attachments.veths(),
      remove: (veth) => this.#unplug(veth),
    });
    const onError = (error: unknown) => log.warn('a background task failed; it is tried again', { error });
    this.#sweeps = new Loop({ clock, random, onError, everyMs: SWEEP_EVERY_MS, round: () => this.#sweep() });
  }

  /**
   * Connects to Open vSwitch, makes the bridge and the tunnel port, puts the last good view back in force and starts
   * to follow the scheduler's views. What an earlier run attached stays in force until cleanUp(). When it fails,
   * nothing stays open.
   * @throws PatchpanelError `unavailable` or `deadline` when Open vSwitch does not answer, `conflict` when another
   * executor is at work or the bridge is a stranger's, `external` when Open vSwitch refuses, `not-found` when no
   * device has the underlay address
   */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Closes connections and timers; attaches under way fail. The data plane goes on as it is. */
  async stop(): Promise<void> {
    this.#current.stop();
    await this.#scope.close();
  }

  /**
   * Like stop(), for good: another executor of this host has the switch from now on. What is attached goes on, and is
   * removed by the other one when its veth is gone.
   */
  async handOver(): Promise<void> {
    this.#handedOver = true;
    await this.stop();
  }

  /** Tells of a process in the namespace of what another executor attached. */
  knowSandbox(endpoint: EndpointKey, pid: number): void {
    this.#attachments.knowSandbox(endpoint, pid);
  }

  /**
   * Removes whatever earlier executors of this host left, except what is of one that lives: flows, then ports, then
   * veths. Gives what it removed.
   * @throws PatchpanelError `external`, `unavailable`, `deadline`; what is left then is swept later
   */
  async cleanUp(lives: (runId: string | undefined) => boolean): Promise<readonly EndpointKey[]> {
    const inherited = this.#attachments.inherited((runId) => !lives(runId));
    await Promise.all(inherited.map((endpoint) => this.#attachments.detach(endpoint)));
    const wanted = this.#attachments.veths();
    const strays = (await this.#findVeths()).filter((veth) => !wanted.has(veth));
    await Promise.all(strays.map((veth) => this.#unplug(veth)));
    if (inherited.length + strays.length > 0) {
      this.#around.log.info('removed what an earlier executor left', {
        endpoints: inherited.map(endpointKey),
        strays,
      });
    }
    return inherited;
  }

  /**
   * For an executor that ends in order: when no endpoint is left here, neither are the host's legs, its rules and its name
   * server, since another executor may be long in coming. Never rejects.
   */
  async leave(): Promise<void> {
    if (this.#handedOver || this.#bridge.ports().length > 0 || this.hasMachines) return;
    this.#left = true;
    await Promise.all([this.#gateways.follow(this.#gatewayWish()), this.#followNames()]);
  }

  /** Whether machines of the operator's are plugged in here, for which somebody has to follow the views. */
  get hasMachines(): boolean {
    return this.#gateways.deviceOfports.size > 0;
  }

  /** Where the leader's API is. Of those with a term the newest wins; one without is tried when that one fails. */
  setLeader(url: string, term?: number): void {
    this.#feed.setLeader(url, term);
  }

  /** How to be let in by the scheduler; say it before the address. */
  setAccess(access: SchedulerAccess): void {
    this.#feed.setAccess(access);
  }

  /**
   * The host has another address on the underlay now: the tunnels use it, and the scheduler tells it to the others.
   * @throws PatchpanelError as start(); call it again then
   */
  async moveUnderlay(ip: string): Promise<void> {
    this.#underlayIp = ip;
    await this.#bridge.moveUnderlay(ip);
    this.#gateways.refresh();
    this.#selfTest?.trigger();
    this.#feed.factsChanged(await this.#facts());
    this.#around.log.info('the tunnel endpoint has another address', { underlayIp: ip });
  }

  /** Writes all flows anew, as a difference to what the bridge has. @throws PatchpanelError as attach() */
  resync(): Promise<void> {
    return this.#bridge.resync();
  }

  status(): SwitchStatus {
    const { size: flows, resyncs, inSync } = this.#bridge.flows;
    const { found, removed } = this.#sweeper.counts;
    return {
      ready: this.#bridge.settled && inSync,
      datapath: this.#bridge.datapath,
      ovsVersion: this.#bridge.version,
      round: this.#bridge.round,
      applied: this.#feed.appliedVersion,
      schedulerUrl: this.#feed.url,
      schedulerConnected: this.#feed.connected,
      problem: this.#feed.problem,
      ports: this.#bridge.ports().length,
      flows,
      resyncs,
      straysFound: found,
      straysRemoved: removed,
    };
  }

  prepare(endpoint: EndpointKey, network: SwitchNetworkSpec): void {
    this.#attachments.prepare(endpoint, network);
  }

  attach(endpoint: EndpointKey, sandboxPid: number, signal: AbortSignal): Promise<AttachTimings> {
    return this.#attachments.attach(endpoint, sandboxPid, signal);
  }

  awaitConverged(endpoint: EndpointKey, timeoutMs: number, signal: AbortSignal): Promise<void> {
    return this.#current.converged(endpoint, timeoutMs, signal);
  }

  detach(endpoint: EndpointKey): Promise<void> {
    if (this.#handedOver) return Promise.resolve();
    return this.#attachments.detach(endpoint);
  }

  attached(): readonly EndpointKey[] {
    const endpoints = this.#bridge.ports().map((port) => port.endpoint);
    return [...new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint])).values()];
  }

  async #start(): Promise<void> {
    const { config, bridge } = { config: this.#config, bridge: this.#bridge };
    const lastView = await this.#feed.loadView();
    if (lastView !== undefined) this.#current.put(lastView);
    this.#scope.defer('bridge', () => bridge.close());
    await bridge.openRows();
    const left = bridge.ports();
    const veths = [...left.map((port) => port.veth), ...(await listVeths(config.hostKey))];
    const serials = veths.map((veth) => serialOfVeth(veth) ?? -1);
    this.#serials = new Serials(join(config.stateDir, 'port-serial'), Math.max(-1, ...serials) + 1);
    this.#attachments.adopt(left);
    this.#scope.defer('gateways', () => this.#gateways.stop());
    await this.#gateways.follow(this.#gatewayWish());
    this.#scope.defer('names', () => this.#names?.stop());
    await this.#followNames();
    await bridge.openFlows();
    this.#scope.defer('drains', () => this.#drains.stop());
    this.#scope.defer('views', () => this.#feed.stop());
    await this.#feed.start(await this.#facts(), lastView);
    this.#scope.defer('counters', () => this.#counters.stop());
    this.#counters.start();
    this.#scope.defer('self-test', () => this.#selfTest?.stop());
    this.#selfTest?.trigger();
    this.#scope.defer('sweeps', () => this.#sweeps.stop());
    this.#sweeps.trigger();
    this.#around.log.info('the switch is ready', { status: this.status() });
  }

  async #facts(): Promise<HostFacts> {
    const { agentId, executorId, hostname, dockerVersion } = this.#config;
    const underlayIp = this.#underlayIp;
    const { datapath = 'netdev', version: ovsVersion } = this.#bridge;
    const mtu = await underlayMtu(underlayIp);
    const selfTest = this.#selfTest?.result;
    return {
      agentId,
      executorId,
      hostname,
      underlayIp,
      underlayMtu: mtu,
      datapath,
      ovsVersion,
      dockerVersion,
      ...(selfTest === undefined ? {} : { selfTest }),
    };
  }

  #viewChanged(view: View): void {
    this.#current.put(view);
    this.#putInForce(view).then(
      () => {
        this.#feed.applied(view.version);
        // Only now does nothing new come to a draining endpoint.
        this.#drains.follow(view);
        this.#selfTest?.follow(view);
      },
      (error: unknown) =>
        this.#around.log.error('a view could not be put in force', { version: view.version, error }),
    );
  }

  async #putInForce(view: View): Promise<void> {
    // What fails of it is reported and tried again: the network between containers does not wait for the outside.
    await this.#gateways.follow(this.#gatewayWish());
    await Promise.all([this.#bridge.follow(view), this.#followNames()]);
  }

  #gatewayWish(): GatewayWish {
    if (this.#left) return noGateways;
    return gatewayWish(this.#current.view, this.#config.agentId, this.#config.hostname);
  }

  /** OpenFlow port of everything that is plugged in here, containers and machines. */
  #ofports(): ReadonlyMap<string, number> {
    const { deviceOfports } = this.#gateways;
    const containers = this.#attachments.ofports();
    if (deviceOfports.size === 0) return containers;
    return new Map([
      ...containers,
      ...machineOfports(this.#current.view, this.#config.agentId, deviceOfports),
    ]);
  }

  #localSwitch(round: number): LocalSwitch {
    const { peerOfports } = this.#bridge;
    return {
      agentId: this.#config.agentId,
      round,
      tunnelOfport: tunnelPort.ofport,
      gatewayOfports: this.#gateways.ofports,
      ...(peerOfports === undefined ? {} : { peerOfports }),
      ofports: this.#ofports(),
    };
  }

  #wantedFlows(round: number): FlowObjects {
    return this.#compiler.update(this.#current.view, this.#localSwitch(round));
  }

  async #sweep(): Promise<void> {
    if (!this.#bridge.settled) return;
    await this.#attachments.retryDepartures();
    const removed = await this.#sweeper.round();
    if (removed.length > 0) this.#around.log.warn('removed ports that nobody wanted', { veths: removed });
  }

  async #findVeths(): Promise<readonly string[]> {
    const devices = await listVeths(this.#config.hostKey);
    return [...new Set([...this.#bridge.ports().map((port) => port.veth), ...devices])];
  }

  async #unplug(veth: string): Promise<void> {
    await this.#bridge.removePort(veth);
    await this.#linkRemovals.add(veth);
  }

  #newGateways(): Gateways {
    const { clock, log, random } = this.#around;
    return new Gateways({
      underlayIp: () => this.#underlayIp,
      clock,
      random,
      log,
      host: {
        makePorts: (legs, devices) => this.#bridge.makeHostPorts(legs, devices),
        configure: (legs) => configureLegs(legs, this.#bridge.datapath === 'netdev'),
        applyRules,
      },
      onPorts: () =>
        void this.#bridge
          .commit()
          .catch((error: unknown) => log.warn('the flows of gateways failed', { error })),
      onProblem: (problem) => this.#feed.partProblem('legs', problem),
    });
  }

  #newCounters(): FlowCounters {
    const { clock, random, log } = this.#around;
    const { ovsRunDir, bridge } = this.#config;
    const socket = managementSocket(ovsRunDir, bridge);
    return new FlowCounters({
      clock,
      random,
      log,
      origin: randomUUID(),
      everyMs: COUNT_EVERY_MS,
      read: (look) => readStatistics(socket, STATISTICS_TIMEOUT_MS, look),
      objects: () => this.#compiler,
      listener: () => this.#feed.session,
      tell: (counters, signal) => this.#feed.tellCounters(counters, signal),
    });
  }

  #newNames(): Names | undefined {
    const { names } = this.#config;
    const { clock, log, random } = this.#around;
    if (names === undefined) return undefined;
    return new Names({
      agentId: this.#config.agentId,
      server: new DnsmasqNameServer(names),
      clock,
      random,
      log,
      onProblem: (problem) => this.#feed.partProblem('names', problem),
    });
  }

  /** Where no endpoint is, nobody asks. */
  async #followNames(): Promise<void> {
    const view = this.#current.ofScheduler;
    const asked = !this.#left && view.endpoints.some(({ host }) => host === this.#config.agentId);
    await this.#names?.follow(asked ? view : undefined);
  }

  #newSelfTest(): SelfTest | undefined {
    const program = this.#config.selfTestProgram;
    if (program === undefined) return undefined;
    const { clock, random, log } = this.#around;
    return new SelfTest({
      agentId: this.#config.agentId,
      clock,
      random,
      log,
      newSpace: () => new TestSpace(process.execPath, program),
      view: () => this.#current.view,
      mtu: async () => endpointMtu([await underlayMtu(this.#underlayIp)], this.#encapsulation()),
      arrange: async (setup) => {
        this.#current.arrange(setup);
        await this.#bridge.commit();
      },
      prepare: (endpoint, network) => this.#attachments.prepare(endpoint, network),
      attach: (endpoint, pid, signal) => this.#attachments.attach(endpoint, pid, signal),
      detach: (endpoint) => this.#attachments.detach(endpoint),
      onResult: () => void this.#tellFacts(),
    });
  }

  #encapsulation(): Encapsulation {
    return tunnelsOf(this.#current.view, this.#config.agentId)?.encapsulation ?? 'vxlan';
  }

  async #tellFacts(): Promise<void> {
    try {
      this.#feed.factsChanged(await this.#facts());
    } catch (error) {
      this.#around.log.warn('the facts of the host could not be told', { error });
    }
  }

  #newAttachments(): Attachments {
    const { clock, log, onPortLost, onInheritedLost } = this.#around;
    return new Attachments({
      owner: this.#config.hostKey,
      runId: this.#config.runId,
      clock,
      log,
      onPortLost,
      onInheritedLost,
      takeNumber: (used) => {
        if (this.#serials !== undefined) return this.#serials.take(used);
        throw new PatchpanelError('unavailable', 'the switch is not started: nothing can be prepared yet');
      },
      links: {
        create: (wish) => this.#links.add(wish),
        configure: (wish) => configureSandbox(wish, this.#bridge.datapath === 'netdev'),
      },
      ports: {
        list: () => this.#bridge.ports(),
        add: (wish, signal) => this.#bridge.addPort(wish, signal),
      },
      unplug: (veth) => this.#unplug(veth),
      commitFlows: () => this.#bridge.commit(),
      inView: (endpoint, timeoutMs, signal) => this.#current.includes(endpoint, timeoutMs, signal),
      gatewayMac: (network) => this.#current.gatewayMac(network),
    });
  }
}
