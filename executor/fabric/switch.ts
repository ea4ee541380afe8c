import { join } from 'node:path';
import { listVeths } from '../adapters/netns/veth.ts';
import { traceFrame } from '../adapters/openflow/trace.ts';
import { serialOfVeth } from '../core/fabric/numbers.ts';
import type { AttachTimings, Fabric } from '../core/ports.ts';
import { tunnelsOf } from '../../src/fabric/interconnect.ts';
import { endpointKey, type EndpointKey, type View } from '../../src/fabric/view.ts';
import type { HostFacts } from '../../src/model/host.ts';
import type { SchedulerAccess, SwitchNetworkSpec } from '../../src/model/task-spec.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { Scope } from '../../src/runtime/scope.ts';
import type { Attachments } from './attachments.ts';
import { Bridge } from './bridge.ts';
import { CurrentView } from './current-view.ts';
import { DrainWatch } from './drain-watch.ts';
import type { FlowCounters } from './flow-counters.ts';
import { Leftovers } from './leftovers.ts';
import { PathQuestions } from './path-questions.ts';
import type { SelfTest } from './self-test.ts';
import { Serials } from './serials.ts';
import type { SwitchConfig, SwitchStatus, SwitchSurroundings } from './switch-config.ts';
import { hostFacts, newAttachments, newCounters, newSelfTest, type SwitchPlace } from './switch-parts.ts';
import { ViewEnforcer } from './view-enforcer.ts';
import { ViewFeed } from './view-feed.ts';
import { ViewFollower } from './view-follower.ts';

/**
 * The network side of the executor: one bridge of Open vSwitch, programmed from the views that the scheduler sends.
 * INVARIANTS: the view in force is the last good one; the bridge holds exactly the flows that the view and the port
 * numbers in use give; what was attached goes on when this object, the scheduler or Open vSwitch stops.
 */
export class Switch implements Fabric {
  readonly #place: SwitchPlace;
  readonly #scope: Scope;
  readonly #feed: ViewFeed;
  readonly #current: CurrentView;
  readonly #bridge: Bridge;
  readonly #enforcer: ViewEnforcer;
  readonly #follower: ViewFollower;
  readonly #attachments: Attachments;
  readonly #drains: DrainWatch;
  readonly #questions: PathQuestions;
  readonly #counters: FlowCounters;
  readonly #selfTest: SelfTest | undefined;
  readonly #leftovers: Leftovers;
  #underlayIp: string;
  #serials: Serials | undefined;
  /** Another executor of this host has the switch now. */
  #handedOver = false;

