import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { MesosMessages } from '../../proto/mesos.gen.ts';
import { contentTypes, encodingOf, mesosCodec, type Encoding } from '../../src/mesos/codec.ts';
import { encodeRecord } from '../../src/mesos/recordio.ts';
import { Inbox } from './inbox.ts';

type CallName = 'SchedulerCall' | 'ExecutorCall';

/** A request that waits for the test to answer it. */
export interface FakeRequest<Name extends CallName> {
  readonly call: MesosMessages[Name];
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly encoding: Encoding;
  readonly response: ServerResponse;
}

/** A server on loopback that hands every request to the test: what it answers is the test's script. */
export class FakeMesos<Name extends CallName> {
  readonly requests = new Inbox<FakeRequest<Name>>();
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** With `tls` it speaks https. */
  static async start<Name extends CallName>(
    name: Name,
    socketPath?: string,
    tls?: { readonly cert: string; readonly key: string },
  ): Promise<FakeMesos<Name>> {
    const listener: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const encoding = encodingOf(request.headers['content-type']) ?? 'json';
        const call = mesosCodec.decode(name, Buffer.concat(chunks), encoding);
        fake.requests.put({ call, path: request.url ?? '', headers: request.headers, encoding, response });
      });
    };
    const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
    server.keepAliveTimeout = 0;
    const fake = new FakeMesos<Name>(server);
    await new Promise<void>((resolve) => {
      if (socketPath === undefined) server.listen(0, '127.0.0.1', resolve);
      else server.listen(socketPath, resolve);
    });
    return fake;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

/** The answer 200 to a SUBSCRIBE, and records on it. */
export class FakeStream {
  readonly #response: ServerResponse;
  readonly #name: 'SchedulerEvent' | 'ExecutorEvent';
  readonly #encoding: Encoding;

  constructor(request: FakeRequest<CallName>, name: 'SchedulerEvent' | 'ExecutorEvent', streamId?: string) {
    this.#response = request.response;
    this.#name = name;
    this.#encoding = request.encoding;
    this.#response.writeHead(200, {
      'Content-Type': contentTypes[request.encoding],
      ...(streamId === undefined ? {} : { 'Mesos-Stream-Id': streamId }),
    });
    this.#response.flushHeaders();
  }

  send(...events: readonly MesosMessages['SchedulerEvent' | 'ExecutorEvent'][]): void {
    this.raw(Buffer.concat(events.map((event) => this.record(event))));
  }

  record(event: MesosMessages['SchedulerEvent' | 'ExecutorEvent']): Buffer {
    return encodeRecord(mesosCodec.encode(this.#name, event, this.#encoding));
  }

  raw(bytes: Buffer): void {
    this.#response.write(bytes);
  }

  end(): void {
    this.#response.end();
  }

  /** As when the other side dies. */
  cut(): void {
    this.#response.destroy();
  }
}

/** Answers a call. */
export function answer(
  request: FakeRequest<CallName>,
  status: number,
  text = '',
  headers: Readonly<Record<string, string>> = {},
): void {
  request.response.writeHead(status, headers).end(text);
}
