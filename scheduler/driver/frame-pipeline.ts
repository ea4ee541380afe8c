import type { ChangeResult, Event } from '../core/events.ts';
import type { Frame } from '../core/effects.ts';
import type { RecordWrite } from '../store/store.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';

export interface PipelinePorts {
  /** Decides. Called for one event at a time, in order. */
  readonly step: (event: Event) => Frame;
  readonly commit: (writes: readonly RecordWrite[]) => Promise<void>;
  /**
   * Called right after the step, while the world is as the frame left it: what the effects need of the world is read
   * here. What it returns is called, in order, once the frame is durable.
   */
  readonly prepare: (frame: Frame, event: Event) => readonly (() => void)[];
  /** Deciding or storing failed: nothing more is decided and no effect leaves. Called once. */
  readonly onFatal: (error: unknown) => void;
  /** Whether deciding is allowed at this moment; events wait meanwhile. Call `wake` when it may be again. */
  readonly mayDecide?: () => boolean;
  /** Seconds that one step took. */
  readonly observeStep?: (seconds: number) => void;
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number;
}

export interface PipelineLimits {
  /** Events that may wait to be decided; `submit` of one more waits for room. */
  readonly maxQueued: number;
  /** Frames that may wait to become durable before deciding pauses. */
  readonly maxUndurable: number;
  /** Frames share a commit until it has this many writes: stores bound what they can write at once. */
  readonly maxCommitWrites: number;
}

const defaultLimits: PipelineLimits = { maxQueued: 4096, maxUndurable: 1024, maxCommitWrites: 500 };

/** Milliseconds of deciding, or of carrying out, after which other work (HTTP, timers) gets a turn. */
const sliceMs = 10;

interface Queued {
  readonly event: Event;
  readonly stillTrue: () => boolean;
  readonly settle: Settle;
}

