import type { Logger } from '../runtime/logger.ts';
import { sleep } from '../runtime/deadline.ts';
import { messageOf } from '../runtime/errors.ts';
import type { CallAnswer } from './call-request.ts';
import type { Transport } from './transport.ts';

/** What became of a call. */
export type CallOutcome =
  /** Well-formed and passed on; whether it did anything is told by events. */
  | { readonly kind: 'accepted' }
  /** It never left: not subscribed, or too many calls wait already. */
  | { readonly kind: 'not-sent'; readonly reason: string }
  /** The answer was no; nothing was done. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  /** No answer: it may or may not have arrived. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Where calls go while subscribed. */
export interface CallLink {
  readonly url: string;
  readonly streamId: string | undefined;
}

/**
 * What an answer means: done, wrong for good, the subscription that it belongs to is no longer ours, or worth another
 * try on the same subscription.
 */
export type Verdict = 'accepted' | 'refused' | 'stale' | 'retry';

export interface CallQueueOptions {
  readonly transport: Transport;
  readonly log: Logger;
  readonly maxQueued: number;
  readonly judge: (answer: CallAnswer) => Verdict;
  /**
   * Whether calls outlive the subscription and are sent until they are answered; otherwise each is sent once, to the
   * subscription under which it was made, because its meaning depends on it.
   */
  readonly keep: boolean;
  /** Before a call is sent again, in milliseconds. */
  readonly retryDelayMs: () => number;
  /** An answer or a failure showed that the subscription is gone. */
  readonly onStale: (reason: string) => void;
}

interface Entry {
  readonly what: string;
  readonly key: string | undefined;
  readonly body: Buffer;
  readonly settle: (outcome: CallOutcome) => void;
}

/**
 * Sends calls one after another in the order in which they were made.
 * INVARIANTS: at most one request is under way; at most maxQueued calls wait; every call is settled once, at the
 * latest by stop().
 */
export class CallQueue {
  readonly #options: CallQueueOptions;
  #entries: Entry[] = [];
  #link: (CallLink & { readonly abort: AbortController }) | undefined;
  #draining = false;
  #stopped = false;

  constructor(options: CallQueueOptions) {
    this.#options = options;
  }

  /** Calls go to `link` from now on. */
  open(link: CallLink): void {
    this.close('a new subscription');
    this.#link = { ...link, abort: new AbortController() };
    this.#drain();
  }

  /** Nothing is sent until the next open. Calls that are not kept are settled. */
  close(reason: string): void {
    this.#link?.abort.abort();
    this.#link = undefined;
    if (this.#options.keep) return;
    // The first one is under way and settles itself.
    const waiting = this.#entries.splice(this.#draining ? 1 : 0);
    for (const { settle } of waiting) settle({ kind: 'not-sent', reason });
  }

  /** `what` names the call in the log; `key` lets settleDelivered find it. */
  send(what: string, body: Buffer, key?: string): Promise<CallOutcome> {
    const { keep, maxQueued } = this.#options;
    if (this.#stopped) return Promise.resolve({ kind: 'not-sent', reason: 'the client is stopped' });
    if (this.#link === undefined && !keep) {
      return Promise.resolve({ kind: 'not-sent', reason: 'not subscribed' });
    }
    if (this.#entries.length >= maxQueued) {
      return Promise.resolve({ kind: 'not-sent', reason: `${maxQueued} calls wait already` });
    }
    return new Promise((settle) => {
      this.#entries.push({ what, key, body, settle });
      this.#drain();
    });
  }

  /** Takes the calls with these keys as accepted: they were delivered in another way. */
  settleDelivered(keys: ReadonlySet<string>): void {
    const isDelivered = ({ key }: Entry): boolean => key !== undefined && keys.has(key);
    const delivered = this.#entries.filter(isDelivered);
    this.#entries = this.#entries.filter((entry) => !isDelivered(entry));
    for (const { settle } of delivered) settle({ kind: 'accepted' });
  }

  /** Settles everything that still waits. */
  stop(): void {
    this.#stopped = true;
    this.close('the client is stopped');
    for (const { settle } of this.#entries.splice(this.#draining ? 1 : 0)) {
      settle({ kind: 'not-sent', reason: 'the client is stopped' });
    }
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    void this.#sendAll();
  }

  async #sendAll(): Promise<void> {
    try {
      await this.#sendWaiting();
    } finally {
      this.#draining = false;
    }
  }

  async #sendWaiting(): Promise<void> {
    for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
      const link = this.#link;
      if (link === undefined && !this.#stopped) return;
      const outcome = link === undefined ? notSent : await this.#sendOne(entry, link);
      if (outcome !== undefined) {
        if (this.#entries[0] === entry) this.#entries.shift();
        entry.settle(outcome);
      } else if (link !== undefined && !link.abort.signal.aborted) {
        await sleep(this.#options.retryDelayMs(), link.abort.signal).catch(() => undefined);
      }
    }
  }

  /** The outcome; undefined: the call stays where it is. */
  async #sendOne(
    entry: Entry,
    link: CallLink & { abort: AbortController },
  ): Promise<CallOutcome | undefined> {
    const { transport, keep, judge, log } = this.#options;
    let answer: CallAnswer;
    try {
      answer = await transport.call(link.url, entry.body, link.streamId, link.abort.signal);
    } catch (error) {
      const reason = messageOf(error);
      if (!link.abort.signal.aborted) log.warn('a call was not answered', { call: entry.what, error });
      if (keep && !this.#stopped) return undefined;
      this.#giveUp(link, `${entry.what} was not answered: ${reason}`);
      return { kind: 'unknown', reason };
    }
    const verdict = judge(answer);
    if (verdict === 'accepted') return { kind: 'accepted' };
    log.warn('a call was refused', { call: entry.what, verdict, ...answer });
    if (verdict === 'stale')
      this.#giveUp(link, `${entry.what} was answered ${answer.status} ${answer.message}`);
    const again = keep && !this.#stopped && verdict !== 'refused';
    return again ? undefined : { kind: 'refused', ...answer };
  }

  /** Nothing more leaves on a link that showed itself to be stale. */
  #giveUp(link: CallLink, reason: string): void {
    if (this.#link !== link) return;
    this.close(reason);
    this.#options.onStale(reason);
  }
}

const notSent: CallOutcome = { kind: 'not-sent', reason: 'the client is stopped' };
