import { backoffMs } from '../runtime/backoff.ts';
import { systemClock, type Clock } from '../runtime/clock.ts';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { attemptOrder } from './attempt-order.ts';
import { ZooKeeperConnection, type ServerAddress, type Welcome } from './connection.ts';
import { reasonOf, refusal, ZooKeeperError } from './errors.ts';
import type { JuteReader } from './jute.ts';
import {
  encodeChildren,
  encodeExists,
  encodeGet,
  encodeMulti,
  encodeOperation,
  encodeSync,
  readMultiFailure,
  readStat,
  type Acl,
  type NodeStat,
  type Operation,
} from './messages.ts';

export interface SessionOptions {
  readonly servers: readonly ServerAddress[];
  /** `user:password` */
  readonly credentials?: string | undefined;
  /** How long the session outlives the last sign of us, milliseconds; the servers may change it. */
  readonly timeoutMs: number;
  readonly log: Logger;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly monotonicMs?: () => number;
}

export interface NodeData {
  readonly data: Buffer;
  readonly stat: NodeStat;
}

/** Requests that may be on their way at once; more fail. Those who read a lot keep far below it. */
const maxOutstanding = 4096;

/** Between two rounds of attempts; several have to fit into the session's timeout. */
const reconnect = { baseMs: 50, maxMs: 2_000, factor: 2 };

/**
 * One session with ZooKeeper, over one connection after another.
 *
 * INVARIANTS: after `ended` has resolved nothing is sent any more; requests never wait for a connection: without one
 * they fail with `connection-loss`, and so do those under way when it breaks, of which nothing is known then. A watcher
 * is called at most once: at the change it waits for, or when the session gets another connection, since changes may
 * have been missed meanwhile.
 */
export class ZooKeeperSession {
  /** Resolves with the reason when the session is over for good. */
  readonly ended: Promise<PatchpanelError>;
  readonly #options: SessionOptions;
  readonly #clock: Clock;
  readonly #monotonicMs: () => number;
  readonly #watchers = new Map<string, Set<() => void>>();
  readonly #stateListeners = new Set<() => void>();
  #resolveEnded!: (reason: PatchpanelError) => void;
  #connection: ZooKeeperConnection | undefined;
  /** The one that it is or was connected to last. */
  #server: ServerAddress | undefined;
  #identity: Welcome | undefined;
  #lastZxid = 0n;
  #provenAtMs = Number.NEGATIVE_INFINITY;
  #over: PatchpanelError | undefined;
  #cancelRetry: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#monotonicMs = options.monotonicMs ?? (() => performance.now());
    this.ended = new Promise((resolve) => (this.#resolveEnded = resolve));
    void this.#connect(0);
  }

  /** Whether there is a connection, and a server can have no reason yet to let the session expire. */
  get alive(): boolean {
    return this.#connection !== undefined && this.#monotonicMs() - this.#provenAtMs < this.timeoutMs;
  }

  /** The timeout that the servers agreed to, milliseconds. */
  get timeoutMs(): number {
    return this.#identity?.timeoutMs ?? this.#options.timeoutMs;
  }

  /** The session's number, once there is one: whoever made an ephemeral node is known by it. */
  get id(): bigint | undefined {
    return this.#identity?.sessionId;
  }

  /** Calls back whenever `alive` may have changed, and at the end; the result ends that. */
  onChange(listener: () => void): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  /** Resolves when there is a connection. @throws what ended the session, or PatchpanelError `aborted` */
  connected(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        if (signal?.aborted === true) done(() => reject(new PatchpanelError('aborted', 'no longer needed')));
        else if (this.#over !== undefined) done(() => reject(this.#over));
        else if (this.#connection !== undefined) done(resolve);
      };
      const done = (settle: () => void): void => {
        stopListening();
        signal?.removeEventListener('abort', check);
        settle();
      };
      const stopListening = this.onChange(check);
      signal?.addEventListener('abort', check);
      check();
    });
  }

