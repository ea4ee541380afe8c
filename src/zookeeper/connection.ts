import { connect, type Socket } from 'node:net';
import type { Clock } from '../runtime/clock.ts';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import { refusal, ZooKeeperError } from './errors.ts';
import { isSilent, nextPingInMs } from './silence.ts';
import { framed, MessageFramer } from './framer.ts';
import { JuteReader } from './jute.ts';
import {
  decodeWelcome,
  encodeClose,
  encodeDigestAuth,
  encodeGreeting,
  encodePing,
  readNotification,
  readReplyHead,
  specialXids,
  type Greeting,
} from './messages.ts';

/** A list of all children of a node is the longest answer that we get. */
const maxMessageBytes = 64 * 1024 * 1024;

/** How long a server may take to end a session; it ends by itself otherwise. */
const goodbyeMs = 1_000;

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export interface ConnectionOptions {
  readonly clock: Clock;
  /** Milliseconds that never run backwards. */
  readonly monotonicMs: () => number;
  /** `user:password` */
  readonly credentials: string | undefined;
  /** Something that was watched for has changed. */
  readonly onNotification: (path: string) => void;
  /** A request that left at this moment was answered: the session lived then. */
  readonly onProof: (sentAtMs: number, zxid: bigint) => void;
  /** The connection is over. Called once. */
  readonly onClosed: (error: PatchpanelError) => void;
}

export interface Welcome {
  readonly timeoutMs: number;
  readonly sessionId: bigint;
  readonly password: Buffer;
}

interface Pending {
  readonly xid: number;
  readonly what: string;
  readonly sentAtMs: number;
  readonly resolve: (reader: JuteReader) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * One connection to one server, within a session.
 * INVARIANTS: each request ends exactly once, in the order of the requests; a server that is silent for two thirds of
 * the session's timeout is given up, so that a third is left to try another one.
 */
export class ZooKeeperConnection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #framer = new MessageFramer(maxMessageBytes);
  readonly #server: string;
  #pending: Pending[] = [];
  #welcomed: ((welcome: Welcome) => void) | undefined;
  #nextXid = 1;
  #pingSentAtMs = 0;
  #heardAtMs: number;
  #cancelTimer: (() => void) | undefined;
  #closed: PatchpanelError | undefined;

  private constructor(socket: Socket, server: ServerAddress, options: ConnectionOptions) {
    this.#options = options;
    this.#socket = socket;
    this.#server = `${server.host}:${server.port}`;
    this.#heardAtMs = options.monotonicMs();
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(messageOf(error)));
    socket.on('close', () => this.#end('the server closed the connection'));
  }

  /**
   * Connects, greets and shows the credentials.
   * @throws ZooKeeperError `connection-loss` when that does not come about within the limit, `session-expired` when the
   * server does not know the session any more
   */
  static async open(
    server: ServerAddress,
    greeting: Greeting,
    limitMs: number,
    options: ConnectionOptions,
  ): Promise<{ connection: ZooKeeperConnection; welcome: Welcome }> {
    const connection = new ZooKeeperConnection(connect(server.port, server.host), server, options);
    const sentAtMs = options.monotonicMs();
    const welcome = await connection.#greet(greeting, limitMs);
    if (welcome.timeoutMs <= 0) {
      connection.close();
      throw new ZooKeeperError(
        'session-expired',
        'ZooKeeper has ended the session: it was away for too long',
      );
    }
    options.onProof(sentAtMs, greeting.lastZxid);
    connection.#begin(welcome.timeoutMs);
    return { connection, welcome };
  }

