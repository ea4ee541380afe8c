import type { HostCounters } from '../../../src/fabric/counters.ts';
import type { HostAnswer, HostQuestion } from '../../../src/fabric/path/question.ts';
import { recordFromWire, type HostReport } from '../../../src/fabric/view-wire.ts';
import type { EndpointKey, View, ViewVersion } from '../../../src/fabric/view.ts';
import { ViewChecker } from '../../../src/fabric/view-checker.ts';
import { RecordDecoder } from '../../../src/mesos/recordio.ts';
import type { HostFacts } from '../../../src/model/host.ts';
import type { SchedulerAccess } from '../../../src/model/task-spec.ts';
import { backoffMs } from '../../../src/runtime/backoff.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { Loop } from '../../../src/runtime/loop.ts';
import { leaderCandidates, learnLeader, type LeaderKnowledge } from '../../core/fabric/leader.ts';
import {
  followView,
  haveVersion,
  restartStream,
  type FollowedView,
} from '../../core/fabric/view-follower.ts';
import { SchedulerHttp } from './scheduler-http.ts';
import { viewCodec } from './view-codec.ts';

/** Heartbeats come every 5 s: after this long without any record the stream is dead. */
const SILENCE_MS = 20_000;
const reconnectBackoff = { baseMs: 200, maxMs: 5_000, factor: 2 };

export interface ViewClientOptions {
  readonly facts: HostFacts;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly leader: LeaderKnowledge;
  /** Overrides everything that is learned about the leader. */
  readonly fixedUrl: string | undefined;
  /** How to be let in, as of now; undefined while no task has told. */
  readonly access: () => SchedulerAccess | undefined;
  /** The last good view of an earlier run. */
  readonly lastView: View | undefined;
  /** A view that validateView accepts; called in order. */
  readonly onView: (view: View) => void;
  readonly onConverged: (endpoint: EndpointKey) => void;
  /** The scheduler wants to know something; never rejects. */
  readonly onQuestion: (question: HostQuestion) => Promise<HostAnswer>;
  /** A view was refused (text) or is fine again (undefined). */
  readonly onRefused: (problem: string | undefined) => void;
  readonly onLeader: (leader: LeaderKnowledge) => void;
}

/**
 * Follows the scheduler's views, whichever scheduler leads, and tells it what is in force here.
 * INVARIANTS: at most one stream is open; the good view is never replaced by one of an earlier term or by one that
 * does not validate; reports are sent one at a time and only the newest state of things is sent.
 */
