/**
 * Delivers in order and never within the call that posts: the parts of the cluster cannot re-enter each other.
 * INVARIANT: `drained` is called after every batch of deliveries.
 */
export class Mailbox {
  readonly #deliveries: (() => void)[] = [];
  readonly #drained: () => void;
  #scheduled: NodeJS.Immediate | undefined;

  constructor(drained: () => void) {
    this.#drained = drained;
  }

  post(delivery: () => void): void {
    this.#deliveries.push(delivery);
    this.#scheduled ??= setImmediate(() => this.#drain());
  }

  /** Throws away what was not delivered. */
  close(): void {
    this.#deliveries.length = 0;
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
  }

  #drain(): void {
    this.#scheduled = undefined;
    // What these post waits for the next batch, so that sockets are served in between.
    for (const delivery of this.#deliveries.splice(0)) delivery();
    this.#drained();
  }
}
