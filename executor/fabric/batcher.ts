import { PatchpanelError } from '../../src/runtime/errors.ts';

interface Queued<Item> {
  readonly item: Item;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions<Item> {
  /** For messages: what is being done to the items. */
  readonly what: string;
  /**
   * Does all of them or throws and does none; or does what it can and gives the errors of those that it could not do,
   * each at the place of its item.
   */
  readonly flush: (items: readonly Item[]) => Promise<void | readonly unknown[]>;
  readonly maxBatch: number;
  readonly maxQueued: number;
}

/**
 * Folds work that comes at the same time into batches, one batch at a time.
 * INVARIANTS: items are done in the order in which they came; when a batch of several fails, each is tried on its own,
 * so that one bad item does not fail its neighbours.
 */
export class Batcher<Item> {
  readonly #options: BatcherOptions<Item>;
  #queue: Queued<Item>[] = [];
  #running = false;

  constructor(options: BatcherOptions<Item>) {
    this.#options = options;
  }

  /**
   * Resolves when the item is done.
   * @throws PatchpanelError `unavailable` when too much is queued, else what flush throws for this item
   */
  add(item: Item): Promise<void> {
    const { maxQueued, what } = this.#options;
    if (this.#queue.length >= maxQueued) {
      return Promise.reject(
        new PatchpanelError('unavailable', `${maxQueued} items already wait for ${what}`),
      );
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // What is added in the same turn belongs to the same batch.
    await Promise.resolve();
    while (this.#queue.length > 0) await this.#flush(this.#queue.splice(0, this.#options.maxBatch));
    this.#running = false;
  }

  async #flush(batch: readonly Queued<Item>[]): Promise<void> {
    try {
      const errors = (await this.#options.flush(batch.map((queued) => queued.item))) ?? [];
      for (const [index, queued] of batch.entries()) {
        if (errors[index] === undefined) queued.resolve();
        else queued.reject(errors[index]);
      }
    } catch (error) {
      if (batch.length === 1) return batch[0]?.reject(error);
      for (const queued of batch) await this.#flush([queued]);
    }
  }
}
