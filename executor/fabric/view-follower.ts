import { compareVersions } from '../../src/fabric/view-diff.ts';
import type { View } from '../../src/fabric/view.ts';
import { backoffMs } from '../../src/runtime/backoff.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';

const retryBackoff = { baseMs: 100, maxMs: 5_000, factor: 2 };

export interface ViewFollowerOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Resolves when the view is in force; it may be asked again when it rejects. */
  readonly enforce: (view: View) => Promise<void>;
  /** The view is in force. One that comes later than a newer one is not told. */
  readonly onInForce: (view: View) => void;
}

/**
 * Sees to it that the newest view is told to be in force as soon as it is, however often that fails before.
 * INVARIANTS: views do not wait for each other, so that those which come together share their flows; only the newest
 * one is tried again.
 */
export class ViewFollower {
  readonly #options: ViewFollowerOptions;
  #newest: View | undefined;
  #told: View | undefined;
  #failures = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(options: ViewFollowerOptions) {
    this.#options = options;
  }

  /** Puts a view that is newer than all before in force. */
  follow(view: View): void {
    this.#cancelRetry?.();
    this.#newest = view;
    this.#failures = 0;
    this.#attempt(view);
  }

  /** Nothing is tried or told any more. */
  stop(): void {
    this.#cancelRetry?.();
    this.#newest = undefined;
  }

  #attempt(view: View): void {
    this.#options.enforce(view).then(
      () => this.#inForce(view),
      (error: unknown) => this.#failed(view, error),
    );
  }

  #inForce(view: View): void {
    if (this.#newest === undefined) return;
    if (this.#told !== undefined && compareVersions(view.version, this.#told.version) < 0) return;
    this.#told = view;
    this.#options.onInForce(view);
  }

  #failed(view: View, error: unknown): void {
    if (view !== this.#newest) return;
    const { clock, random, log } = this.#options;
    if (this.#failures === 0)
      log.error('a view could not be put in force; it is tried again', { version: view.version, error });
    this.#cancelRetry = clock.after(backoffMs(retryBackoff, this.#failures, random), () =>
      this.#attempt(view),
    );
    this.#failures += 1;
  }
}
