import { systemClock, type Clock } from '../runtime/clock.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { CallQueue, type CallLink, type CallOutcome, type Verdict } from './call-queue.ts';
import { PipelinedCalls } from './pipelined-calls.ts';
import type { CallAnswer } from './call-request.ts';
import type { MasterCall } from './calls.ts';
import { mesosCodec, type Encoding } from './codec.ts';
import type { Credentials } from './credentials.ts';
import { EventReader, type EventCounts } from './event-reader.ts';
import { masterEvent, type MasterEvent } from './events.ts';
import { listedMasters, type MasterSource } from './master-source.ts';
import { Subscriber, type RecordResult } from './subscriber.ts';
import { outcomeOf, type SubscriptionOutcome } from './subscription.ts';
import type { MesosTls } from './tls.ts';
import { Transport } from './transport.ts';

export interface SchedulerClientOptions {
  /** Masters to try in turn, `host:port` or URLs; one that does not lead redirects to the one that does. */
  readonly masters: readonly string[] | MasterSource;
  /** protobuf unless told; JSON is for reading along. */
  readonly encoding?: Encoding;
  readonly credentials?: Credentials;
  readonly tls?: MesosTls;
  readonly log: Logger;
  /** The SUBSCRIBE call (calls.ts), asked for at each attempt: it carries the framework id once there is one. */
  readonly subscribe: () => MasterCall;
  /**
   * Every event but heartbeats, ERROR included, in order; the next is read when the promise resolves. SUBSCRIBED begins
   * a subscription: offers of an earlier one are void. A rejection ends run().
   */
  readonly onEvent: (event: MasterEvent) => void | Promise<void>;
  /** A subscription that had begun is gone; calls are not sent until the next SUBSCRIBED. */
  readonly onDisconnected: (reason: string) => void | Promise<void>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timing?: Partial<SchedulerTiming>;
}

/** Milliseconds, unless the name says otherwise. */
export interface SchedulerTiming {
  /** Delays grow from the first to the second, with jitter. */
  readonly retryBaseMs: number;
  readonly retryMaxMs: number;
  /** The same after an answer that blames our configuration. */
  readonly refusedRetryBaseMs: number;
  readonly refusedRetryMaxMs: number;
  /** A stream is dead after so many heartbeats that did not come. */
  readonly missedHeartbeats: number;
  readonly answerTimeoutMs: number;
  readonly firstEventTimeoutMs: number;
  /** Calls that may wait at once. */
  readonly maxQueuedCalls: number;
}

const defaultTiming: SchedulerTiming = {
  retryBaseMs: 500,
  retryMaxMs: 15_000,
  refusedRetryBaseMs: 10_000,
  refusedRetryMaxMs: 60_000,
  missedHeartbeats: 5,
  answerTimeoutMs: 30_000,
  firstEventTimeoutMs: 30_000,
  maxQueuedCalls: 10_000,
};

const maxRedirects = 3;
const defaultHeartbeatSeconds = 15;

/**
 * A subscribed scheduler of Mesos's v1 HTTP API.
 * INVARIANTS: calls leave one after another, acknowledgements beside them, and only under the subscription under which
 * they were made; after the outcome of run() nothing is sent any more. Acknowledgements, two or more of each task, are
 * most of all calls and mean the same in any order: they do not wait for each other's answers.
 */
export class SchedulerClient {
  readonly #options: SchedulerClientOptions;
  readonly #encoding: Encoding;
  readonly #timing: SchedulerTiming;
  readonly #masters: MasterSource;
  readonly #transport: Transport;
  readonly #calls: CallQueue;
  readonly #acknowledgements: PipelinedCalls;
  readonly #subscriber: Subscriber;
  readonly #events: EventReader<'SchedulerEvent', MasterEvent>;
  #frameworkId: string | undefined;
  #subscribed = false;

