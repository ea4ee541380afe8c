import { PatchpanelError } from '../../src/runtime/errors.ts';

interface Waiting<T> {
  readonly items: readonly T[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Merges commits that arrive while one is being written into the next single write.
 *
 * INVARIANTS: writes reach `write` in the order of `commit` calls; one write is under way at a time; after a failed
 * write every later commit fails too, so what is durable is always a prefix of what was committed.
 */
export class GroupCommit<T> {
  readonly #write: (items: readonly T[]) => Promise<void>;
  #waiting: Waiting<T>[] = [];
  #writing: Promise<void> | undefined;
  #failure: unknown;
  #closed = false;

  constructor(write: (items: readonly T[]) => Promise<void>) {
    this.#write = write;
  }

  /** Resolves when the items are written, after all items of earlier calls. */
  commit(items: readonly T[]): Promise<void> {
    if (this.#closed) {
      return Promise.reject(new PatchpanelError('unavailable', 'the store is closed', { retryable: false }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ items, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  /** Refuses further commits and waits for those under way, which may still fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.#write(group.flatMap((waiting) => waiting.items));
        for (const waiting of group) waiting.resolve();
      } catch (error) {
        this.#failure ??= error;
        for (const waiting of group) waiting.reject(error);
      }
    }
    this.#writing = undefined;
  }
}
