import type { Clock } from '../../runtime/clock.ts';
import { PatchpanelError } from '../../runtime/errors.ts';

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
}

/** Promises that settle when something in the cluster has changed so that a condition holds. */
export class Waiters {
  readonly #clock: Clock;
  readonly #waiting = new Set<Waiter>();
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something may have changed: conditions are looked at soon, once for many changes. */
  notify(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (const waiter of this.#waiting) if (waiter.isMet()) waiter.resolve();
    });
  }

  /** Rejects with code `deadline` and the name of what was waited for. */
  until(what: string, isMet: () => boolean, timeoutMs: number): Promise<void> {
    if (isMet()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(timeoutMs, () => {
        this.#waiting.delete(waiter);
        reject(new PatchpanelError('deadline', `${what} did not happen within ${timeoutMs} ms`));
      });
      const waiter: Waiter = {
        isMet,
        resolve: () => {
          cancel();
          this.#waiting.delete(waiter);
          resolve();
        },
      };
      this.#waiting.add(waiter);
    });
  }
}
