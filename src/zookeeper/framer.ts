import { PatchpanelError } from '../runtime/errors.ts';

const headBytes = 4;

/**
 * Cuts a byte stream into ZooKeeper's messages: a length in four bytes, then so many bytes.
 * INVARIANTS: no more is held back than one message; after an error the framer is not used again.
 */
export class MessageFramer {
  readonly #maxBytes: number;
  #held: Buffer[] = [];
  #heldBytes = 0;

  /** @param maxBytes the longest message that is accepted */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * The messages that end in this chunk, in order.
   * @throws PatchpanelError `protocol` for a length that is negative or too long
   */
  push(chunk: Buffer): Buffer[] {
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    const messages: Buffer[] = [];
    for (let need = this.#need(); need !== undefined && this.#heldBytes >= need; need = this.#need()) {
      messages.push(this.#take(need).subarray(headBytes));
    }
    return messages;
  }

  /** Bytes of the next message with its head, once its head is there. */
  #need(): number | undefined {
    if (this.#heldBytes < headBytes) return undefined;
    if (this.#held[0]!.length < headBytes) this.#held = [Buffer.concat(this.#held)];
    const length = this.#held[0]!.readInt32BE(0);
    if (length < 0 || length > this.#maxBytes) {
      throw new PatchpanelError('protocol', `ZooKeeper announced a message of ${length} bytes`);
    }
    return headBytes + length;
  }

  #take(size: number): Buffer {
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held);
    const rest = all.subarray(size);
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldBytes = rest.length;
    return all.subarray(0, size);
  }
}

/** A message with its length before it. */
export function framed(message: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(headBytes + message.length);
  whole.writeInt32BE(message.length, 0);
  message.copy(whole, headBytes);
  return whole;
}
