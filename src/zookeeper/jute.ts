import { PatchpanelError } from '../runtime/errors.ts';

/** Writes values in jute, ZooKeeper's encoding: big-endian numbers, everything else with its length before it. */
export class JuteWriter {
  #bytes = Buffer.allocUnsafe(256);
  #length = 0;

  int(value: number): this {
    const at = this.#room(4);
    this.#bytes.writeInt32BE(value, at);
    return this;
  }

  long(value: bigint): this {
    const at = this.#room(8);
    this.#bytes.writeBigInt64BE(value, at);
    return this;
  }

  bool(value: boolean): this {
    const at = this.#room(1);
    this.#bytes.writeUInt8(value ? 1 : 0, at);
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value, 'utf8'));
  }

  vector<T>(items: readonly T[], write: (item: T) => void): this {
    this.int(items.length);
    for (const item of items) write(item);
    return this;
  }

  /** What was written, to be used before anything more is written. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where the next `size` bytes go. Ask before touching `#bytes`: it may be another buffer afterwards. */
  #room(size: number): number {
    const at = this.#length;
    this.#length += size;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, at);
      this.#bytes = larger;
    }
    return at;
  }
}

/**
 * Reads values in jute. Every method throws PatchpanelError `protocol` when the bytes end too early or a length
 * makes no sense.
 */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  int(): number {
    return this.#bytes.readInt32BE(this.#take(4));
  }

  long(): bigint {
    return this.#bytes.readBigInt64BE(this.#take(8));
  }

  bool(): boolean {
    return this.#bytes.readUInt8(this.#take(1)) !== 0;
  }

  /** Empty where the server has none at all (length -1). */
  buffer(): Buffer {
    const length = this.int();
    if (length === -1) return Buffer.alloc(0);
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  string(): string {
    return this.buffer().toString('utf8');
  }

  vector<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.int(); left > 0; left -= 1) items.push(read());
    return items;
  }

  #take(size: number): number {
    const at = this.#at;
    if (size < 0 || at + size > this.#bytes.length) {
      throw new PatchpanelError('protocol', 'ZooKeeper sent a message that ends too early');
    }
    this.#at = at + size;
    return at;
  }
}
