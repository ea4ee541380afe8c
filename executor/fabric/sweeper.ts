import { collectGarbage } from '../core/fabric/garbage.ts';

export interface SweeperOptions {
  /** Veths that are there: ports of ours on the bridge, devices with our mark. */
  readonly find: () => Promise<readonly string[]>;
  /** Veths that are in use or about to be. */
  readonly wanted: () => ReadonlySet<string>;
  /** Removes a port, then its veth. */
  readonly remove: (veth: string) => Promise<void>;
}

/** Counts since the start. */
export interface SweepCounts {
  readonly found: number;
  readonly removed: number;
}

/** Removes what is ours and wanted by nobody in two rounds that follow each other. */
export class Sweeper {
  readonly #options: SweeperOptions;
  #suspects: ReadonlySet<string> = new Set();
  #counts: SweepCounts = { found: 0, removed: 0 };

  constructor(options: SweeperOptions) {
    this.#options = options;
  }

  get counts(): SweepCounts {
    return this.#counts;
  }

  /** One round; gives the names that it removed. */
  async round(): Promise<readonly string[]> {
    const found = await this.#options.find();
    const { remove, suspects } = collectGarbage(found, this.#options.wanted(), this.#suspects);
    this.#counts = { ...this.#counts, found: this.#counts.found + suspects.size };
    this.#suspects = new Set([...suspects, ...remove]);
    await Promise.all(remove.map((veth) => this.#options.remove(veth)));
    this.#suspects = suspects;
    this.#counts = { ...this.#counts, removed: this.#counts.removed + remove.length };
    return remove;
  }
}
