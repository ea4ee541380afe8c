import { PatchpanelError } from '../runtime/errors.ts';

/** A header of more digits than this is garbage: no length is that long. */
const maxHeaderDigits = 20;
const firstAllocation = 64 * 1024;
const newline = 0x0a;
const digitZero = 0x30;
const digitNine = 0x39;

/** Big enough for the offers of a large cluster in one event. */
const defaultMaxRecordBytes = 64 * 1024 * 1024;

/** One record as it goes over the wire: the length in decimal, a line feed, the bytes. */
export function encodeRecord(bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${bytes.byteLength}\n`), bytes]);
}

/**
 * Cuts a RecordIO stream into records, whatever the chunks are.
 * INVARIANTS: a byte is copied at most a few times however small the chunks are; memory held is at most twice the
 * bytes received of the record under way; after an error every further push fails.
 */
export class RecordDecoder {
  readonly #maxRecordBytes: number;
  #header = { digits: 0, value: 0 };
  /** The record under way once its header is complete. */
  #body: { buffer: Buffer; filled: number; readonly size: number } | undefined;
  #failure: PatchpanelError | undefined;

  /** `maxRecordBytes`: a longer record is an error; 64 MiB unless told. */
  constructor(maxRecordBytes: number = defaultMaxRecordBytes) {
    this.#maxRecordBytes = maxRecordBytes;
  }

  /**
   * The records that are complete with this chunk, empty ones included. They may share the chunk's memory.
   * @throws PatchpanelError `protocol` for a header that is no number and for a record that is too long
   */
  push(chunk: Uint8Array): Buffer[] {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const records: Buffer[] = [];
    let at = 0;
    while (at < bytes.length) {
      at =
        this.#body === undefined ? this.#readHeader(bytes, at, records) : this.#readBody(bytes, at, records);
    }
    return records;
  }

  /**
   * To be called when the stream ends.
   * @throws PatchpanelError `protocol` when it ended inside a record
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#body !== undefined || this.#header.digits > 0) {
      throw this.#fail('the stream ended inside a record');
    }
  }

  #readHeader(bytes: Buffer, start: number, records: Buffer[]): number {
    for (let at = start; at < bytes.length; at += 1) {
      const byte = bytes[at]!;
      if (byte === newline) return this.#beginBody(bytes, at + 1, records);
      if (byte < digitZero || byte > digitNine) {
        throw this.#fail(`a record's length has the byte 0x${byte.toString(16).padStart(2, '0')} in it`);
      }
      this.#header.digits += 1;
      this.#header.value = this.#header.value * 10 + (byte - digitZero);
      if (this.#header.digits > maxHeaderDigits) {
        throw this.#fail(`a record's length has more than ${maxHeaderDigits} digits`);
      }
    }
    return bytes.length;
  }

  #beginBody(bytes: Buffer, start: number, records: Buffer[]): number {
    const { digits, value: size } = this.#header;
    if (digits === 0) throw this.#fail('a record has no length');
    if (size > this.#maxRecordBytes) {
      throw this.#fail(`a record of ${size} bytes is longer than the limit of ${this.#maxRecordBytes}`);
    }
    this.#header = { digits: 0, value: 0 };
    if (bytes.length - start >= size) {
      records.push(bytes.subarray(start, start + size));
      return start + size;
    }
    this.#body = { buffer: Buffer.allocUnsafe(Math.min(size, firstAllocation)), filled: 0, size };
    return start;
  }

  #readBody(bytes: Buffer, start: number, records: Buffer[]): number {
    const body = this.#body!;
    const end = Math.min(bytes.length, start + body.size - body.filled);
    const filled = body.filled + (end - start);
    if (filled > body.buffer.length) body.buffer = grown(body.buffer, body.filled, filled, body.size);
    bytes.copy(body.buffer, body.filled, start, end);
    body.filled = filled;
    if (filled === body.size) {
      records.push(body.buffer);
      this.#body = undefined;
    }
    return end;
  }

  #fail(problem: string): PatchpanelError {
    this.#body = undefined;
    this.#failure = new PatchpanelError('protocol', `this is no RecordIO stream: ${problem}`);
    return this.#failure;
  }
}

/** Doubles, so that the copying stays linear, but never beyond the record's size. */
function grown(old: Buffer, filled: number, needed: number, size: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.min(size, Math.max(needed, old.length * 2)));
  old.copy(buffer, 0, 0, filled);
  return buffer;
}