interface Settle {
  readonly resolve: (result: ChangeResult | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Undurable {
  readonly frame: Frame;
  readonly actions: readonly (() => void)[];
  readonly settle: Settle;
}

/**
 * The one line that every event goes through: queue → step → durable → effects → answer.
 *
 * INVARIANTS: events are stepped in the order of submit; frames become durable in that order; no effect and no
 * answer of a frame leaves before its writes are durable; effects leave in order; after a failure nothing leaves.
 * While one commit is under way further events are stepped, and their frames share the next commit.
 */
export class FramePipeline {
  readonly #ports: PipelinePorts;
  readonly #limits: PipelineLimits;
  #queue: Queued[] = [];
  #undurable: Undurable[] = [];
  #committing = 0;
  #stepping = false;
  #commitLoop: Promise<void> | undefined;
  #waitingForRoom: (() => void)[] = [];
  #closed = false;
  #failure: PatchpanelError | undefined;

  constructor(ports: PipelinePorts, limits: PipelineLimits = defaultLimits) {
    this.#ports = ports;
    this.#limits = limits;
  }

  /** Events that wait to be decided. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Frames that wait to become durable. */
  get undurable(): number {
    return this.#undurable.length + this.#committing;
  }

  /**
   * Resolves with the frame's result once the event is decided, durable and its effects have been handed out.
   * `stillTrue` is asked when the event's turn comes; one that the world has overtaken is passed over.
   * @throws PatchpanelError `unavailable` when the pipeline was closed or has failed
   */
  submit(event: Event, stillTrue: () => boolean = () => true): Promise<ChangeResult | undefined> {
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ event, stillTrue, settle: { resolve, reject } });
      this.#scheduleSteps();
    });
  }

  /** Resolves when fewer than `maxQueued` events wait: sources with their own flow control wait for it. */
  room(): Promise<void> {
    if (this.#queue.length < this.#limits.maxQueued || this.#refusal() !== undefined)
      return Promise.resolve();
    return new Promise((resolve) => this.#waitingForRoom.push(resolve));
  }

  /** True when a source without flow control must be refused. */
  get full(): boolean {
    return this.#queue.length >= this.#limits.maxQueued;
  }

  /** Goes on with what waits, where deciding was not allowed. */
  wake(): void {
    if (this.#queue.length > 0) this.#scheduleSteps();
  }

  /** Decides nothing more, and resolves when the frames decided so far are durable and their effects are out. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#rejectQueued(closedError());
    await this.#commitLoop;
  }

  #refusal(): PatchpanelError | undefined {
    return this.#failure ?? (this.#closed ? closedError() : undefined);
  }

  #scheduleSteps(): void {
    if (this.#stepping) return;
    this.#stepping = true;
    setImmediate(() => this.#steps());
  }

  #steps(): void {
    this.#stepping = false;
    const started = this.#ports.monotonicMs();
    let done = 0;
    while (done < this.#queue.length && this.#mayStep() && this.#ports.monotonicMs() - started < sliceMs) {
      this.#stepOne(this.#queue[done]!);
      done += 1;
    }
    this.#queue.splice(0, done);
    this.#releaseRoom();
    if (this.#queue.length > 0 && this.#mayStep()) this.#scheduleSteps();
  }

  #mayStep(): boolean {
    const { mayDecide } = this.#ports;
    return (
      this.#refusal() === undefined &&
      this.undurable < this.#limits.maxUndurable &&
      (mayDecide === undefined || mayDecide())
    );
  }

  #stepOne(queued: Queued): void {
    const started = this.#ports.monotonicMs();
    try {
      if (!queued.stillTrue()) {
        queued.settle.resolve(undefined);
        return;
      }
      const frame = this.#ports.step(queued.event);
      const actions = this.#ports.prepare(frame, queued.event);
      this.#undurable.push({ frame, actions, settle: queued.settle });
    } catch (error) {
      queued.settle.reject(error);
      this.#fail(error);
      return;
    }
    this.#ports.observeStep?.((this.#ports.monotonicMs() - started) / 1000);
    this.#commitLoop ??= this.#commitAll();
  }

  async #commitAll(): Promise<void> {
    // Let the steps of this turn end first, so that they share one commit.
    await Promise.resolve();
    while (this.#undurable.length > 0 && this.#failure === undefined) {
      const group = this.#nextCommit();
      this.#committing = group.length;
      try {
        const writes = group.flatMap(({ frame }) => frame.writes);
        if (writes.length > 0) await this.#ports.commit(writes);
        await this.#carryOut(group);
      } catch (error) {
        this.#rejectGroup(group, error);
        this.#fail(error);
      }
      this.#committing = 0;
      if (this.#queue.length > 0) this.#scheduleSteps();
    }
    this.#commitLoop = undefined;
  }

  /** Takes the frames that are made durable together, one at least. */
  #nextCommit(): readonly Undurable[] {
    let writes = 0;
    let frames = 0;
    do {
      writes += this.#undurable[frames]!.frame.writes.length;
      frames += 1;
    } while (frames < this.#undurable.length && writes < this.#limits.maxCommitWrites);
    return this.#undurable.splice(0, frames);
  }

  /** In slices: what keeps sessions alive and answers requests gets its turn also while thousands of tasks are launched. */
  async #carryOut(group: readonly Undurable[]): Promise<void> {
    let started = this.#ports.monotonicMs();
    for (const { actions, frame, settle } of group) {
      for (const action of actions) {
        if (this.#ports.monotonicMs() - started >= sliceMs) {
          await turnOfOthers();
          started = this.#ports.monotonicMs();
        }
        // Deciding may have failed meanwhile.
        if (this.#failure !== undefined) break;
        action();
      }
      if (this.#failure === undefined) settle.resolve(frame.result);
      else settle.reject(this.#failure);
    }
  }

  #fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = new PatchpanelError('unavailable', 'the scheduler has stopped deciding after a failure', {
      cause: error,
      retryable: true,
    });
    this.#rejectGroup(this.#undurable.splice(0), this.#failure);
    this.#rejectQueued(this.#failure);
    this.#ports.onFatal(error);
  }

  #rejectGroup(group: readonly Undurable[], error: unknown): void {
    for (const { settle } of group) settle.reject(error);
  }

  #rejectQueued(error: PatchpanelError): void {
    // The steps under way may still hold indexes into the queue: it is replaced, not emptied.
    const queue = this.#queue;
    this.#queue = [];
    for (const { settle } of queue) settle.reject(error);
    this.#releaseRoom();
  }

  #releaseRoom(): void {
    if (this.#queue.length >= this.#limits.maxQueued) return;
    const waiting = this.#waitingForRoom;
    this.#waitingForRoom = [];
    for (const resolve of waiting) resolve();
  }
}

const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function closedError(): PatchpanelError {
  return new PatchpanelError('unavailable', 'the scheduler is stopping', { retryable: true });
}
