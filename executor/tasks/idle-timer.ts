import type { Clock } from '../../src/runtime/clock.ts';

/** Tells when there was no task for long. It counts from its creation on. */
export class IdleTimer {
  readonly #clock: Clock;
  #afterMs: number;
  readonly #onIdle: () => void;
  #tasks = 0;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, afterMs: number, onIdle: () => void) {
    this.#clock = clock;
    this.#afterMs = afterMs;
    this.#onIdle = onIdle;
    this.update(0);
  }

  /** The number of tasks has changed. */
  update(tasks: number): void {
    this.#tasks = tasks;
    this.#cancel?.();
    this.#cancel = tasks === 0 ? this.#clock.after(this.#afterMs, this.#onIdle) : undefined;
  }

  /** From now on it takes this long. */
  setPatience(afterMs: number): void {
    this.#afterMs = afterMs;
    this.update(this.#tasks);
  }

  stop(): void {
    this.#cancel?.();
  }
}
