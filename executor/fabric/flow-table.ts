import type { FlowObjects } from '../../src/fabric/flow-objects.ts';
import { isEmptyDiff, type Flow, type FlowDiff } from '../../src/fabric/flow.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { messageOf, PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** Attempts after which callers are told; the loop goes on trying. */
const ATTEMPTS_FOR_CALLERS = 3;
const MAX_WAITING = 16_384;
const retryBackoff = { baseMs: 20, maxMs: 5_000, factor: 2 };

/** Changes flows on a switch, as FlowProgrammer does. */
export interface FlowSink {
  replaceAll(flows: readonly Flow[]): Promise<void>;
  apply(diff: FlowDiff): Promise<void>;
}

export interface FlowTableOptions {
  readonly sink: FlowSink;
  /** Makes what the flows rely on, before each bundle of them; cheap when it is there. */
  readonly prepare?: () => Promise<void>;
  /** The flows that shall be in force now. */
  readonly wanted: () => FlowObjects;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Why the wanted flows are not in force; undefined when they are again. */
  readonly onProblem: (problem: string | undefined) => void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Keeps the flows of one switch as they are wanted.
 * INVARIANTS: one bundle at a time; `#inForce` is what the switch holds, or undefined when that is not sure, and then
 * the next bundle replaces everything; a commit resolves only after a bundle that was made after it was asked for.
 */
export class FlowTable {
  readonly #options: FlowTableOptions;
  readonly #loop: Loop;
  #inForce: FlowObjects | undefined;
  #flows = 0;
  #waiters: Waiter[] = [];
  #attempts = 0;
  /** Grows when the switch forgets its flows: a bundle that was under way then says nothing. */
  #generation = 0;
  #reachable = false;
  #resyncs = 0;

  constructor(options: FlowTableOptions) {
    this.#options = options;
    const { clock, random } = options;
    this.#loop = new Loop({
      clock,
      random,
      backoff: retryBackoff,
      round: () => this.#round(),
      onError: (error, attempt) => this.#failed(error, attempt),
    });
  }

  /** Flows in force at the last commit. */
  get size(): number {
    return this.#flows;
  }

  /** Full replacements so far. */
  get resyncs(): number {
    return this.#resyncs;
  }

  get inSync(): boolean {
    return this.#reachable && this.#inForce !== undefined;
  }

  /** The switch answers and holds nothing that we rely on: everything is written anew. */
  switchUp(): void {
    this.#reachable = true;
    this.#forget();
    this.#loop.trigger();
  }

  /** The switch does not answer: commits wait until it does. */
  switchDown(): void {
    this.#reachable = false;
    this.#forget();
  }

  /** Writes everything anew; what is the same keeps its counters. */
  resync(): Promise<void> {
    this.#forget();
    return this.commit();
  }

  /**
   * Resolves when everything that is wanted now is in force. Calls of the same moment share a bundle.
   * @throws PatchpanelError `external` when the switch refuses the flows, `unavailable` when too many wait, `aborted`
   * by stop()
   */
  commit(): Promise<void> {
    if (this.#waiters.length >= MAX_WAITING) {
      return Promise.reject(new PatchpanelError('unavailable', 'too many changes wait for Open vSwitch'));
    }
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#loop.trigger();
    });
  }

  /** Ends; commits that wait are rejected. The switch keeps its flows. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    const waiters = this.#take();
    for (const waiter of waiters) waiter.reject(new PatchpanelError('aborted', 'the executor stops'));
  }

  async #round(): Promise<void> {
    // Everybody who asks in this turn of the event loop gets the same bundle.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#reachable) return;
    const waiters = this.#take();
    const generation = this.#generation;
    try {
      await this.#options.prepare?.();
      const wanted = this.#options.wanted();
      await this.#write(wanted);
      if (generation !== this.#generation)
        throw new PatchpanelError('unavailable', 'Open vSwitch restarted meanwhile');
      this.#inForce = wanted;
      this.#attempts = 0;
      this.#options.onProblem(undefined);
      for (const waiter of waiters) waiter.resolve();
    } catch (error) {
      this.#inForce = undefined;
      this.#attempts += 1;
      if (this.#attempts >= ATTEMPTS_FOR_CALLERS) for (const waiter of waiters) waiter.reject(error);
      else this.#waiters.unshift(...waiters);
      throw error;
    }
  }

  async #write(wanted: FlowObjects): Promise<void> {
    const { sink } = this.#options;
    if (this.#inForce === undefined) {
      const flows = wanted.all();
      await sink.replaceAll(flows);
      this.#resyncs += 1;
      this.#flows = flows.length;
      return;
    }
    const diff = this.#inForce.diff(wanted);
    if (isEmptyDiff(diff)) return;
    await sink.apply(diff);
    this.#flows += diff.add.length - diff.remove.length;
  }

  #failed(error: unknown, attempt: number): void {
    if (!this.#reachable) return;
    this.#options.onProblem(`flows are not in force: ${messageOf(error)}`);
    if (attempt === 1 || attempt === ATTEMPTS_FOR_CALLERS) {
      this.#options.log.warn('flows could not be written', { attempt, error });
    }
  }

  #forget(): void {
    this.#generation += 1;
    this.#inForce = undefined;
  }

  #take(): Waiter[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }
}
