import type { Clock } from '../runtime/clock.ts';

/** Notices silence. Time during which a record is handled does not count: nothing is read then. */
export class Watchdog {
  readonly #clock: Clock;
  readonly #onSilence: (limitMs: number) => void;
  #limitMs: number | undefined;
  #lastHeard: number;
  #handling = false;
  #cancel: (() => void) | undefined;

  /** `onSilence` is called once for each time that it is too quiet for too long. */
  constructor(clock: Clock, onSilence: (limitMs: number) => void) {
    this.#clock = clock;
    this.#onSilence = onSilence;
    this.#lastHeard = clock.now();
  }

  /** From now on that much silence is too much; undefined: none is. Milliseconds. */
  watch(limitMs: number | undefined): void {
    this.#limitMs = limitMs;
    this.heard();
    this.#arm();
  }

  /** Something came. */
  heard(): void {
    this.#lastHeard = this.#clock.now();
  }

  /** Does not count the time that `work` takes. */
  async whileHandling<T>(work: () => Promise<T>): Promise<T> {
    this.#handling = true;
    try {
      return await work();
    } finally {
      this.#handling = false;
      this.heard();
    }
  }

  /** onSilence is not called any more. */
  stop(): void {
    this.#cancel?.();
  }

  #arm(): void {
    this.#cancel?.();
    const limitMs = this.#limitMs;
    if (limitMs === undefined) return;
    const left = this.#handling ? limitMs : this.#lastHeard + limitMs - this.#clock.now();
    if (left <= 0) this.#onSilence(limitMs);
    else this.#cancel = this.#clock.after(left, () => this.#arm());
  }
}
