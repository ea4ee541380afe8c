import type { BusEvent, Missed } from '../../../driver/event-bus.ts';
import type { PublishedEvent } from '../../../core/effects.ts';
import { isWanted, missedEventType, wishKey, type EventWish } from './event-types.ts';

/** Where events come from. */
export interface EventSource {
  readonly subscribe: (listener: (event: BusEvent) => void) => () => void;
  readonly since: (id: number) => Missed;
  readonly publish: (event: PublishedEvent, at: number) => void;
}

/** An open stream to a client. */
export interface EventSink {
  /** Bytes that it has been given and has not taken yet. */
  readonly outstandingBytes: number;
  write(chunk: Buffer): void;
  /** Breaks the connection. */
  cut(): void;
}

export interface EventFeedOptions {
  readonly source: EventSource;
  /** Tells the events of this leader from those of others. */
  readonly term: number;
  /** An event as JSON text. What it throws costs the clients that event and goes to `onBadEvent`. */
  readonly textOf: (event: BusEvent, lightPlans: boolean) => string;
  readonly now: () => number;
  readonly after: (delayMs: number, action: () => void) => () => void;
  readonly onCutOff: () => void;
  readonly onBadEvent: (type: string, error: unknown) => void;
}

/**
 * A client with more than this unread, besides one piece of any size, is cut off: it comes back and asks for what it
 * missed. A piece is what is written at once; one with the definitions of a large group takes its time, and a client that
 * were cut off for it would only be sent it again.
 */
const maxOutstandingBytes = 4 * 1024 * 1024;
/** Streams at the same time. */
const maxClients = 1_000;
/** Proxies end connections on which nothing passes for a minute. */
const heartbeatMs = 15_000;
const heartbeat = Buffer.from(':\r\n\r\n');

/** Clients that want the same, and what is to be written to them next. */
interface Audience {
  readonly wish: EventWish;
  /** Each with the bytes of the largest piece that it was given since it had read everything. */
  readonly clients: Map<EventSink, number>;
  pending: string[];
}

/**
 * Sends events to any number of clients.
 * INVARIANTS: a client gets each event that it wants once, in order. Nothing waits for a client: what it does not read
 * is bounded, and beyond that it is cut off. Events that come together leave together, and the text of one is made
 * once for all clients that want the same.
 */
export class EventFeed {
  readonly #options: EventFeedOptions;
  readonly #audiences = new Map<string, Audience>();
  readonly #unsubscribe: () => void;
  #flushing: NodeJS.Immediate | undefined;
  #cancelHeartbeat: (() => void) | undefined;
  #clients = 0;

  constructor(options: EventFeedOptions) {
    this.#options = options;
    this.#unsubscribe = options.source.subscribe((event) => this.#take(event));
  }

  /** Whether one more client would be too many. */
  get full(): boolean {
    return this.#clients >= maxClients;
  }

  /**
   * Adds a client, after what it missed since the event that it got last. Call the result when its connection is
   * gone.
   */
  attach(sink: EventSink, wish: EventWish, lastEventId: string | undefined): () => void {
    this.#flush();
    const missed = this.#replay(wish, lastEventId);
    const beginning = Buffer.from(`: events of leader ${this.#options.term}\r\n\r\n${missed}`);
    sink.write(beginning);
    const audience = this.#audienceOf(wish);
    audience.clients.set(sink, beginning.length);
    this.#clients += 1;
    this.#cancelHeartbeat ??= this.#options.after(heartbeatMs, () => this.#beat());
    return () => this.#detach(audience, sink);
  }

  /** Cuts every client off. */
  close(): void {
    this.#unsubscribe();
    this.#cancelHeartbeat?.();
    if (this.#flushing !== undefined) clearImmediate(this.#flushing);
    for (const { clients } of this.#audiences.values()) for (const sink of clients.keys()) sink.cut();
  }

  #audienceOf(wish: EventWish): Audience {
    const key = wishKey(wish);
    const known = this.#audiences.get(key);
    if (known !== undefined) return known;
    const audience: Audience = { wish, clients: new Map(), pending: [] };
    this.#audiences.set(key, audience);
    return audience;
  }

  #detach(audience: Audience, sink: EventSink): void {
    if (!audience.clients.delete(sink)) return;
    this.#clients -= 1;
    if (audience.clients.size === 0) this.#audiences.delete(wishKey(audience.wish));
    if (this.#clients > 0) return;
    this.#cancelHeartbeat?.();
    this.#cancelHeartbeat = undefined;
  }

  #take(event: BusEvent): void {
    for (const audience of this.#audiences.values()) {
      if (isWanted(audience.wish, event.event.type)) audience.pending.push(this.#frame(event, audience.wish));
    }
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  #flush(): void {
    if (this.#flushing !== undefined) clearImmediate(this.#flushing);
    this.#flushing = undefined;
    for (const audience of this.#audiences.values()) {
      if (audience.pending.length === 0) continue;
      const chunk = Buffer.from(audience.pending.join(''));
      audience.pending = [];
      this.#send(audience, chunk);
    }
  }

  #send(audience: Audience, chunk: Buffer): void {
    for (const [sink, largest] of audience.clients) {
      const unread = sink.outstandingBytes;
      if (unread > maxOutstandingBytes + largest) {
        this.#cutOff(audience, sink);
        continue;
      }
      sink.write(chunk);
      audience.clients.set(sink, Math.max(unread === 0 ? 0 : largest, chunk.length));
    }
  }

  #cutOff(audience: Audience, sink: EventSink): void {
    this.#detach(audience, sink);
    this.#options.onCutOff();
    sink.cut();
  }

  #beat(): void {
    for (const audience of this.#audiences.values()) this.#send(audience, heartbeat);
    this.#cancelHeartbeat = this.#options.after(heartbeatMs, () => this.#beat());
  }

  #replay(wish: EventWish, lastEventId: string | undefined): string {
    if (lastEventId === undefined) return '';
    const { term, source, now } = this.#options;
    const [, ofTerm, n] = /^(\d+)-(\d+)$/.exec(lastEventId) ?? [];
    const { events, complete } =
      Number(ofTerm) === term ? source.since(Number(n)) : { events: [], complete: false };
    const missed = { eventType: missedEventType, timestamp: new Date(now()).toISOString(), lastEventId };
    const gap = complete ? '' : `event: ${missedEventType}\r\ndata: ${JSON.stringify(missed)}\r\n\r\n`;
    const wanted = events.filter(({ event }) => isWanted(wish, event.type));
    return `${gap}${wanted.map((event) => this.#frame(event, wish)).join('')}`;
  }

  /** One event of the stream (HTML, section 9.2.6), with CRLF as Marathon sends it; nothing of one that has no text. */
  #frame(event: BusEvent, { lightPlans }: EventWish): string {
    const { type } = event.event;
    try {
      const text = this.#options.textOf(event, lightPlans);
      return `id: ${this.#options.term}-${event.id}\r\nevent: ${type}\r\ndata: ${text}\r\n\r\n`;
    } catch (error) {
      this.#options.onBadEvent(type, error);
      return '';
    }
  }
}
