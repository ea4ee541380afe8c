import { PatchpanelError } from '../../../src/runtime/errors.ts';

const maxEntries = 1_000_000;

/** How much one archive may unpack to. */
export class UnpackBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  #entries = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts an entry of so many bytes; the error when it is too much. */
  take(bytes: number): PatchpanelError | undefined {
    this.#entries += 1;
    this.#bytes += bytes;
    if (this.#entries > maxEntries)
      return new PatchpanelError('conflict', `holds more than ${maxEntries} files`);
    if (this.#bytes <= this.#maxBytes) return undefined;
    return new PatchpanelError(
      'conflict',
      `unpacks to more than ${this.#maxBytes} bytes, which this host allows`,
    );
  }
}
