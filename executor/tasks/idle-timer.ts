import type { Clock } from '../../src/runtime/clock.ts';

/** Tells when there was no task for long. It counts from its creation on. */
export class IdleTimer {
  readonly #clock: Clock;
  readonly #afterMs: number;
  readonly #onIdle: () => void;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, afterMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#onIdle = onIdle;
    this.update(0);
  }

  /** The number of tasks has changed. */
  update(tasks: number): void {
    this.#cancel?.();
    this.#cancel = tasks === 0 ? this.#clock.after(this.#afterMs, this.#onIdle) : undefined;
  }

  stop(): void {
    this.#cancel?.();
  }
}
