/** A map that keeps the rows that were set most lately. INVARIANT: at most `limit` rows. */
export class RecentRows<T> {
  readonly #limit: number;
  readonly #rows = new Map<string, T>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(key: string): T | undefined {
    return this.#rows.get(key);
  }

  /** Makes the row the newest one. */
  set(key: string, row: T): void {
    this.#rows.delete(key);
    this.#rows.set(key, row);
    if (this.#rows.size <= this.#limit) return;
    for (const oldest of this.#rows.keys()) {
      this.#rows.delete(oldest);
      return;
    }
  }

  /** The oldest first. */
  rows(): Iterable<T> {
    return this.#rows.values();
  }
}
