/** Collects what callbacks are given, so that a test can wait for one after another. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiting: ((item: T) => void)[] = [];

  readonly put = (item: T): void => {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item);
  };

  /** The next item; an error when none comes within `timeoutMs`. */
  next(timeoutMs = 5000): Promise<T> {
    if (this.#items.length > 0) return Promise.resolve(this.#items.shift()!);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(receive), 1);
        reject(new Error(`nothing came for ${timeoutMs} ms`));
      }, timeoutMs);
      const receive = (item: T): void => {
        clearTimeout(timer);
        resolve(item);
      };
      this.#waiting.push(receive);
    });
  }

  /** What came and was not taken yet. */
  get waiting(): readonly T[] {
    return this.#items;
  }
}
