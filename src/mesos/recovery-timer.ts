import type { Clock } from '../runtime/clock.ts';

/** Counts the time without an agent. */
export class RecoveryTimer {
  readonly #clock: Clock;
  readonly #onExpiry: () => void;
  #cancel: (() => void) | undefined;
  #expiredAfterMs: number | undefined;

  constructor(clock: Clock, onExpiry: () => void) {
    this.#clock = clock;
    this.#onExpiry = onExpiry;
  }

  /** How long it ran, once it has expired; milliseconds. */
  get expiredAfterMs(): number | undefined {
    return this.#expiredAfterMs;
  }

  /** Expires once after so many milliseconds, unless it is cancelled. */
  start(afterMs: number): void {
    this.cancel();
    this.#cancel = this.#clock.after(afterMs, () => {
      this.#expiredAfterMs = afterMs;
      this.#onExpiry();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
