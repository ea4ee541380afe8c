import type { ServerResponse } from 'node:http';
import type { MesosMessages } from '../../../../proto/mesos.gen.ts';
import { contentTypes, mesosCodec, type Encoding } from '../../../mesos/codec.ts';
import { encodeRecord } from '../../../mesos/recordio.ts';

const maxBufferedBytes = 256 * 1024 * 1024;

/**
 * An endless RecordIO answer.
 * INVARIANTS: each event is one record in one write; a reader that lags by more than 256 MiB is cut off; nothing is
 * written after the end.
 */
export class RecordStream<Name extends 'SchedulerEvent' | 'ExecutorEvent'> {
  readonly #response: ServerResponse;
  readonly #encoding: Encoding;
  readonly #name: Name;

  /** Sends the head of the answer. */
  constructor(
    response: ServerResponse,
    encoding: Encoding,
    name: Name,
    headers: Readonly<Record<string, string>>,
  ) {
    this.#response = response;
    this.#encoding = encoding;
    this.#name = name;
    response.writeHead(200, { ...headers, 'Content-Type': contentTypes[encoding] });
    response.flushHeaders();
  }

  send(event: MesosMessages[Name]): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    this.#response.write(encodeRecord(mesosCodec.encode(this.#name, event, this.#encoding)));
    if (this.#response.writableLength > maxBufferedBytes) this.#response.destroy();
  }

  end(): void {
    this.#response.end();
  }

  /** Breaks the connection without an end of the answer. */
  destroy(): void {
    this.#response.destroy();
  }
}
