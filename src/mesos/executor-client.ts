import type { ExecutorCallUpdate, TaskInfo, TaskStatus } from '../../proto/mesos.gen.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { CallQueue, type CallLink, type CallOutcome, type Verdict } from './call-queue.ts';
import type { CallAnswer } from './call-request.ts';
import { messageToScheduler, subscribeExecutor, update, type AgentCall } from './calls.ts';
import { mesosCodec, type Encoding } from './codec.ts';
import { EventReader, type EventCounts } from './event-reader.ts';
import { agentEvent, type AgentEvent } from './events.ts';
import type { ExecutorEnvironment } from './executor-environment.ts';
import { RecoveryTimer } from './recovery-timer.ts';
import { Subscriber, type RecordResult } from './subscriber.ts';
import type { SubscriptionOutcome } from './subscription.ts';
import { Transport } from './transport.ts';
import { isUuid, uuidText } from './uuid.ts';

/** What the agent has not acknowledged yet. */
export interface Unacknowledged {
  /** Tasks without an acknowledged update. */
  readonly tasks: readonly TaskInfo[];
  /** Updates in the order in which they were made. */
  readonly updates: readonly ExecutorCallUpdate[];
}

export interface ExecutorClientOptions {
  readonly environment: ExecutorEnvironment;
  /** protobuf unless told; JSON is for reading along. */
  readonly encoding?: Encoding;
  readonly log: Logger;
  /** Asked for at each SUBSCRIBE. What is not listed counts as dropped by the agent. */
  readonly unacknowledged: () => Unacknowledged;
  /** Every event but heartbeats, ERROR included, in order; the next is read when the promise resolves. */
  readonly onEvent: (event: AgentEvent) => void | Promise<void>;
  /** The stream broke; tasks go on, updates are kept until the next subscription. */
  readonly onDisconnected: (reason: string) => void | Promise<void>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timing?: Partial<ExecutorTiming>;
}

/** Milliseconds, unless the name says otherwise. */
export interface ExecutorTiming {
  readonly answerTimeoutMs: number;
  readonly firstEventTimeoutMs: number;
  /** How often the connection for calls is used at least, so that nothing between forgets it. */
  readonly heartbeatMs: number;
  /** How long an agent that was never reached is tried for. */
  readonly firstSubscriptionTimeoutMs: number;
  /** Updates and messages that may wait at once. */
  readonly maxQueuedCalls: number;
}

/** Why run() ended. */
export type ExecutorOutcome =
  | SubscriptionOutcome
  /** No agent for so long that it does not expect this executor any more: kill the tasks and exit. */
  | { readonly kind: 'agent-lost'; readonly afterMs: number };

const defaultTiming: ExecutorTiming = {
  answerTimeoutMs: 30_000,
  firstEventTimeoutMs: 30_000,
  heartbeatMs: 30 * 60_000,
  firstSubscriptionTimeoutMs: 60_000,
  maxQueuedCalls: 10_000,
};

const retryMinMs = 10;
const retryMaxMs = 1000;

/**
 * A subscribed executor of Mesos's v1 HTTP API.
 * INVARIANTS: updates leave one after another in the order in which they were made and each until the agent has
 * accepted it; a SUBSCRIBE always lists what was not acknowledged.
 */
export class ExecutorClient {
  readonly #options: ExecutorClientOptions;
  readonly #encoding: Encoding;
  readonly #clock: Clock;
  readonly #timing: ExecutorTiming;
  readonly #transport: Transport;
  readonly #calls: CallQueue;
  readonly #subscriber: Subscriber;
  readonly #events: EventReader<'ExecutorEvent', AgentEvent>;
  readonly #recovery: RecoveryTimer;
  /** The updates that the SUBSCRIBE under way carries. */
  #listed: ReadonlySet<string> = new Set();
  #subscribed = false;
  #cancelHeartbeat: (() => void) | undefined;

