import type { Readable } from 'node:stream';
import type { Clock } from '../runtime/clock.ts';
import { PatchpanelError, messageOf } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { RecordDecoder } from './recordio.ts';
import {
  firstState,
  nextState,
  type SubscriptionInput,
  type SubscriptionOutcome,
  type SubscriptionPolicy,
  type SubscriptionState,
} from './subscription.ts';
import type { CallLink } from './call-queue.ts';
import type { Transport } from './transport.ts';
import { Watchdog } from './watchdog.ts';

export interface SubscriberOptions {
  /** Asked for at each decision: the addresses may change. */
  readonly policy: () => SubscriptionPolicy;
  readonly transport: Transport;
  readonly log: Logger;
  readonly clock: Clock;
  readonly random: () => number;
  /** How long the first event of a stream may take, in milliseconds. */
  readonly firstEventTimeoutMs: number;
  /** The SUBSCRIBE call, made anew for each attempt. */
  readonly subscribeCall: () => Buffer;
  /** One record of the stream, in order: the next is read when this one is done. */
  readonly onRecord: (record: Buffer, link: CallLink) => Promise<RecordResult>;
  /** A stream that was open is gone. Awaited before the next attempt. */
  readonly onLost: (reason: string) => void | Promise<void>;
}

/** What the subscriber must know about a record. */
export type RecordResult =
  | { readonly kind: 'read' }
  /** `silenceLimitMs`: how long nothing may come before the stream counts as dead; undefined: for ever. */
  | { readonly kind: 'subscribed'; readonly silenceLimitMs: number | undefined }
  | { readonly kind: 'fatal'; readonly outcome: SubscriptionOutcome };

/**
 * Keeps a subscribed stream open: does what subscription.ts decides.
 * INVARIANTS: at most one attempt or stream at a time; records and losses are handed over one after another, and
 * reading stops while one is being handled, so that the sender feels it.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #stop = new AbortController();
  #state: SubscriptionState;
  /** Of the attempt or stream under way. */
  #attempt = new AbortController();
  #breakReason: string | undefined;
  #relocated = false;
  #endWait: (() => void) | undefined;
  #lastFailure: string | undefined;
  #open: { readonly body: Readable; readonly link: CallLink } | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
    this.#state = firstState(options.policy());
  }

  /** Runs until stop() or a fatal event. Rejects only with what onRecord or onLost threw. */
  async run(): Promise<SubscriptionOutcome> {
    for (;;) {
      if (this.#stop.signal.aborted) return { kind: 'stopped' };
      const state = this.#state;
      if (state.kind === 'ended') return state.outcome;
      const input = await this.#act(state);
      this.#apply(this.#relocated && input.kind !== 'fatal' ? { kind: 'relocated' } : input);
      this.#relocated = false;
    }
  }

  /** Gives the stream under way up and takes it up again. Nothing happens between streams. */
  breakOff(reason: string): void {
    if (this.#open === undefined || this.#breakReason !== undefined) return;
    this.#breakReason = reason;
    this.#attempt.abort();
  }

  /** Another master leads: whatever is under way is given up, and the first address of the policy is next. */
  relocate(): void {
    this.#relocated = true;
    this.#breakReason ??= 'another master leads';
    this.#attempt.abort();
    this.#endWait?.();
  }

  /** run() ends soon, after the record under way is handled. */
  stop(): void {
    this.#stop.abort();
    this.#attempt.abort();
  }

  #apply(input: SubscriptionInput): void {
    this.#state = nextState(this.#state, input, this.#options.policy(), this.#options.random);
  }

  #act(state: Exclude<SubscriptionState, { kind: 'ended' }>): Promise<SubscriptionInput> {
    switch (state.kind) {
      case 'waiting':
        return this.#wait(state.delayMs);
      case 'connecting':
        return this.#connect(state.url);
      case 'open':
        return this.#readToEnd(state.url);
    }
  }

  #wait(delayMs: number): Promise<SubscriptionInput> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        this.#endWait = undefined;
        this.#stop.signal.removeEventListener('abort', done);
        resolve({ kind: 'waited' });
      };
      this.#endWait = done;
      const cancel = this.#options.clock.after(delayMs, done);
      this.#stop.signal.addEventListener('abort', done, { once: true });
    });
  }

  async #connect(url: string): Promise<SubscriptionInput> {
    const { transport, subscribeCall, log } = this.#options;
    this.#attempt = new AbortController();
    this.#breakReason = undefined;
    if (url === '') {
      this.#logFailure(url, 'no master is known yet');
      return { kind: 'failed' };
    }
    try {
      const answer = await transport.subscribe(url, subscribeCall(), this.#attempt.signal);
      switch (answer.kind) {
        case 'open':
          this.#open = { body: answer.body, link: { url, streamId: answer.streamId } };
          return { kind: 'opened' };
        case 'redirected':
          log.info('subscription redirected', { url, location: answer.location });
          return answer;
        case 'refused':
          this.#logFailure(url, `${answer.status} ${answer.message}`);
          return answer;
      }
    } catch (error) {
      if (!(error instanceof PatchpanelError) || error.code === 'invalid') throw error;
      if (!this.#stop.signal.aborted) this.#logFailure(url, error.message);
      return { kind: 'failed' };
    }
  }

  /** Attempts go on for as long as it takes: only what changes is worth a line. */
  #logFailure(url: string, reason: string): void {
    const { log } = this.#options;
    if (reason === this.#lastFailure) log.debug('still cannot subscribe', { url, reason });
    else log.warn('cannot subscribe', { url, reason });
    this.#lastFailure = reason;
  }

  async #readToEnd(url: string): Promise<SubscriptionInput> {
    const { body, link } = this.#open!;
    const watchdog = new Watchdog(this.#options.clock, (limitMs) => {
      this.breakOff(`nothing came for ${limitMs} ms`);
    });
    watchdog.watch(this.#options.firstEventTimeoutMs);
    let input: SubscriptionInput = { kind: 'failed' };
    let reason = 'the stream ended';
    try {
      input = (await this.#readRecords(body, link, watchdog)) ?? input;
    } catch (error) {
      if (error instanceof HandlerError) throw error.cause;
      reason = this.#breakReason ?? messageOf(error);
    } finally {
      watchdog.stop();
      body.destroy();
      this.#open = undefined;
    }
    if (input.kind === 'failed' && !this.#stop.signal.aborted) {
      this.#options.log.warn('subscription lost', { url, reason });
    }
    await this.#options.onLost(reason);
    return input;
  }

  /** The fatal input, if an event was one. */
  async #readRecords(
    body: Readable,
    link: CallLink,
    watchdog: Watchdog,
  ): Promise<SubscriptionInput | undefined> {
    const decoder = new RecordDecoder();
    for await (const chunk of body as AsyncIterable<Buffer>) {
      for (const record of decoder.push(chunk)) {
        if (this.#attempt.signal.aborted) break;
        const result = await watchdog.whileHandling(() => this.#handle(record, link));
        if (result.kind === 'fatal') return result;
        if (result.kind === 'subscribed') {
          this.#apply(result);
          this.#lastFailure = undefined;
          watchdog.watch(result.silenceLimitMs);
        }
      }
      watchdog.heard();
    }
    decoder.end();
    return undefined;
  }

  async #handle(record: Buffer, link: CallLink): Promise<RecordResult> {
    try {
      return await this.#options.onRecord(record, link);
    } catch (cause) {
      throw new HandlerError('the handler of an event failed', { cause });
    }
  }
}

/** Tells an owner's failure, which must not be taken for a broken stream, from the stream's own. */
class HandlerError extends Error {}
