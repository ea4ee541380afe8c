import { PatchpanelError, messageOf } from '../../../src/runtime/errors.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/**
 * Cuts a byte stream of JSON texts that follow each other without delimiters (JSON-RPC over a stream, RFC 7047 §4)
 * into values. Works on bytes, so a chunk may end inside a string, an escape or a UTF-8 sequence.
 * INVARIANTS: bytes held back are never more than `maxBytes`; after an error the framer is not used again.
 */
export class JsonFramer {
  readonly #maxBytes: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #depth = 0;
  #inString = false;
  #escaped = false;

  /** @param maxBytes the longest text that is accepted */
  constructor(maxBytes = 32 * 1024 * 1024) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The values that end in this chunk, in order.
   * @throws PatchpanelError `protocol` on garbage between texts, on text that is not JSON, on one that is too long
   */
  push(chunk: Uint8Array): unknown[] {
    const values: unknown[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at]!;
      if (this.#depth === 0) {
        start = at;
        if (isSpace(byte)) continue;
        if (byte !== OPEN_BRACE && byte !== OPEN_BRACKET) throw garbage(byte);
      }
      this.#step(byte);
      if (this.#depth > 0) continue;
      this.#hold(chunk.subarray(start, at + 1));
      values.push(this.#take());
    }
    if (this.#depth > 0) this.#hold(chunk.slice(start));
    return values;
  }

  #step(byte: number): void {
    if (this.#escaped) {
      this.#escaped = false;
    } else if (this.#inString) {
      if (byte === BACKSLASH) this.#escaped = true;
      else if (byte === QUOTE) this.#inString = false;
    } else if (byte === QUOTE) {
      this.#inString = true;
    } else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      this.#depth += 1;
    } else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      this.#depth -= 1;
    }
  }

  #hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#maxBytes) {
      throw new PatchpanelError('protocol', `a JSON text is longer than ${this.#maxBytes} bytes`);
    }
    this.#held.push(bytes);
  }

  #take(): unknown {
    const text = Buffer.concat(this.#held).toString('utf8');
    this.#held = [];
    this.#heldBytes = 0;
    try {
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw new PatchpanelError('protocol', `not JSON: ${messageOf(error)}`, { cause: error });
    }
  }
}

function garbage(byte: number): PatchpanelError {
  return new PatchpanelError(
    'protocol',
    `a JSON text cannot begin with byte 0x${byte.toString(16).padStart(2, '0')}`,
  );
}
