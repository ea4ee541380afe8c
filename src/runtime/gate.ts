/** Lets so many pieces of work go on at once; the others wait their turn, first come first served. */
export class Gate {
  readonly #limit: number;
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The work's own result or error. It has its place until it ends, or calls `leave` because the rest costs little. */
  async pass<T>(work: (leave: () => void) => Promise<T>): Promise<T> {
    if (this.#busy < this.#limit) this.#busy += 1;
    else await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    let inside = true;
    const leave = (): void => {
      if (inside) this.#free();
      inside = false;
    };
    try {
      return await work(leave);
    } finally {
      leave();
    }
  }

  /** The place is handed on, so nobody who comes now can take it. */
  #free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy -= 1;
    else next();
  }
}