  /** The path of the new node, which differs from the wish for sequential ones. @throws ZooKeeperError */
  async create(path: string, data: Uint8Array, acl: readonly Acl[], mode: number): Promise<string> {
    const operation: Operation = { kind: 'create', path, data, acl, mode };
    return (await this.#request(`create ${path}`, (xid) => encodeOperation(xid, operation))).string();
  }

  /** @throws ZooKeeperError `no-node` */
  async delete(path: string): Promise<void> {
    await this.#request(`delete ${path}`, (xid) => encodeOperation(xid, { kind: 'delete', path }));
  }

  /** The node's new state. `version` -1: whatever it is. @throws ZooKeeperError `bad-version`, `no-node` */
  async set(path: string, data: Uint8Array, version: number): Promise<NodeStat> {
    const operation: Operation = { kind: 'set', path, data, version };
    return readStat(await this.#request(`set ${path}`, (xid) => encodeOperation(xid, operation)));
  }

  /** @throws ZooKeeperError `no-node` */
  async get(path: string, onChange?: () => void): Promise<NodeData> {
    this.#watch(path, onChange);
    const reader = await this.#request(`get ${path}`, (xid) => encodeGet(xid, path, onChange !== undefined));
    return { data: reader.buffer(), stat: readStat(reader) };
  }

  /** Names of the children, in no order. @throws ZooKeeperError `no-node` */
  async children(path: string, onChange?: () => void): Promise<string[]> {
    this.#watch(path, onChange);
    const reader = await this.#request(`children of ${path}`, (xid) =>
      encodeChildren(xid, path, onChange !== undefined),
    );
    return reader.vector(() => reader.string());
  }

  async exists(path: string): Promise<boolean> {
    try {
      await this.#request(`exists ${path}`, (xid) => encodeExists(xid, path));
      return true;
    } catch (error) {
      if (reasonOf(error) === 'no-node') return false;
      throw error;
    }
  }

  /** Reads after this see everything that was written before it, through whatever server. */
  async sync(path: string): Promise<void> {
    await this.#request(`sync ${path}`, (xid) => encodeSync(xid, path));
  }

  /** Does all of it or nothing. @throws ZooKeeperError of the operation that failed */
  async multi(operations: readonly Operation[]): Promise<void> {
    const reader = await this.#request('transaction', (xid) => encodeMulti(xid, operations));
    const failure = readMultiFailure(reader);
    if (failure === undefined) return;
    const failed = operations[failure.index];
    throw refusal(failure.code, `transaction: ${failed?.kind} ${failed?.path}`);
  }

  /** Ends the session at once, so that nobody has to wait for its timeout. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#end(new PatchpanelError('aborted', 'the session with ZooKeeper was closed'));
    await connection?.endSession();
  }

  #request(what: string, encode: (xid: number) => Buffer): Promise<JuteReader> {
    if (this.#over !== undefined) return Promise.reject(this.#over);
    if (this.#connection === undefined) {
      return Promise.reject(new ZooKeeperError('connection-loss', `no connection to ZooKeeper: ${what}`));
    }
    if (this.#connection.outstanding >= maxOutstanding) {
      return Promise.reject(
        new PatchpanelError('unavailable', `${maxOutstanding} requests already wait for ZooKeeper`),
      );
    }
    return this.#connection.request(what, encode);
  }

  #watch(path: string, onChange: (() => void) | undefined): void {
    if (onChange === undefined) return;
    const watchers = this.#watchers.get(path) ?? new Set();
    watchers.add(onChange);
    this.#watchers.set(path, watchers);
  }

  #notify(path: string): void {
    const watchers = this.#watchers.get(path);
    this.#watchers.delete(path);
    for (const onChange of watchers ?? []) onChange();
  }

  /** Tries every server once, and then waits a little longer each time. */
  async #connect(attempt: number): Promise<void> {
    const { servers, log, random = Math.random } = this.#options;
    for (const server of attemptOrder(servers, this.#server, random)) {
      if (this.#over !== undefined) return;
      try {
        return await this.#connectTo(server);
      } catch (error) {
        if (reasonOf(error) === 'session-expired') return this.#end(error as ZooKeeperError);
        if (attempt === 0) log.warn('no connection to ZooKeeper', { ...server, error: messageOf(error) });
      }
    }
    if (this.#over !== undefined) return;
    const maxMs = Math.min(reconnect.maxMs, this.timeoutMs / 10);
    const delayMs = backoffMs({ ...reconnect, maxMs }, attempt, random);
    this.#cancelRetry = this.#clock.after(delayMs, () => void this.#connect(attempt + 1));
  }

  async #connectTo(server: ServerAddress): Promise<void> {
    const { timeoutMs, servers, credentials, log } = this.#options;
    let opened: ZooKeeperConnection | undefined;
    let lost = false;
    const { connection, welcome } = await ZooKeeperConnection.open(
      server,
      {
        lastZxid: this.#lastZxid,
        timeoutMs,
        sessionId: this.#identity?.sessionId ?? 0n,
        password: this.#identity?.password ?? Buffer.alloc(16),
      },
      Math.max(500, timeoutMs / 3 / servers.length),
      {
        clock: this.#clock,
        monotonicMs: this.#monotonicMs,
        credentials,
        onNotification: (path) => this.#notify(path),
        onProof: (sentAtMs, zxid) => this.#proven(sentAtMs, zxid),
        onClosed: (error) => {
          lost = true;
          if (opened !== undefined) this.#disconnected(error);
        },
      },
    );
    if (this.#over !== undefined) return connection.close();
    if (lost) throw new ZooKeeperError('connection-loss', 'the connection broke at once');
    opened = connection;
    this.#connection = connection;
    this.#server = server;
    this.#identity = welcome;
    log.info('connected to ZooKeeper', { ...server, session: welcome.sessionId.toString(16) });
    this.#changed();
    // Watchers set anew by those that are called wait for the next change.
    const paths = Array.from(this.#watchers.keys());
    for (const path of paths) this.#notify(path);
  }

  #proven(sentAtMs: number, zxid: bigint): void {
    const wasAlive = this.alive;
    this.#provenAtMs = Math.max(this.#provenAtMs, sentAtMs);
    if (zxid > this.#lastZxid) this.#lastZxid = zxid;
    // After a pause of this process that the servers have put up with.
    if (!wasAlive && this.alive) this.#changed();
  }

  #disconnected(error: PatchpanelError): void {
    this.#connection = undefined;
    if (this.#over !== undefined) return;
    this.#options.log.warn('lost the connection to ZooKeeper', { error: messageOf(error) });
    this.#changed();
    void this.#connect(0);
  }

  #end(reason: PatchpanelError): void {
    if (this.#over !== undefined) return;
    this.#over = reason;
    this.#cancelRetry?.();
    this.#watchers.clear();
    this.#connection = undefined;
    this.#resolveEnded(reason);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#stateListeners) listener();
  }
}
