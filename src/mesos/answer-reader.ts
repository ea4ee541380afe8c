import { PatchpanelError } from '../runtime/errors.ts';
import type { CallAnswer } from './call-request.ts';

const maxHeadBytes = 64 * 1024;
const maxLineBytes = 1024;
const maxTextBytes = 64 * 1024;
const endOfHead = '\r\n\r\n';
const endOfLine = '\r\n';

/** How the length of a body is told (RFC 9112 §6.3). */
type Body =
  | { readonly kind: 'counted'; left: number }
  | { readonly kind: 'chunked'; left: number; at: 'size' | 'data' | 'data-end' | 'trailer' }
  | { readonly kind: 'until-close' };

interface Answer {
  readonly status: number;
  readonly body: Body;
  readonly text: Buffer[];
  textBytes: number;
}

/**
 * Cuts what a server sends on one connection into the answers to requests that were pipelined on it (HTTP/1.1). Of a
 * body 64 KiB are kept.
 * INVARIANTS: no more is held back than one head or line; after an error the reader is not used again.
 */
export class AnswerReader {
  #held: Buffer = Buffer.alloc(0);
  #answer: Answer | undefined;
  #closing = false;

  /** The server said that nothing follows the answer that was read last. */
  get closing(): boolean {
    return this.#closing;
  }

  /** The answers that end in this chunk, in order. @throws PatchpanelError `protocol` */
  push(chunk: Buffer): CallAnswer[] {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const answers: CallAnswer[] = [];
    for (;;) {
      this.#answer ??= this.#head();
      if (this.#answer === undefined || !this.#readBody(this.#answer)) return answers;
      answers.push(answerOf(this.#answer));
      this.#answer = undefined;
    }
  }

  /** The answer that ends with the connection, if there is one. */
  end(): CallAnswer | undefined {
    return this.#answer?.body.kind === 'until-close' ? answerOf(this.#answer) : undefined;
  }

  #head(): Answer | undefined {
    for (;;) {
      const end = this.#held.indexOf(endOfHead);
      if (end > maxHeadBytes || (end === -1 && this.#held.length > maxHeadBytes)) {
        throw broken('a head that is too long');
      }
      if (end === -1) return undefined;
      const head = this.#take(end + endOfHead.length).toString('latin1');
      const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? Number.NaN);
      if (Number.isNaN(status)) throw broken('something that is no answer');
      // Interim answers announce the one that follows.
      if (status < 200) continue;
      if (/^HTTP\/1\.0|^connection:.*\bclose\b/im.test(head)) this.#closing = true;
      return { status, body: bodyOf(status, head), text: [], textBytes: 0 };
    }
  }

  /** True when all of it was read. */
  #readBody(answer: Answer): boolean {
    const { body } = answer;
    switch (body.kind) {
      case 'counted':
        return this.#readCounted(answer, body);
      case 'chunked':
        return this.#readChunked(answer, body);
      case 'until-close':
        keep(answer, this.#take(this.#held.length));
        return false;
    }
  }

  #readCounted(answer: Answer, counted: { left: number }): boolean {
    const piece = this.#take(Math.min(counted.left, this.#held.length));
    counted.left -= piece.length;
    keep(answer, piece);
    return counted.left === 0;
  }

  #readChunked(answer: Answer, body: Extract<Body, { kind: 'chunked' }>): boolean {
    for (;;) {
      if (body.at === 'data') {
        if (!this.#readCounted(answer, body)) return false;
        body.at = 'data-end';
      }
      const line = this.#line();
      if (line === undefined) return false;
      if (body.at === 'trailer') {
        if (line === '') return true;
      } else if (body.at === 'data-end') {
        if (line !== '') throw broken('a chunk that is longer than it says');
        body.at = 'size';
      } else {
        const size = /^([0-9a-f]{1,8})\s*(;|$)/i.exec(line)?.[1];
        if (size === undefined) throw broken('a chunk without a size');
        body.left = Number.parseInt(size, 16);
        body.at = body.left === 0 ? 'trailer' : 'data';
      }
    }
  }

  #line(): string | undefined {
    const end = this.#held.indexOf(endOfLine);
    if (end > maxLineBytes || (end === -1 && this.#held.length > maxLineBytes)) {
      throw broken('a line that is too long');
    }
    return end === -1 ? undefined : this.#take(end + endOfLine.length).toString('latin1', 0, end);
  }

  #take(size: number): Buffer {
    const taken = this.#held.subarray(0, size);
    this.#held = this.#held.subarray(size);
    return taken;
  }
}

function bodyOf(status: number, head: string): Body {
  if (status === 204 || status === 304) return { kind: 'counted', left: 0 };
  const coding = /^transfer-encoding:\s*(.*?)\s*$/im.exec(head)?.[1];
  if (coding !== undefined) {
    if (coding.toLowerCase() !== 'chunked') throw broken(`the transfer coding ${coding}`);
    return { kind: 'chunked', left: 0, at: 'size' };
  }
  const length = /^content-length:\s*(\S*)\s*$/im.exec(head)?.[1];
  if (length === undefined) return { kind: 'until-close' };
  if (!/^\d{1,15}$/.test(length)) throw broken(`the length ${length}`);
  return { kind: 'counted', left: Number(length) };
}

function keep(answer: Answer, piece: Buffer): void {
  const kept = piece.subarray(0, maxTextBytes - answer.textBytes);
  if (kept.length > 0) answer.text.push(kept);
  answer.textBytes += kept.length;
}

const answerOf = ({ status, text }: Answer): CallAnswer => ({
  status,
  message: Buffer.concat(text).toString('utf8').trim(),
});

const broken = (what: string): PatchpanelError =>
  new PatchpanelError('protocol', `the server answered with ${what}`);