  /** @throws PatchpanelError `invalid` for an address that is no HTTP one, or a file for TLS that cannot be read */
  constructor(options: SchedulerClientOptions) {
    this.#options = options;
    this.#encoding = options.encoding ?? 'protobuf';
    this.#timing = { ...defaultTiming, ...options.timing };
    const { log, credentials, tls, clock = systemClock, random = Math.random } = options;
    const { answerTimeoutMs, maxQueuedCalls, retryBaseMs, firstEventTimeoutMs } = this.#timing;
    this.#masters = 'addresses' in options.masters ? options.masters : listedMasters(options.masters);
    this.#transport = new Transport({
      encoding: this.#encoding,
      answerTimeoutMs,
      ...(credentials === undefined ? {} : { credentials }),
      ...(tls === undefined ? {} : { tls }),
    });
    this.#events = new EventReader('SchedulerEvent', this.#encoding, masterEvent, log);
    const calls = {
      transport: this.#transport,
      log,
      maxQueued: maxQueuedCalls,
      judge,
      onStale: (reason: string) => this.resubscribe(reason),
    };
    this.#calls = new CallQueue({ ...calls, keep: false, retryDelayMs: () => retryBaseMs });
    this.#acknowledgements = new PipelinedCalls({ ...calls, tls: this.#transport.tls, answerTimeoutMs });
    this.#subscriber = new Subscriber({
      policy: () => ({
        urls: this.#masters.addresses().map((address) => schedulerUrl(address, tls?.enabled === true)),
        maxRedirects,
        retry: { baseMs: retryBaseMs, maxMs: this.#timing.retryMaxMs, factor: 2 },
        refusedRetry: {
          baseMs: this.#timing.refusedRetryBaseMs,
          maxMs: this.#timing.refusedRetryMaxMs,
          factor: 2,
        },
      }),
      transport: this.#transport,
      log,
      clock,
      random,
      firstEventTimeoutMs,
      subscribeCall: () => this.#subscribeCall(),
      onRecord: (record, link) => this.#onRecord(record, link),
      onLost: (reason) => this.#onLost(reason),
    });
  }

  /**
   * Subscribes and stays subscribed until stop() or until the master ends it for good: then it is the owner who decides.
   * Call it once. Rejects with what a callback threw.
   */
  async run(): Promise<SubscriptionOutcome> {
    const stopFollowing = this.#masters.onChange(() => this.#subscriber.relocate());
    try {
      return await this.#subscriber.run();
    } finally {
      stopFollowing();
      for (const each of this.#queues()) each.stop();
      this.#transport.close();
    }
  }

  /**
   * Sends a call after all that were made before it; an acknowledgement waits for none of another kind, and none waits
   * for it. Never rejects for what the network does.
   * @throws PatchpanelError `invalid` when the call does not fit the protocol
   */
  call(call: MasterCall): Promise<CallOutcome> {
    const queue = call.type === 'ACKNOWLEDGE' ? this.#acknowledgements : this.#calls;
    return queue.send(call.type ?? 'UNKNOWN', this.#encode(call));
  }

  /** Gives the present stream up and subscribes again. */
  resubscribe(reason: string): void {
    this.#subscriber.breakOff(reason);
  }

  /** run() ends soon. The framework and its tasks stay as they are. */
  stop(): void {
    this.#subscriber.stop();
  }

  get subscribed(): boolean {
    return this.#subscribed;
  }

  /** Events that could not be used since the start. */
  get counts(): EventCounts {
    return this.#events.counts;
  }

  #queues(): readonly (CallQueue | PipelinedCalls)[] {
    return [this.#calls, this.#acknowledgements];
  }

  #subscribeCall(): Buffer {
    const call = this.#options.subscribe();
    const id = call.subscribe?.framework_info.id;
    return mesosCodec.encode(
      'SchedulerCall',
      { ...call, ...(id === undefined ? {} : { framework_id: id }) },
      this.#encoding,
    );
  }

  #encode(call: MasterCall): Buffer {
    const id = this.#frameworkId;
    const complete = id === undefined ? call : { ...call, framework_id: { value: id } };
    return mesosCodec.encode('SchedulerCall', complete, this.#encoding);
  }

  async #onRecord(record: Buffer, link: CallLink): Promise<RecordResult> {
    const event = this.#events.read(record);
    if (event === undefined || event.type === 'HEARTBEAT') return { kind: 'read' };
    if (event.type !== 'SUBSCRIBED') {
      await this.#options.onEvent(event);
      return event.type === 'ERROR'
        ? { kind: 'fatal', outcome: outcomeOf(event.error.message) }
        : { kind: 'read' };
    }
    const { framework_id, heartbeat_interval_seconds = defaultHeartbeatSeconds } = event.subscribed;
    this.#frameworkId = framework_id.value;
    this.#subscribed = true;
    for (const each of this.#queues()) each.open(link);
    await this.#options.onEvent(event);
    const silenceLimitMs = heartbeat_interval_seconds * 1000 * this.#timing.missedHeartbeats;
    return { kind: 'subscribed', silenceLimitMs };
  }

  async #onLost(reason: string): Promise<void> {
    for (const each of this.#queues()) each.close(reason);
    if (!this.#subscribed) return;
    this.#subscribed = false;
    await this.#options.onDisconnected(reason);
  }
}

/** A 307 or 503: the master does not lead any more; 403 and some 400: another stream or framework has our place. */
function judge({ status, message }: CallAnswer): Verdict {
  if (status === 202 || status === 200) return 'accepted';
  if (status === 307 || status === 403 || status === 404 || status >= 500) return 'stale';
  return status === 400 && /stream ID|Mesos-Stream-Id|Framework cannot be found/.test(message)
    ? 'stale'
    : 'refused';
}

/** `10.0.0.1:5050` → `http://10.0.0.1:5050/api/v1/scheduler`, or https; the path of a proxy (`https://proxy/mesos`) is kept. */
function schedulerUrl(address: string, secure: boolean): string {
  const text = address.includes('://') ? address : `http${secure ? 's' : ''}://${address}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new PatchpanelError(
      'invalid',
      `${address} is not the address of a Mesos master: give host:port or an http(s) URL, several by commas`,
    );
  }
  return new URL(`${url.pathname.replace(/\/+$/, '')}/api/v1/scheduler`, url).href;
}
