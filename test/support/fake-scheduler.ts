import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { viewCodec } from '../../executor/adapters/views/view-codec.ts';
import { diffViews } from '../../src/fabric/view-diff.ts';
import {
  recordToWire,
  reportFromWire,
  type HostReport,
  type ViewRecord,
} from '../../src/fabric/view-wire.ts';
import type { EndpointKey, View } from '../../src/fabric/view.ts';
import { encodeRecord } from '../../src/mesos/recordio.ts';

/** The two calls of the scheduler's API that hosts make, with everything under the test's control. */
export class FakeScheduler {
  readonly reports: HostReport[] = [];
  /** The query of each view stream that was opened. */
  readonly opened: string[] = [];
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #view: View | undefined;
  #listeners = new Set<() => void>();
  /** What is answered instead of the API, when set. */
  answerWith: { readonly status: number; readonly location?: string } | undefined;

  constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.dropStreams();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Gives every stream the view: as a change where that is possible. */
  setView(view: View): void {
    const before = this.#view;
    this.#view = view;
    const delta = before?.version.term === view.version.term ? diffViews(before, view) : undefined;
    this.send(delta === undefined ? { kind: 'snapshot', view } : { kind: 'delta', delta });
  }

  converge(endpoint: EndpointKey): void {
    this.send({ kind: 'converged', endpoint, state: 'active' });
  }

  send(record: ViewRecord): void {
    for (const stream of this.#streams) stream.write(encode(record));
  }

  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
    this.#streams.clear();
  }

  /** Resolves when a report satisfies the condition, with that report. */
  async reported(condition: (report: HostReport) => boolean): Promise<HostReport> {
    for (;;) {
      const found = this.reports.find(condition);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#listeners.add(resolve));
    }
  }

  /** Resolves when that many streams have been opened in all. */
  async openedTimes(count: number): Promise<void> {
    while (this.opened.length < count) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', 'http://scheduler');
    if (this.answerWith !== undefined) {
      const { status, location } = this.answerWith;
      response.writeHead(status, location === undefined ? {} : { location }).end();
    } else if (url.pathname.endsWith('/report')) {
      this.reports.push(reportFromWire(viewCodec.decode('ViewReport', Buffer.concat(body), 'protobuf')));
      response.writeHead(202).end();
    } else {
      this.opened.push(url.search);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' });
      response.flushHeaders();
      this.#streams.add(response);
      response.on('close', () => this.#streams.delete(response));
      this.#greet(response, url.searchParams);
    }
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  #greet(response: ServerResponse, have: URLSearchParams): void {
    const view = this.#view;
    const current =
      view !== undefined &&
      Number(have.get('term')) === view.version.term &&
      Number(have.get('n')) === view.version.n;
    if (view === undefined || current) response.write(encode({ kind: 'heartbeat' }));
    else response.write(encode({ kind: 'snapshot', view }));
  }
}

const encode = (record: ViewRecord) =>
  encodeRecord(viewCodec.encode('ViewRecord', recordToWire(record), 'protobuf'));