  /** Sends a request; the answer's body can be read from what it resolves with. @throws ZooKeeperError */
  request(what: string, encode: (xid: number) => Buffer): Promise<JuteReader> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      const xid = this.#nextXid;
      this.#nextXid = xid === 0x7fffffff ? 1 : xid + 1;
      this.#pending.push({ xid, what, sentAtMs: this.#options.monotonicMs(), resolve, reject });
      this.#write(framed(encode(xid)));
    });
  }

  /** Requests on their way. */
  get outstanding(): number {
    return this.#pending.length;
  }

  /** Ends the session: what was ephemeral goes at once. Resolves when the server has said so, or after a moment. */
  async endSession(): Promise<void> {
    const cancel = this.#options.clock.after(goodbyeMs, () => this.close());
    await this.request('close', encodeClose).catch(() => undefined);
    cancel();
    this.close();
  }

  /** Breaks the connection; the session goes on for its timeout. */
  close(): void {
    this.#end('it was closed by us');
  }

  #greet(greeting: Greeting, limitMs: number): Promise<Welcome> {
    return new Promise((resolve, reject) => {
      const cancel = this.#options.clock.after(limitMs, () => this.#end(`no answer within ${limitMs} ms`));
      const settled = <T>(settle: (value: T) => void, value: T): void => {
        cancel();
        settle(value);
      };
      this.#pending.push({
        xid: 0,
        what: 'connect',
        sentAtMs: 0,
        resolve: () => undefined,
        reject: (error) => settled(reject, error),
      });
      this.#welcomed = (welcome) => settled(resolve, welcome);
      this.#socket.once('connect', () => this.#socket.write(framed(encodeGreeting(greeting))));
    });
  }

  /** What is requested in one turn leaves in one system call: at the start thousands of records are read. */
  #write(message: Buffer): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      process.nextTick(() => this.#socket.uncork());
    }
    this.#socket.write(message);
  }

  #begin(timeoutMs: number): void {
    const { credentials } = this.#options;
    if (credentials !== undefined) this.#socket.write(framed(encodeDigestAuth(credentials)));
    this.#ping(timeoutMs);
  }

  /** Three times within two thirds of the timeout, when a silent server is given up. */
  #ping(timeoutMs: number): void {
    const now = this.#options.monotonicMs();
    const heardAtMs = this.#heardAtMs;
    if (isSilent({ now, heardAtMs, pingedAtMs: this.#pingSentAtMs, timeoutMs })) {
      return this.#end(`it was silent for ${Math.round(now - heardAtMs)} ms`);
    }
    this.#pingSentAtMs = now;
    this.#socket.write(framed(encodePing()));
    this.#cancelTimer = this.#options.clock.after(nextPingInMs({ now, heardAtMs, timeoutMs }), () =>
      this.#ping(timeoutMs),
    );
  }

  #receive(chunk: Buffer): void {
    if (this.#closed !== undefined) return;
    this.#heardAtMs = this.#options.monotonicMs();
    try {
      for (const message of this.#framer.push(chunk)) this.#dispatch(message);
    } catch (error) {
      this.#end(messageOf(error));
    }
  }

  #dispatch(message: Buffer): void {
    if (this.#welcomed !== undefined) {
      const welcomed = this.#welcomed;
      this.#welcomed = undefined;
      this.#pending = [];
      return welcomed(decodeWelcome(message));
    }
    const reader = new JuteReader(message);
    const { xid, zxid, error } = readReplyHead(reader);
    switch (xid) {
      case specialXids.notification:
        return this.#options.onNotification(readNotification(reader));
      case specialXids.ping:
        return this.#options.onProof(this.#pingSentAtMs, zxid);
      case specialXids.auth:
        if (error !== 0) this.#end('the server refuses the user and password');
        return undefined;
      default:
        return this.#answer(xid, zxid, error, reader);
    }
  }

  #answer(xid: number, zxid: bigint, error: number, reader: JuteReader): void {
    const pending = this.#pending.shift();
    if (pending?.xid !== xid) {
      if (pending !== undefined) this.#pending.unshift(pending);
      return this.#end(`it answered ${xid} out of turn`);
    }
    this.#options.onProof(pending.sentAtMs, zxid);
    if (error === 0) pending.resolve(reader);
    else pending.reject(refusal(error, pending.what));
  }

  #end(why: string): void {
    if (this.#closed !== undefined) return;
    const error = new ZooKeeperError(
      'connection-loss',
      `no connection to ZooKeeper at ${this.#server}: ${why}`,
    );
    this.#closed = error;
    this.#cancelTimer?.();
    this.#socket.destroy();
    const pending = this.#pending;
    this.#pending = [];
    for (const each of pending) each.reject(error);
    this.#options.onClosed(error);
  }
}
