import { backoffMs, type BackoffOptions } from './backoff.ts';
import type { Clock } from './clock.ts';

export interface LoopOptions {
  readonly clock: Clock;
  /** One round. It must be idempotent: a failed round is run again after a back-off. */
  readonly round: (signal: AbortSignal) => Promise<void>;
  readonly onError: (error: unknown, attempt: number) => void;
  /** Run a round at least this often, in milliseconds; undefined: only when triggered. */
  readonly everyMs?: number;
  readonly backoff?: BackoffOptions;
  readonly random?: () => number;
}

/**
 * The one loop runner: single flight, triggers that arrive during a round are folded into one more round, and
 * failures are retried with jittered back-off.
 */
export class Loop {
  readonly #options: LoopOptions;
  readonly #abort = new AbortController();
  #running: Promise<void> | undefined;
  #again = false;
  #attempt = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Asks for a round soon. Cheap; call it as often as something changes. */
  trigger(): void {
    if (this.#abort.signal.aborted) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#running = this.#runOnce().finally(() => {
      this.#running = undefined;
      this.#schedule();
    });
  }

  /** Stops after the round under way, which sees its signal aborted. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#cancelTimer?.();
    await this.#running;
  }

  async #runOnce(): Promise<void> {
    this.#again = false;
    try {
      await this.#options.round(this.#abort.signal);
      this.#attempt = 0;
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#attempt += 1;
      this.#options.onError(error, this.#attempt);
    }
  }

  #schedule(): void {
    if (this.#abort.signal.aborted) return;
    const { clock, everyMs, random = Math.random } = this.#options;
    const backoff = this.#options.backoff ?? { baseMs: 100, maxMs: 10_000, factor: 2 };
    if (this.#attempt > 0) {
      this.#cancelTimer = clock.after(backoffMs(backoff, this.#attempt - 1, random), () => this.trigger());
    } else if (this.#again) {
      this.trigger();
    } else if (everyMs !== undefined) {
      this.#cancelTimer = clock.after(everyMs, () => this.trigger());
    }
  }
}
