import type { Clock } from '../../runtime/clock.ts';
import { PatchpanelError } from '../../runtime/errors.ts';

interface Waiter {
  readonly isMet: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: PatchpanelError) => void;
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
      const leave = () => {
        cancel();
        this.#waiting.delete(waiter);
      };
      const waiter: Waiter = {
        isMet,
        resolve: () => {
          leave();
          resolve();
        },
        reject: (error) => {
          leave();
          reject(error);
        },
      };
      const cancel = this.#clock.after(timeoutMs, () =>
        waiter.reject(new PatchpanelError('deadline', `${what} did not happen within ${timeoutMs} ms`)),
      );
      this.#waiting.add(waiter);
    });
  }

  /** Nothing will change any more: whoever still waits is told, with code `aborted`. */
  close(): void {
    for (const waiter of this.#waiting) {
      waiter.reject(new PatchpanelError('aborted', 'the cluster was closed meanwhile'));
    }
  }
}