  constructor(config: SwitchConfig, around: SwitchSurroundings) {
    this.#underlayIp = config.underlayIp;
    const { clock, random, log } = around;
    this.#scope = new Scope(log);
    this.#current = new CurrentView(config.agentId, clock);
    this.#feed = new ViewFeed({
      config,
      around,
      onView: (view) => this.#viewChanged(view),
      onConverged: (endpoint) => this.#current.markConverged(endpoint),
      onQuestion: (question) => this.#questions.answer(question),
    });
    this.#bridge = new Bridge({
      config,
      around,
      wanted: (round) => this.#enforcer.wantedFlows(round),
      tunnels: () => tunnelsOf(this.#current.view, config.agentId),
      onProblem: (problem) => this.#feed.flowsProblem(problem),
      onUp: () => void this.#enforcer.refreshLegs(),
      onPorts: () => this.#attachments.watch(),
      replug: (signal) => this.#attachments.replug(signal),
    });
    this.#place = { config, around, current: this.#current, bridge: this.#bridge };
    this.#leftovers = new Leftovers({
      owner: config.hostKey,
      around,
      bridge: this.#bridge,
      attachments: () => this.#attachments,
    });
    this.#attachments = newAttachments(this.#place, {
      takeNumber: (used) => this.#takeNumber(used),
      unplug: (veth) => this.#leftovers.unplug(veth),
    });
    this.#enforcer = new ViewEnforcer({
      ...this.#place,
      underlayIp: () => this.#underlayIp,
      containerOfports: () => this.#attachments.ofports(),
      onProblem: (part, problem) => this.#feed.partProblem(part, problem),
    });
    this.#follower = new ViewFollower({
      clock,
      random,
      log,
      enforce: (view) => this.#enforcer.follow(view),
      onInForce: (view) => this.#viewInForce(view),
    });
    this.#questions = new PathQuestions({
      underlayIp: () => this.#underlayIp,
      local: () => this.#enforcer.localSwitch(this.#bridge.round),
      trace: (flow) => traceFrame(config.ovsRunDir, config.bridge, flow),
    });
    this.#counters = newCounters(this.#place, {
      objects: () => this.#enforcer.objects,
      listener: () => this.#feed.session,
      tell: (counters, signal) => this.#feed.tellCounters(counters, signal),
    });
    const underlayIp = () => this.#underlayIp;
    this.#selfTest = newSelfTest(this.#place, this.#attachments, underlayIp, () => void this.#tellFacts());
    this.#drains = new DrainWatch({
      agentId: config.agentId,
      clock,
      log,
      pidOf: (endpoint) => this.#attachments.sandboxPid(endpoint),
      onDrained: (endpoints) => this.#feed.drained(endpoints),
    });
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
  cleanUp(lives: (runId: string | undefined) => boolean): Promise<readonly EndpointKey[]> {
    return this.#leftovers.cleanUp(lives);
  }

  /**
   * For an executor that ends in order: when no endpoint is left here, neither are the host's legs, its rules and its name
   * server, since another executor may be long in coming. Never rejects.
   */
  async leave(): Promise<void> {
    if (this.#handedOver || this.#bridge.ports().length > 0 || this.hasMachines) return;
    await this.#enforcer.leave();
  }

  /** Whether machines of the operator's are plugged in here, for which somebody has to follow the views. */
  get hasMachines(): boolean {
    return this.#enforcer.hasMachines;
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
    await this.#enforcer.refreshLegs();
    this.#selfTest?.trigger();
    this.#feed.factsChanged(await this.#facts());
    this.#place.around.log.info('the tunnel endpoint has another address', { underlayIp: ip });
  }

  /** Writes all flows anew, as a difference to what the bridge has. @throws PatchpanelError as attach() */
  resync(): Promise<void> {
    return this.#bridge.resync();
  }

  status(): SwitchStatus {
    const { size: flows, resyncs, inSync } = this.#bridge.flows;
    const { found, removed } = this.#leftovers.counts;
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
    const { config, around, bridge } = this.#place;
    const lastView = await this.#feed.loadView();
    if (lastView !== undefined) this.#current.put(lastView);
    this.#scope.defer('bridge', () => bridge.close());
    await bridge.openRows();
    const left = bridge.ports();
    const veths = [...left.map((port) => port.veth), ...(await listVeths(config.hostKey))];
    const serials = veths.map((veth) => serialOfVeth(veth) ?? -1);
    this.#serials = new Serials(join(config.stateDir, 'port-serial'), Math.max(-1, ...serials) + 1);
    this.#attachments.adopt(left);
    this.#scope.defer('legs and names', () => this.#enforcer.stop());
    await this.#enforcer.followLegsAndNames();
    await bridge.openFlows();
    this.#scope.defer('drains', () => this.#drains.stop());
    this.#scope.defer('following of views', () => this.#follower.stop());
    this.#scope.defer('views', () => this.#feed.stop());
    await this.#feed.start(await this.#facts(), lastView);
    this.#scope.defer('counters', () => this.#counters.stop());
    this.#counters.start();
    this.#scope.defer('self-test', () => this.#selfTest?.stop());
    this.#selfTest?.trigger();
    this.#scope.defer('sweeps', () => this.#leftovers.stop());
    this.#leftovers.start();
    around.log.info('the switch is ready', { status: this.status() });
  }

  #facts(): Promise<HostFacts> {
    return hostFacts(this.#place, this.#underlayIp, this.#selfTest);
  }

  async #tellFacts(): Promise<void> {
    try {
      this.#feed.factsChanged(await this.#facts());
    } catch (error) {
      this.#place.around.log.warn('the facts of the host could not be told', { error });
    }
  }

  #viewChanged(view: View): void {
    this.#current.put(view);
    this.#follower.follow(view);
  }

  #viewInForce(view: View): void {
    this.#feed.applied(view.version);
    // Only now does nothing new come to a draining endpoint.
    this.#drains.follow(view);
    this.#selfTest?.follow(view);
  }

  #takeNumber(used: ReadonlySet<number>): { readonly ofport: number; readonly veth: string } {
    if (this.#serials !== undefined) return this.#serials.take(used);
    throw new PatchpanelError('unavailable', 'the switch is not started: nothing can be prepared yet');
  }
}
