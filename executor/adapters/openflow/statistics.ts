import { connect, type Socket } from 'node:net';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import {
  countsOf,
  encodeMessage,
  MessageFramer,
  messageType,
  statisticsRequest,
  sumsOf,
  tellsMore,
  type FlowCount,
  type FlowSums,
  type OpenFlowMessage,
} from './messages.ts';

/** Which flows: those of one table whose cookie is `cookie` under `mask`. */
export interface FlowFilter {
  readonly table: number;
  readonly cookie: bigint;
  readonly mask: bigint;
}

/** Asks a switch for counters of flows, one request at a time. */
export interface StatisticsReader {
  /** The counters of all flows of the filter together. Cheap: one message comes back. */
  sums(filter: FlowFilter): Promise<FlowSums>;
  /** The counters of each flow of the filter. */
  counts(filter: FlowFilter): Promise<readonly FlowCount[]>;
}

/**
 * Opens an OpenFlow connection for one look at counters and closes it.
 * @throws PatchpanelError `unavailable` when the switch does not answer, `external` when it refuses, `deadline`
 */
export async function readStatistics<T>(
  socketPath: string,
  timeoutMs: number,
  look: (reader: StatisticsReader) => Promise<T>,
): Promise<T> {
  const connection = new StatisticsConnection(socketPath, timeoutMs);
  try {
    return await look(connection);
  } finally {
    connection.close();
  }
}

/**
 * INVARIANTS: at most one request is under way; when the connection ends, it and all later ones fail.
 */
class StatisticsConnection implements StatisticsReader {
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #pending:
    | {
        readonly xid: number;
        readonly bodies: Uint8Array[];
        readonly resolve: (bodies: Uint8Array[]) => void;
        readonly reject: (error: unknown) => void;
      }
    | undefined;
  #xid = 0;
  #ended: PatchpanelError | undefined;

  constructor(socketPath: string, timeoutMs: number) {
    const framer = new MessageFramer();
    this.#socket = connect(socketPath);
    this.#timer = setTimeout(
      () => this.#end(new PatchpanelError('deadline', `no counters of flows within ${timeoutMs} ms`)),
      timeoutMs,
    );
    this.#socket.write(encodeMessage({ type: messageType.hello, xid: 0, body: new Uint8Array(0) }));
    this.#socket.on('error', (error) => this.#end(unavailable(messageOf(error))));
    this.#socket.on('close', () => this.#end(unavailable('it closed the connection')));
    this.#socket.on('data', (chunk) => {
      try {
        for (const message of framer.push(chunk)) this.#receive(message);
      } catch (error) {
        this.#end(unavailable(messageOf(error)));
      }
    });
  }

  async sums(filter: FlowFilter): Promise<FlowSums> {
    return sumsOf(await this.#ask('aggregate', filter));
  }

  async counts(filter: FlowFilter): Promise<readonly FlowCount[]> {
    return (await this.#ask('flow', filter)).flatMap(countsOf);
  }

  close(): void {
    this.#end(unavailable('the connection was closed'));
  }

  #ask(kind: 'flow' | 'aggregate', filter: FlowFilter): Promise<Uint8Array[]> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) return reject(this.#ended);
      this.#xid += 1;
      this.#pending = { xid: this.#xid, bodies: [], resolve, reject };
      const body = statisticsRequest(kind, filter);
      this.#socket.write(encodeMessage({ type: messageType.multipartRequest, xid: this.#xid, body }));
    });
  }

  #receive({ type, xid, body }: OpenFlowMessage): void {
    const pending = this.#pending;
    if (type === messageType.echoRequest) {
      this.#socket.write(encodeMessage({ type: messageType.echoReply, xid, body }));
    } else if (xid === pending?.xid && type === messageType.error) {
      this.#pending = undefined;
      pending.reject(new PatchpanelError('external', 'Open vSwitch refuses to tell counters of flows'));
    } else if (xid === pending?.xid && type === messageType.multipartReply) {
      pending.bodies.push(body);
      if (tellsMore(body)) return;
      this.#pending = undefined;
      pending.resolve(pending.bodies);
    }
  }

  #end(error: PatchpanelError): void {
    if (this.#ended !== undefined) return;
    this.#ended = error;
    clearTimeout(this.#timer);
    this.#socket.destroy();
    this.#pending?.reject(error);
    this.#pending = undefined;
  }
}

const unavailable = (why: string) => new PatchpanelError('unavailable', `counters of flows: ${why}`);
