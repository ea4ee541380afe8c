import type { Clock } from '../../src/runtime/clock.ts';
import { codeOf, messageOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { stepRunners, type StepContext, type StepTools } from '../apply.ts';
import type { DesiredTask } from '../core/tasks/desired.ts';
import { nextWake, plan, type Step } from '../core/tasks/plan.ts';
import { reduce, type TaskEvent } from '../core/tasks/events.ts';
import {
  isEnding,
  isGone,
  newRecord,
  type Failure,
  type StepKind,
  type TaskRecord,
} from '../core/tasks/record.ts';
import type { Prober } from '../core/tasks/probing.ts';
import type { OutputCopier } from './output-copier.ts';
import { TaskProbes } from './task-probes.ts';

export interface RunnerOptions {
  readonly tools: StepTools;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Logger;
  readonly output: OutputCopier;
  /** Called after every change of the record. */
  readonly onChange: (record: TaskRecord) => void;
  /** Called once, when nothing of the task is left on this host. */
  readonly onGone: (record: TaskRecord) => void;
}

/**
 * Drives one task from LAUNCH until nothing of it is left: every event goes through reduce(), then whatever plan()
 * wants is begun. INVARIANT: a step is begun once and reports exactly once.
 */
export class TaskRunner {
  readonly #options: RunnerOptions;
  readonly #launching = new AbortController();
  readonly #probes: TaskProbes;
  #record: TaskRecord;
  #cancelWake: (() => void) | undefined;
  #gone = false;

  constructor(task: DesiredTask, options: RunnerOptions) {
    this.#options = options;
    this.#record = newRecord(task, options.clock.now());
    const { prober, clock, log } = options;
    this.#probes = new TaskProbes({
      prober,
      clock,
      log,
      onOutcome: (check, outcome) =>
        this.handle(
          check === 'readiness'
            ? { kind: 'readiness-probed', outcome }
            : { kind: 'probed', check, outcome, at: clock.now() },
        ),
    });
  }

  get record(): TaskRecord {
    return this.#record;
  }

  /** Begins the first steps. */
  start(): void {
    const { plug } = this.#record.task;
    if (plug !== undefined) this.#options.tools.fabric.prepare(plug.endpoint, plug.network);
    this.#options.onChange(this.#record);
    this.#advance();
  }

  /** Takes note of something that happened. */
  handle(event: TaskEvent): void {
    if (this.#gone) return;
    const next = reduce(this.#record, event);
    if (next === this.#record) return;
    this.#record = next;
    this.#options.onChange(next);
    this.#advance();
  }

  #advance(): void {
    const { clock } = this.#options;
    this.#cancelWake?.();
    this.#probes.follow(this.#record);
    if (isGone(this.#record)) return this.#end();
    if (isEnding(this.#record)) this.#launching.abort();
    for (const step of plan(this.#record, clock.now())) this.#begin(step);
    const wakeAt = nextWake(this.#record, clock.now());
    if (wakeAt !== undefined) {
      this.#cancelWake = clock.after(wakeAt - clock.now(), () => this.#advance());
    }
  }

  #end(): void {
    this.#gone = true;
    this.#options.onGone(this.#record);
  }

  #begin(step: Step): void {
    const { log, clock } = this.#options;
    log.debug('step', { step: step.kind, reason: step.reason });
    this.#record = reduce(this.#record, { kind: 'step-began', step: step.kind });
    const began = clock.now();
    const work = stepRunners[step.kind](this.#context());
    work.then(
      (outcome) => {
        const at = clock.now();
        this.handle({ kind: 'step-done', step: step.kind, tookMs: at - began, at, outcome });
      },
      (error: unknown) => this.#failed(step.kind, error),
    );
  }

  #failed(step: StepKind, error: unknown): void {
    const { log, clock } = this.#options;
    if (codeOf(error) !== 'aborted') log.warn('step failed', { step, error });
    const failure: Failure = { message: messageOf(error), reason: 'REASON_CONTAINER_LAUNCH_FAILED' };
    this.handle({ kind: 'step-failed', step, failure, at: clock.now() });
  }

  #context(): StepContext {
    return {
      tools: this.#options.tools,
      record: this.#record,
      signal: this.#launching.signal,
      progress: (text) => this.handle({ kind: 'progress', text }),
      output: this.#options.output,
    };
  }
}