  constructor(options: ExecutorClientOptions) {
    this.#options = options;
    this.#encoding = options.encoding ?? 'protobuf';
    this.#timing = { ...defaultTiming, ...options.timing };
    const { log, environment, clock = systemClock, random = Math.random } = options;
    this.#clock = clock;
    this.#events = new EventReader('ExecutorEvent', this.#encoding, agentEvent, log);
    this.#transport = this.#createTransport();
    this.#recovery = new RecoveryTimer(clock, () => this.stop());
    // The first attempt at once, then spread evenly; half the bound, as an agent that restarted waits no longer than it,
    // and not a second more than tasks have to wait.
    const maxMs = Math.min(environment.subscriptionBackoffMaxMs / 2, retryMaxMs);
    const retry = { baseMs: retryMinMs, maxMs, factor: Infinity };
    this.#calls = new CallQueue({
      transport: this.#transport,
      log,
      maxQueued: this.#timing.maxQueuedCalls,
      judge,
      keep: true,
      retryDelayMs: () => retryMinMs + random() * maxMs,
      onStale: (reason) => this.#subscriber.breakOff(reason),
    });
    this.#subscriber = new Subscriber({
      policy: () => ({
        urls: [new URL('/api/v1/executor', environment.agentUrl).href],
        maxRedirects: 0,
        retry,
        // An agent that has just started refuses what it will accept in a moment, and waits only seconds for us.
        refusedRetry: retry,
      }),
      transport: this.#transport,
      log,
      clock,
      random,
      firstEventTimeoutMs: this.#timing.firstEventTimeoutMs,
      subscribeCall: () => this.#subscribeCall(),
      onRecord: (record, link) => this.#onRecord(record, link),
      onLost: (reason) => this.#onLost(reason),
    });
  }

  /**
   * Subscribes and stays subscribed until stop(), a fatal event, or until the agent is away for too long: longer than
   * the recovery timeout, or at all when the framework does not checkpoint. Call it once. Rejects with what a
   * callback threw.
   */
  async run(): Promise<ExecutorOutcome> {
    this.#recovery.start(this.#timing.firstSubscriptionTimeoutMs);
    try {
      const outcome = await this.#subscriber.run();
      const { expiredAfterMs } = this.#recovery;
      if (outcome.kind !== 'stopped' || expiredAfterMs === undefined) return outcome;
      return { kind: 'agent-lost', afterMs: expiredAfterMs };
    } finally {
      this.#recovery.cancel();
      this.#cancelHeartbeat?.();
      this.#calls.stop();
      this.#transport.close();
    }
  }

  /**
   * Sends a status until the agent has accepted it; its source and executor id are filled in. The owner keeps it until
   * ACKNOWLEDGED comes: accepted is not yet stored.
   * @throws PatchpanelError `invalid` without an RFC 4122 uuid, which agents refuse
   */
  update(status: TaskStatus): Promise<CallOutcome> {
    if (status.uuid === undefined || !isUuid(status.uuid)) {
      throw new PatchpanelError(
        'invalid',
        `the update of ${status.task_id.value} needs a uuid: use newUuid()`,
      );
    }
    const complete = this.#completed(status);
    const what = `UPDATE ${complete.task_id.value} ${complete.state}`;
    return this.#calls.send(what, this.#encode(update(complete)), uuidText(status.uuid));
  }

  /** Sends bytes to the scheduler; they may get lost beyond the agent. */
  message(data: Uint8Array): Promise<CallOutcome> {
    return this.#calls.send('MESSAGE', this.#encode(messageToScheduler(data)));
  }

  /** run() ends soon. The agent keeps the executor as it is until its process ends. */
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

  #createTransport(): Transport {
    const { domainSocket, tls, authenticationToken: token } = this.#options.environment;
    return new Transport({
      encoding: this.#encoding,
      answerTimeoutMs: this.#timing.answerTimeoutMs,
      ...(domainSocket === undefined ? {} : { socketPath: domainSocket }),
      ...(tls === undefined ? {} : { tls }),
      ...(token === undefined ? {} : { credentials: { kind: 'bearer', token: () => token } }),
    });
  }

  #completed(status: TaskStatus): TaskStatus {
    return {
      ...status,
      source: 'SOURCE_EXECUTOR',
      executor_id: { value: this.#options.environment.executorId },
    };
  }

  #encode(call: AgentCall): Buffer {
    const { frameworkId, executorId } = this.#options.environment;
    const ids = { framework_id: { value: frameworkId }, executor_id: { value: executorId } };
    return mesosCodec.encode('ExecutorCall', { ...call, ...ids }, this.#encoding);
  }

  #subscribeCall(): Buffer {
    const { tasks, updates } = this.#options.unacknowledged();
    const complete = updates.map(({ status }) => ({ status: this.#completed(status) }));
    this.#listed = new Set(complete.flatMap(({ status }) => status.uuid ?? []).map(uuidText));
    return this.#encode(subscribeExecutor(tasks, complete));
  }

  async #onRecord(record: Buffer, link: CallLink): Promise<RecordResult> {
    const event = this.#events.read(record);
    if (event === undefined || event.type === 'HEARTBEAT') return { kind: 'read' };
    if (event.type === 'SUBSCRIBED') this.#begin(link);
    await this.#options.onEvent(event);
    switch (event.type) {
      case 'SUBSCRIBED':
        // The agent's heartbeats are half an hour apart: the end of the connection tells, and TCP keep-alive.
        return { kind: 'subscribed', silenceLimitMs: undefined };
      case 'ERROR':
        return { kind: 'fatal', outcome: { kind: 'error', message: event.error.message } };
      case 'LAUNCH':
      case 'LAUNCH_GROUP':
      case 'KILL':
      case 'ACKNOWLEDGED':
      case 'MESSAGE':
      case 'SHUTDOWN':
        return { kind: 'read' };
    }
  }

  #begin(link: CallLink): void {
    this.#subscribed = true;
    this.#recovery.cancel();
    this.#calls.settleDelivered(this.#listed);
    this.#calls.open(link);
    this.#heartbeatLater();
  }

  async #onLost(reason: string): Promise<void> {
    this.#calls.close(reason);
    this.#cancelHeartbeat?.();
    if (!this.#subscribed) return;
    this.#subscribed = false;
    const { checkpoint, recoveryTimeoutMs } = this.#options.environment;
    this.#recovery.start(checkpoint ? recoveryTimeoutMs : 0);
    await this.#options.onDisconnected(reason);
  }

  #heartbeatLater(): void {
    this.#cancelHeartbeat = this.#clock.after(this.#timing.heartbeatMs, () => {
      void this.#calls.send('HEARTBEAT', this.#encode({ type: 'HEARTBEAT' }));
      this.#heartbeatLater();
    });
  }
}

/** 503 and 404 pass while an agent starts; 403: it does not take us for subscribed. */
function judge({ status }: CallAnswer): Verdict {
  if (status === 202 || status === 200) return 'accepted';
  if (status === 403) return 'stale';
  return status === 404 || status >= 500 ? 'retry' : 'refused';
}
