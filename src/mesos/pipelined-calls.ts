import { messageOf } from '../runtime/errors.ts';
import type { CallLink, CallOutcome, CallQueueOptions } from './call-queue.ts';
import type { CallAnswer } from './call-request.ts';
import { PipelinedClient, type PipelinedClientOptions } from './pipelined-client.ts';

/** As of a CallQueue whose calls end with the subscription. */
export type PipelinedCallsOptions = Omit<PipelinedClientOptions, 'url'> &
  Pick<CallQueueOptions, 'transport' | 'log' | 'maxQueued' | 'judge' | 'onStale'>;

interface OpenLink extends CallLink {
  readonly client: PipelinedClient;
}

/**
 * Sends calls that mean the same in any order, and when they arrive twice, without waiting for the answers to earlier ones.
 * INVARIANTS: a call leaves only under the subscription under which it was made; at most maxQueued calls are not settled;
 * every call is settled once, soon after close() or stop() at the latest.
 */
export class PipelinedCalls {
  readonly #options: PipelinedCallsOptions;
  #link: OpenLink | undefined;
  #unsettled = 0;
  #stopped = false;

  constructor(options: PipelinedCallsOptions) {
    this.#options = options;
  }

  /** Calls go to `link` from now on. */
  open(link: CallLink): void {
    this.close();
    this.#link = { ...link, client: new PipelinedClient({ ...this.#options, url: link.url }) };
  }

  /** Nothing is sent until the next open; calls that wait or are under way are settled. */
  close(): void {
    this.#link?.client.close();
    this.#link = undefined;
  }

  /** `what` names the call in the log. */
  async send(what: string, body: Buffer): Promise<CallOutcome> {
    const { maxQueued } = this.#options;
    if (this.#stopped) return { kind: 'not-sent', reason: 'the client is stopped' };
    if (this.#link === undefined) return { kind: 'not-sent', reason: 'not subscribed' };
    if (this.#unsettled >= maxQueued) return { kind: 'not-sent', reason: `${maxQueued} calls wait already` };
    this.#unsettled += 1;
    try {
      return await this.#sendOn(this.#link, what, body);
    } finally {
      this.#unsettled -= 1;
    }
  }

  /** Settles everything that still waits. */
  stop(): void {
    this.#stopped = true;
    this.close();
  }

  async #sendOn(link: OpenLink, what: string, body: Buffer): Promise<CallOutcome> {
    const { transport, judge, log } = this.#options;
    let answer: CallAnswer;
    try {
      answer = await link.client.post(await transport.callHeaders(link.streamId), body);
    } catch (error) {
      const reason = messageOf(error);
      this.#giveUp(link, `${what} was not answered: ${reason}`);
      return { kind: 'unknown', reason };
    }
    const verdict = judge(answer);
    if (verdict === 'accepted') return { kind: 'accepted' };
    log.warn('a call was refused', { call: what, verdict, ...answer });
    if (verdict === 'stale') this.#giveUp(link, `${what} was answered ${answer.status} ${answer.message}`);
    return { kind: 'refused', ...answer };
  }

  /** Nothing more leaves on a link that showed itself to be stale. */
  #giveUp(link: OpenLink, reason: string): void {
    if (this.#link !== link) return;
    this.close();
    this.#options.onStale(reason);
  }
}
