import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import type { CallLink, CallOutcome, CallQueueOptions } from './call-queue.ts';
import type { CallAnswer } from './call-request.ts';
import type { PipelinedConnection } from './pipelined-connection.ts';

/** As of a CallQueue whose calls end with the subscription. */
export type PipelinedCallsOptions = Pick<
  CallQueueOptions,
  'transport' | 'log' | 'maxQueued' | 'judge' | 'onStale'
>;

/** Calls on their way at once. More only wait at the other end. */
const maxUnanswered = 256;

interface Call {
  readonly what: string;
  readonly body: Buffer;
  readonly settle: (outcome: CallOutcome) => void;
}

/**
 * Sends calls that mean the same in any order without waiting for the answers to earlier ones.
 * INVARIANTS: a call leaves only under the subscription under which it was made; at most maxQueued calls wait; every call
 * is settled once, at the latest by stop().
 */
export class PipelinedCalls {
  readonly #options: PipelinedCallsOptions;
  #waiting: Call[] = [];
  #link: CallLink | undefined;
  #connection: PipelinedConnection | undefined;
  #sending = false;
  #stopped = false;

  constructor(options: PipelinedCallsOptions) {
    this.#options = options;
  }

  /** Calls go to `link` from now on. */
  open(link: CallLink): void {
    this.close('a new subscription');
    this.#link = link;
  }

  /** Nothing is sent until the next open; calls that wait or are under way are settled. */
  close(reason: string): void {
    this.#link = undefined;
    this.#connection?.close();
    for (const { settle } of this.#waiting.splice(0)) settle({ kind: 'not-sent', reason });
  }

  /** `what` names the call in the log. */
  send(what: string, body: Buffer): Promise<CallOutcome> {
    const { maxQueued } = this.#options;
    if (this.#stopped) return Promise.resolve({ kind: 'not-sent', reason: 'the client is stopped' });
    if (this.#link === undefined) return Promise.resolve({ kind: 'not-sent', reason: 'not subscribed' });
    if (this.#waiting.length >= maxQueued) {
      return Promise.resolve({ kind: 'not-sent', reason: `${maxQueued} calls wait already` });
    }
    return new Promise((settle) => {
      this.#waiting.push({ what, body, settle });
      this.#drain();
    });
  }

  /** Settles everything that still waits. */
  stop(): void {
    this.#stopped = true;
    this.close('the client is stopped');
  }

  #drain(): void {
    if (this.#sending || this.#waiting.length === 0 || this.#link === undefined) return;
    // A connection that the server is about to close is left to its answers.
    const { unanswered = 0, usable = true } = this.#connection ?? {};
    if (unanswered >= maxUnanswered || !usable) return;
    this.#sending = true;
    void this.#sendWaiting(this.#link);
  }

  async #sendWaiting(link: CallLink): Promise<void> {
    const { transport } = this.#options;
    try {
      // What else is called in this turn leaves in the same write.
      const headers = await transport.callHeaders(link.streamId);
      if (this.#link !== link) return;
      this.#connection ??= transport.pipeline(link.url, () => this.#onEnd());
      const batch = this.#waiting.splice(0, maxUnanswered - this.#connection.unanswered);
      this.#post(link, this.#connection, headers, batch);
    } catch (error) {
      this.#giveUp(link, `calls cannot be sent: ${messageOf(error)}`);
    } finally {
      this.#sending = false;
      this.#drain();
    }
  }

  #post(
    link: CallLink,
    connection: PipelinedConnection,
    headers: Readonly<Record<string, string>>,
    batch: readonly Call[],
  ): void {
    const posts = batch.map((call) => ({
      body: call.body,
      answered: (answer: CallAnswer) => call.settle(this.#outcomeOf(link, call, answer)),
      failed: (error: PatchpanelError) => {
        call.settle({ kind: 'unknown', reason: error.message });
        if (error.code !== 'aborted') this.#giveUp(link, `${call.what} was not answered: ${error.message}`);
      },
    }));
    try {
      connection.post(headers, posts);
    } catch (error) {
      for (const { settle } of batch) settle({ kind: 'not-sent', reason: messageOf(error) });
      throw error;
    }
  }

  #outcomeOf(link: CallLink, { what }: Call, answer: CallAnswer): CallOutcome {
    const verdict = this.#options.judge(answer);
    if (verdict === 'accepted') {
      this.#drain();
      return { kind: 'accepted' };
    }
    this.#options.log.warn('a call was refused', { call: what, verdict, ...answer });
    if (verdict === 'stale') this.#giveUp(link, `${what} was answered ${answer.status} ${answer.message}`);
    return { kind: 'refused', ...answer };
  }

  #onEnd(): void {
    this.#connection = undefined;
    this.#drain();
  }

  /** Nothing more leaves on a link that showed itself to be stale. */
  #giveUp(link: CallLink, reason: string): void {
    if (this.#link !== link) return;
    this.close(reason);
    this.#options.onStale(reason);
  }
}
