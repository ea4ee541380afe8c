import { StateFiles } from '../adapters/views/state-files.ts';
import { ViewClient } from '../adapters/views/view-client.ts';
import { learnLeader, type LeaderKnowledge } from '../core/fabric/leader.ts';
import { compareVersions } from '../../src/fabric/view-diff.ts';
import type { HostCounters } from '../../src/fabric/counters.ts';
import type { HostAnswer, HostQuestion } from '../../src/fabric/path/question.ts';
import type { EndpointKey, View, ViewVersion } from '../../src/fabric/view.ts';
import type { HostFacts } from '../../src/model/host.ts';
import type { SchedulerAccess } from '../../src/model/task-spec.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { Scope } from '../../src/runtime/scope.ts';
import type { SwitchConfig, SwitchSurroundings } from './switch-config.ts';
import { ViewKeeper } from './view-keeper.ts';

/** What may fail without the network between containers: the legs of the host with their rules, names. */
export type HostPart = 'legs' | 'names';

export interface ViewFeedOptions {
  readonly config: SwitchConfig;
  readonly around: SwitchSurroundings;
  /** A good view came; acknowledge it with applied() when it is in force. */
  readonly onView: (view: View) => void;
  readonly onConverged: (endpoint: EndpointKey) => void;
  readonly onQuestion: (question: HostQuestion) => Promise<HostAnswer>;
}

/**
 * Views from the scheduler, kept on disk, and what is said to it in return.
 * INVARIANT: the scheduler is told the newest version in force and the present problem, if there is one.
 */
export class ViewFeed {
  readonly #options: ViewFeedOptions;
  readonly #files: StateFiles;
  readonly #scope: Scope;
  readonly #keeper: ViewKeeper;
  #client: ViewClient | undefined;
  /** What setLeader() told before start(). */
  #early: LeaderKnowledge = {};
  #access: SchedulerAccess | undefined;
  #applied: ViewVersion | undefined;
  #viewProblem: string | undefined;
  #flowsProblem: string | undefined;
  readonly #partProblems = new Map<HostPart, string>();
  #drained: readonly EndpointKey[] = [];

  constructor(options: ViewFeedOptions) {
    this.#options = options;
    const { config, around } = options;
    const { clock, random, log } = around;
    this.#files = new StateFiles(config.stateDir, originOf(config), log);
    this.#scope = new Scope(log);
    this.#keeper = new ViewKeeper({ clock, random, log, save: (view) => this.#files.saveView(view) });
  }

  get appliedVersion(): ViewVersion | undefined {
    return this.#applied;
  }

  get url(): string | undefined {
    return this.#client?.url;
  }

  get connected(): boolean {
    return this.#client?.connected ?? false;
  }

  get problem(): string | undefined {
    const [part] = this.#partProblems.values();
    return this.#viewProblem ?? this.#flowsProblem ?? part;
  }

  /** The last good view of an earlier run. */
  loadView(): Promise<View | undefined> {
    return this.#files.loadView();
  }

  /** Begins to follow the scheduler; `lastView` is in force already. */
  async start(facts: HostFacts, lastView: View | undefined): Promise<void> {
    const { around, config, onConverged, onQuestion } = this.#options;
    const { clock, random, log } = around;
    const client = new ViewClient({
      facts,
      clock,
      random,
      log,
      leader: await this.#firstLeader(),
      fixedUrl: config.schedulerUrl,
      access: () => this.#access,
      lastView,
      onView: (view) => this.#received(view),
      onConverged,
      onQuestion,
      onRefused: (problem) => this.#problemChanged(problem, this.#flowsProblem),
      onLeader: (leader) => this.#saveLeader(leader),
    });
    this.#client = client;
    this.#applied = lastView?.version;
    this.#report();
    this.#scope.defer('view file', () => this.#keeper.stop());
    this.#scope.defer('view client', () => client.stop());
    client.start();
  }

  async stop(): Promise<void> {
    await this.#scope.close();
  }

  setLeader(url: string, term: number | undefined): void {
    if (this.#client === undefined) this.#early = learnLeader(this.#early, url, term);
    else this.#client.setLeader(url, term);
  }

  /** For the connections from now on. */
  setAccess(access: SchedulerAccess): void {
    this.#access = access;
  }

  /** The stream that is open, if one is; another object for each. */
  get session(): object | undefined {
    return this.#client?.session;
  }

  /** See ViewClient.tellCounters. */
  async tellCounters(counters: HostCounters, signal: AbortSignal): Promise<boolean> {
    return (await this.#client?.tellCounters(counters, signal)) ?? false;
  }

  /** This version is in force here. One that is told later than a newer one is no news. */
  applied(version: ViewVersion): void {
    if (this.#applied !== undefined && compareVersions(version, this.#applied) < 0) return;
    this.#applied = version;
    this.#report();
  }

  /** The host is not quite what start() was told. */
  factsChanged(facts: HostFacts): void {
    this.#client?.factsChanged(facts);
  }

  /** The draining endpoints of this host that nobody is connected to any more. */
  drained(endpoints: readonly EndpointKey[]): void {
    this.#drained = endpoints;
    this.#report();
  }

  /** Why the wanted flows are not in force; undefined when they are again. */
  flowsProblem(problem: string | undefined): void {
    this.#problemChanged(this.#viewProblem, problem);
  }

  /** Why a part of the host beside the flows is not in force; undefined when it is again. */
  partProblem(part: HostPart, problem: string | undefined): void {
    const before = this.problem;
    if (problem === undefined) this.#partProblems.delete(part);
    else this.#partProblems.set(part, problem);
    if (before !== this.problem) this.#report();
  }

  async #firstLeader(): Promise<LeaderKnowledge> {
    const { elected, hint } = this.#early;
    let leader = await this.#files.loadLeader();
    if (elected !== undefined) leader = learnLeader(leader, elected.url, elected.term);
    if (hint !== undefined) leader = learnLeader(leader, hint, undefined);
    return leader;
  }

  #received(view: View): void {
    // What hosts wait for comes first.
    this.#options.onView(view);
    this.#keeper.keep(view);
  }

  #saveLeader(leader: LeaderKnowledge): void {
    this.#files.saveLeader(leader).catch((error: unknown) => {
      this.#options.around.log.warn('the address of the leader could not be kept', {
        error: messageOf(error),
      });
    });
  }

  #problemChanged(view: string | undefined, flows: string | undefined): void {
    const before = this.problem;
    this.#viewProblem = view;
    this.#flowsProblem = flows;
    if (before !== this.problem) this.#report();
  }

  #report(): void {
    this.#client?.report(this.#applied, this.problem, this.#drained);
  }
}

/** Whose state it is that the state directory holds: this agent's, of this framework. */
const originOf = ({ agentId, frameworkId }: SwitchConfig) => `${frameworkId ?? 'any'}/${agentId}`;