export class ViewClient {
  readonly #options: ViewClientOptions;
  readonly #reports: Loop;
  readonly #checker = new ViewChecker();
  #leader: LeaderKnowledge;
  #facts: HostFacts;
  /** The facts that the scheduler of this session knows. */
  #factsTold: HostFacts | undefined;
  #followed: FollowedView;
  #session:
    { readonly url: string; readonly http: SchedulerHttp; readonly abort: AbortController } | undefined;
  #connected = false;
  /** Of the stream that is open or was the last one. */
  #records = 0;
  #applied: ViewVersion | undefined;
  #problem: string | undefined;
  #drained: readonly EndpointKey[] = [];
  /** What the scheduler of this session knows already. */
  #lastReport = '';
  #stopped = false;
  #running: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: ViewClientOptions) {
    this.#options = options;
    this.#facts = options.facts;
    this.#leader = options.leader;
    this.#followed = { good: options.lastView, received: options.lastView };
    this.#reports = new Loop({
      clock: options.clock,
      random: options.random,
      round: (signal) => this.#sendReport(signal),
      onError: (error, attempt) => {
        if (attempt === 1) options.log.warn('the scheduler did not take a report', { error });
      },
    });
  }

  get url(): string | undefined {
    return this.#session?.url ?? this.#urls()[0];
  }

  /** Whether a stream is open and alive. */
  get connected(): boolean {
    return this.#connected;
  }

  /** The stream that is open, if one is; another object for each. */
  get session(): object | undefined {
    return this.#connected ? this.#session : undefined;
  }

  /** Tells the scheduler what was counted; false when none is connected. @throws PatchpanelError `unavailable` */
  async tellCounters(counters: HostCounters, signal: AbortSignal): Promise<boolean> {
    const session = this.#session;
    if (session === undefined || !this.#connected) return false;
    await session.http.tellCounters(counters, AbortSignal.any([signal, session.abort.signal]));
    return true;
  }

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#session?.abort.abort();
    this.#wake?.();
    await this.#running;
    await this.#reports.stop();
  }

  /**
   * Where the leader is; a newer term makes the client move there at once. While no stream is open every call makes
   * it try again at once: somebody has just heard of a scheduler.
   */
  setLeader(url: string, term?: number): void {
    const before = this.#leader;
    this.#leader = learnLeader(before, url, term);
    if (JSON.stringify(before) !== JSON.stringify(this.#leader)) this.#options.onLeader(this.#leader);
    const [best] = this.#urls();
    const moved = term !== undefined && this.#session !== undefined && this.#session.url !== best;
    if (moved) this.#session?.abort.abort();
    this.#wake?.();
  }

  /**
   * Tells the scheduler which version is in force, what is wrong, if anything, and which draining endpoints nobody is
   * connected to; soon, newest state only.
   */
  report(
    applied: ViewVersion | undefined,
    problem: string | undefined,
    drained: readonly EndpointKey[] = [],
  ): void {
    this.#applied = applied;
    this.#problem = problem;
    this.#drained = drained;
    if (this.#connected) this.#reports.trigger();
  }

  /** The host is not quite what it was: the scheduler is told with the next report, which is due now. */
  factsChanged(facts: HostFacts): void {
    this.#facts = facts;
    if (this.#connected) this.#reports.trigger();
  }

  #urls(): readonly string[] {
    const { fixedUrl } = this.#options;
    return fixedUrl === undefined ? leaderCandidates(this.#leader) : [fixedUrl.replace(/\/+$/, '')];
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#stopped; attempt += 1) {
      for (const url of this.#urls()) {
        if (this.#stopped) return;
        const lived = await this.#follow(url, attempt);
        if (lived) attempt = 0;
      }
      await this.#pause(attempt);
    }
  }

  /** Waits for the next attempt: a while, until something new is known, or for good when no address is known. */
  #pause(attempt: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    const { clock, random } = this.#options;
    return new Promise((resolve) => {
      const delayMs = backoffMs(reconnectBackoff, attempt, random);
      const cancel = this.#urls().length === 0 ? () => {} : clock.after(delayMs, () => this.#wake?.());
      this.#wake = () => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** One stream from its beginning to its end; true when at least one record came. */
  async #follow(url: string, attempt: number): Promise<boolean> {
    const { log } = this.#options;
    const facts = this.#facts;
    const abort = new AbortController();
    const http = new SchedulerHttp(url, facts.agentId, this.#options.access());
    this.#session = { url, http, abort };
    this.#records = 0;
    try {
      const first = this.#reportNow();
      await http.report({ ...first, facts }, abort.signal);
      this.#lastReport = JSON.stringify(first);
      this.#factsTold = facts;
      this.#followed = restartStream(this.#followed);
      const stream = await http.openView(haveVersion(this.#followed), abort.signal);
      this.#connected = true;
      log.info('following the views of the scheduler', { url });
      this.#reports.trigger();
      await this.#read(stream, url, abort);
    } catch (error) {
      const location = error instanceof PatchpanelError ? error.context['location'] : undefined;
      if (typeof location === 'string') this.#leader = learnLeader(this.#leader, location, undefined);
      if (!this.#stopped && (attempt === 0 || this.#connected)) {
        log.warn('no view from the scheduler', { url, error: messageOf(error) });
      }
    }
    this.#connected = false;
    this.#session = undefined;
    abort.abort();
    return this.#records > 0;
  }

  async #read(stream: AsyncIterable<Uint8Array>, url: string, abort: AbortController): Promise<void> {
    const { clock } = this.#options;
    const decoder = new RecordDecoder();
    let cancelWatchdog = () => {};
    const watch = () => {
      cancelWatchdog();
      cancelWatchdog = clock.after(SILENCE_MS, () => abort.abort(new Error(`silent for ${SILENCE_MS} ms`)));
    };
    try {
      watch();
      for await (const chunk of stream) {
        watch();
        for (const bytes of decoder.push(chunk)) this.#receive(bytes, url);
      }
      throw new PatchpanelError('unavailable', 'the scheduler ended the stream');
    } finally {
      cancelWatchdog();
    }
  }

  #receive(bytes: Uint8Array, url: string): void {
    const { log, onView, onConverged, onRefused } = this.#options;
    this.#records += 1;
    const record = recordFromWire(viewCodec.decode('ViewRecord', bytes, 'protobuf'));
    if (record.kind === 'question') void this.#answer(record.question);
    const [followed, step] = followView(this.#followed, record, (view) => this.#checker.check(view));
    this.#followed = followed;
    switch (step.kind) {
      case 'nothing':
        return;
      case 'converged':
        return onConverged(step.endpoint);
      case 'view':
        this.#proven(url, step.view.version.term);
        onRefused(undefined);
        return onView(step.view);
      case 'refused':
        log.error('a view was refused; the last good one stays in force', { url, problem: step.problem });
        return onRefused(step.problem);
      case 'broken':
        // A stream that lost us begins again from nothing; one of an earlier term is left for the known leader.
        if (!step.otherLeader) this.#followed = { ...followed, received: undefined };
        throw new PatchpanelError('protocol', step.problem);
    }
  }

  /** Whoever asked has a deadline and can ask again: an answer is sent once. */
  async #answer(question: HostQuestion): Promise<void> {
    const session = this.#session;
    try {
      const answer = await this.#options.onQuestion(question);
      await session?.http.answer(answer, session.abort.signal);
    } catch (error) {
      this.#options.log.debug('an answer did not reach the scheduler', { error });
    }
  }

  /** A view of this term came from there, so that is where the leader is. */
  #proven(url: string, term: number): void {
    const { elected } = this.#leader;
    if (elected?.url === url && elected.term === term) return;
    this.#leader = learnLeader(this.#leader, url, term);
    this.#options.onLeader(this.#leader);
  }

  async #sendReport(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    const report = this.#reportNow();
    const facts = this.#facts;
    const text = JSON.stringify(report);
    const told = facts === this.#factsTold;
    if (session === undefined || !this.#connected || (told && text === this.#lastReport)) return;
    await session.http.report(
      { ...report, ...(told ? {} : { facts }) },
      AbortSignal.any([signal, session.abort.signal]),
    );
    // Another session may have begun meanwhile, whose scheduler was not told this.
    if (session !== this.#session) return;
    this.#lastReport = text;
    this.#factsTold = facts;
  }

  #reportNow(): HostReport {
    return {
      ...(this.#applied === undefined ? {} : { applied: this.#applied }),
      ...(this.#problem === undefined ? {} : { problem: this.#problem }),
      ...(this.#drained.length === 0 ? {} : { drained: this.#drained }),
    };
  }
}
