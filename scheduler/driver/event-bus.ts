import type { PublishedEvent } from '../core/effects.ts';

/** An event as observers get it. Ids count from 1 within one run of the scheduler. */
export interface BusEvent {
  readonly id: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: PublishedEvent;
}

/** What an observer that comes back has missed. */
export interface Missed {
  readonly events: readonly BusEvent[];
  /** False when some are no longer kept, or the id is of no event: the observer must read the state afresh. */
  readonly complete: boolean;
}

export type BusListener = (event: BusEvent) => void;

/**
 * Hands published events to observers and keeps the newest for those that come back.
 * INVARIANT: at most `capacity` events are kept. A listener is called in the order of the ids, each id once; it must
 * not block, and what it throws goes to `onListenerError` and costs it that one event.
 */
export class EventBus {
  readonly #capacity: number;
  readonly #onListenerError: (error: unknown) => void;
  readonly #listeners = new Set<BusListener>();
  #kept: BusEvent[] = [];
  #nextId = 1;

  constructor(capacity: number, onListenerError: (error: unknown) => void) {
    this.#capacity = capacity;
    this.#onListenerError = onListenerError;
  }

  publish(event: PublishedEvent, at: number): void {
    const published = { id: this.#nextId++, at, event };
    this.#kept.push(published);
    // Cut in halves so that a full buffer does not cost a copy for each event.
    if (this.#kept.length > 2 * this.#capacity) this.#kept = this.#kept.slice(-this.#capacity);
    for (const listener of this.#listeners) this.#deliver(listener, published);
  }

  /** Calls `listener` for every event from now on, until the result is called. */
  subscribe(listener: BusListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The kept events that are newer than the one with this id. */
  since(id: number): Missed {
    const newest = this.#nextId - 1;
    const events = this.#kept.slice(-this.#capacity).filter((event) => event.id > id);
    return { events, complete: id <= newest && events.length === newest - id };
  }

  #deliver(listener: BusListener, event: BusEvent): void {
    if (!this.#listeners.has(listener)) return;
    try {
      listener(event);
    } catch (error) {
      this.#onListenerError(error);
    }
  }
}
