import type { Clock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';

interface Waiter {
  readonly check: () => void;
  readonly abort: () => void;
}

/**
 * Waits for conditions on data that changes by events.
 * INVARIANT: each wait ends exactly once (found, thrown, deadline or abort) and leaves no timer and no listener.
 */
export class ConditionWaiters {
  readonly #clock: Clock;
  readonly #waiters = new Set<Waiter>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks every probe again. */
  check(): void {
    for (const waiter of this.#waiters) waiter.check();
  }

  /** Ends every wait with code `aborted`. */
  abort(): void {
    for (const waiter of this.#waiters) waiter.abort();
  }

  add<T>(what: string, probe: () => T | undefined, timeoutMs: number, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const finish = (end: () => void) => {
        if (!this.#waiters.delete(waiter)) return;
        cancel();
        signal?.removeEventListener('abort', waiter.abort);
        end();
      };
      const waiter: Waiter = {
        check: () => {
          try {
            const found = probe();
            if (found !== undefined) finish(() => resolve(found));
          } catch (error) {
            finish(() => reject(error));
          }
        },
        abort: () =>
          finish(() => reject(new PatchpanelError('aborted', `${what} was not waited for any longer`))),
      };
      const cancel = this.#clock.after(timeoutMs, () =>
        finish(() => reject(new PatchpanelError('deadline', `${what} took longer than ${timeoutMs} ms`))),
      );
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', waiter.abort, { once: true });
      if (signal?.aborted === true) waiter.abort();
      else waiter.check();
    });
  }
}
