import type { MesosMessages } from '../../proto/mesos.gen.ts';
import type { Logger } from '../runtime/logger.ts';
import { mesosCodec, type Encoding } from './codec.ts';

/** Events that could not be used since the start. */
export interface EventCounts {
  /** Bytes that are no event. */
  readonly undecodable: number;
  /** Events of a type that is not known here, or without the body that belongs to their type. */
  readonly unknown: number;
}

/** Turns records into events. What it cannot read it logs and counts: one bad event must not end a subscription. */
export class EventReader<Name extends 'SchedulerEvent' | 'ExecutorEvent', Event> {
  readonly #name: Name;
  readonly #encoding: Encoding;
  readonly #narrow: (event: MesosMessages[Name]) => Event | undefined;
  readonly #log: Logger;
  #undecodable = 0;
  #unknown = 0;

  /** `narrow` gives the event with its body, undefined when it is none of those that we know. */
  constructor(
    name: Name,
    encoding: Encoding,
    narrow: (event: MesosMessages[Name]) => Event | undefined,
    log: Logger,
  ) {
    this.#name = name;
    this.#encoding = encoding;
    this.#narrow = narrow;
    this.#log = log;
  }

  get counts(): EventCounts {
    return { undecodable: this.#undecodable, unknown: this.#unknown };
  }

  /** The event; undefined when there is nothing to use. Empty records mean nothing. */
  read(record: Uint8Array): Event | undefined {
    if (record.byteLength === 0) return undefined;
    let message: MesosMessages[Name];
    try {
      message = mesosCodec.decode(this.#name, record, this.#encoding);
    } catch (error) {
      this.#undecodable += 1;
      this.#log.error('skipped an event that cannot be decoded', { error, count: this.#undecodable });
      return undefined;
    }
    const event = this.#narrow(message);
    if (event === undefined) {
      this.#unknown += 1;
      this.#log.warn('skipped an event of an unknown kind', { type: message.type, count: this.#unknown });
    }
    return event;
  }
}
