import { connect, type Socket } from 'node:net';
import type { Clock } from '../../../src/runtime/clock.ts';
import { PatchpanelError, messageOf } from '../../../src/runtime/errors.ts';
import { JsonFramer } from './json-framer.ts';

export interface ConnectionOptions {
  readonly socketPath: string;
  readonly clock: Clock;
  /** Requests that may wait for an answer at the same time; more are refused. */
  readonly maxPending?: number;
  /** Called for each message of the server that is not an answer. */
  readonly onNotification: (method: string, params: unknown) => void;
  /** Called once, when the connection has ended for whatever reason. */
  readonly onClosed: (reason: PatchpanelError) => void;
}

interface Pending {
  readonly method: string;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
  readonly cancelDeadline: () => void;
}

/**
 * One JSON-RPC 1.0 connection over a Unix socket, as ovsdb-server and the control sockets of Open vSwitch speak it.
 * INVARIANTS: each request ends exactly once, by answer, deadline or the end of the connection; echo requests of the
 * server are answered at once.
 */
export class JsonRpcConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #framer = new JsonFramer();
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #closed: PatchpanelError | undefined;

  private constructor(socket: Socket, options: ConnectionOptions) {
    this.#options = options;
    this.#socket = socket;
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(lost(options.socketPath, messageOf(error))));
    socket.on('close', () => this.#end(lost(options.socketPath, 'the server closed the connection')));
  }

  /** @throws PatchpanelError `unavailable` when nobody listens, `deadline` when that takes too long */
  static open(options: ConnectionOptions, timeoutMs: number): Promise<JsonRpcConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect(options.socketPath);
      const fail = (error: PatchpanelError) => {
        cancel();
        socket.destroy();
        reject(error);
      };
      const onError = (error: unknown) => fail(lost(options.socketPath, messageOf(error)));
      const cancel = options.clock.after(timeoutMs, () =>
        fail(new PatchpanelError('deadline', `${options.socketPath} did not accept within ${timeoutMs} ms`)),
      );
      socket.once('error', onError);
      socket.once('connect', () => {
        cancel();
        socket.off('error', onError);
        resolve(new JsonRpcConnection(socket, options));
      });
    });
  }

  /**
   * The result of a call.
   * @throws PatchpanelError `external` with the server's error, `deadline`, `unavailable` when the connection ends or
   * too many calls wait
   */
  request(method: string, params: unknown, timeoutMs: number): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const { maxPending = 256, clock, socketPath } = this.#options;
    if (this.#pending.size >= maxPending) {
      return Promise.reject(
        new PatchpanelError(
          'unavailable',
          `${maxPending} calls already wait for ${socketPath}; try again later`,
        ),
      );
    }
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const cancelDeadline = clock.after(timeoutMs, () => {
        this.#pending.delete(id);
        reject(new PatchpanelError('deadline', `${socketPath}: ${method} took longer than ${timeoutMs} ms`));
      });
      this.#pending.set(id, { method, resolve, reject, cancelDeadline });
      this.#send({ method, params, id });
    });
  }

  /** Ends the connection; calls that wait are rejected. */
  close(): void {
    this.#end(lost(this.#options.socketPath, 'it was closed by us'));
  }

  #send(message: unknown): void {
    this.#socket.write(JSON.stringify(message));
  }

  #receive(chunk: Uint8Array): void {
    try {
      for (const message of this.#framer.push(chunk)) this.#dispatch(message as Record<string, unknown>);
    } catch (error) {
      this.#end(
        new PatchpanelError('protocol', `${this.#options.socketPath}: ${messageOf(error)}`, { cause: error }),
      );
    }
  }

  #dispatch(message: Readonly<Record<string, unknown>>): void {
    const { id, method, params } = message;
    if (method === 'echo') return this.#send({ result: params, error: null, id });
    if (typeof method === 'string') return this.#options.onNotification(method, params);
    const pending = this.#pending.get(Number(id));
    if (pending === undefined) return;
    this.#pending.delete(Number(id));
    pending.cancelDeadline();
    if (message['error'] === null || message['error'] === undefined)
      return pending.resolve(message['result']);
    pending.reject(refused(this.#options.socketPath, pending.method, message['error']));
  }

  #end(reason: PatchpanelError): void {
    if (this.#closed !== undefined) return;
    this.#closed = reason;
    this.#socket.destroy();
    for (const pending of this.#pending.values()) {
      pending.cancelDeadline();
      pending.reject(reason);
    }
    this.#pending.clear();
    this.#options.onClosed(reason);
  }
}

const lost = (socketPath: string, why: string) =>
  new PatchpanelError('unavailable', `no connection to ${socketPath}: ${why}`);

const refused = (socketPath: string, method: string, error: unknown) =>
  new PatchpanelError(
    'external',
    `${socketPath} refused ${method}: ${typeof error === 'string' ? error.trim() : JSON.stringify(error)}`,
  );
