import type { Clock } from '../../src/runtime/clock.ts';
import { codeOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';

/** Others' writing comes in bursts, each change a report: there is one answer to what comes within a moment. */
const AFTER_MS = 50;
/** Somebody may change the actions of a flow of ours under its own cookie, which no report tells from our writing. */
const EVERY_MS = 5 * 60_000;

export interface RewriterOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Writes all flows anew. */
  readonly rewrite: () => Promise<void>;
}

/**
 * Has all flows written anew when somebody else touched them, and every five minutes in any case.
 * INVARIANT: one timer; a touch only brings it forward.
 */
export class Rewriter {
  readonly #options: RewriterOptions;
  #touched = false;
  #cancel: (() => void) | undefined;

  constructor(options: RewriterOptions) {
    this.#options = options;
  }

  /** Begins the regular rounds. */
  start(): void {
    this.#arm(EVERY_MS);
  }

  stop(): void {
    this.#cancel?.();
    this.#touched = true;
  }

  /** Somebody else touched the flows, as `how` says. */
  touched(how: string): void {
    if (this.#touched) return;
    this.#touched = true;
    this.#options.log.warn(`${how}; all are written anew`);
    this.#arm(AFTER_MS);
  }

  /** Writes all anew; nobody has to wait for it, and at the end of the executor nobody misses it. */
  now(): void {
    this.#options.rewrite().catch((error: unknown) => {
      if (codeOf(error) !== 'aborted') this.#options.log.warn('flows could not be written anew', { error });
    });
  }

  #arm(delayMs: number): void {
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(delayMs, () => {
      this.#touched = false;
      this.#arm(EVERY_MS);
      this.now();
    });
  }
}
