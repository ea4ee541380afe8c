import { backoffMs } from '../../../src/runtime/backoff.ts';
import type { Clock } from '../../../src/runtime/clock.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { JsonRpcConnection } from './connection.ts';
import { transactionResults, type Operation, type OperationResult } from './operations.ts';
import { RowCache, type Rows } from './row-cache.ts';
import { monitoredColumns } from './rows.ts';
import { ConditionWaiters } from '../../fabric/condition-waiters.ts';

const DATABASE = 'Open_vSwitch';
const REQUEST_TIMEOUT_MS = 5_000;
const reconnectBackoff = { baseMs: 50, maxMs: 500, factor: 2 };

export interface OvsdbClientOptions {
  readonly socketPath: string;
  /** Name of the lock that makes us the only writer of our kind on this server. */
  readonly lock: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** After each change of the copy. Must not throw. */
  readonly onChange: () => void;
  /** Connected, the copy is complete, the lock is ours: also after each reconnect. */
  readonly onReady: () => void;
  /** The connection or the lock was lost; onReady follows when both are back. */
  readonly onLost: (reason: string) => void;
}

/**
 * A connection to ovsdb-server that comes back by itself, with a live copy of the tables that we use.
 * INVARIANTS: at most one connection is open; `ready` means copy complete and lock held; every transaction asserts
 * the lock, so a writer that lost it without knowing changes nothing.
 */
export class OvsdbClient {
  readonly #options: OvsdbClientOptions;
  readonly #rows = new RowCache();
  readonly #waiters: ConditionWaiters;
  #connection: JsonRpcConnection | undefined;
  #locked = false;
  #synced = false;
  #stopped = false;
  #attempt = 0;
  #cancelRetry: (() => void) | undefined;

  constructor(options: OvsdbClientOptions) {
    this.#options = options;
    this.#waiters = new ConditionWaiters(options.clock);
  }

  get rows(): Rows {
    return this.#rows;
  }

  get ready(): boolean {
    return this.#synced && this.#locked;
  }

  /**
   * Resolves when `ready` is true.
   * @throws PatchpanelError `deadline`, `aborted` by the signal or stop()
   */
  async whenReady(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const what = `connecting to ovsdb-server at ${this.#options.socketPath}`;
    await this.until(what, () => (this.ready ? true : undefined), timeoutMs, signal);
  }

  /** Whether the connection is there but another program holds the lock. */
  get lockedOut(): boolean {
    return this.#synced && !this.#locked;
  }

  /**
   * Resolves when the copy is complete, whoever holds the lock.
   * @throws PatchpanelError `deadline`, `aborted` by stop()
   */
  async whenSynced(timeoutMs: number): Promise<void> {
    const what = `connecting to ovsdb-server at ${this.#options.socketPath}`;
    await this.until(what, () => (this.#synced ? true : undefined), timeoutMs);
  }

  /** Begins to connect; onReady tells when it is there. */
  start(): void {
    void this.#connect();
  }

  /** Closes the connection, which also gives up the lock; waits end with `aborted`. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#waiters.abort();
    this.#connection?.close();
  }

  /**
   * Commits the operations as a whole.
   * @throws PatchpanelError `external` when the server refuses one of them, `unavailable` or `deadline` when it
   * cannot be known whether it did
   */
  async transact(operations: readonly Operation[]): Promise<readonly OperationResult[]> {
    const connection = this.#connection;
    if (connection === undefined || !this.ready) {
      throw new PatchpanelError(
        'unavailable',
        `ovsdb-server at ${this.#options.socketPath} cannot be used now`,
      );
    }
    const all: Operation[] = [{ op: 'assert', lock: this.#options.lock }, ...operations];
    const reply = await connection.request('transact', [DATABASE, ...all], REQUEST_TIMEOUT_MS);
    return transactionResults(reply, all).slice(1);
  }

  /**
   * The first value other than undefined that `probe` finds in the copy; it is asked now and after each change. What
   * it throws ends the wait.
   * @throws PatchpanelError `deadline` when nothing was found in timeoutMs, `aborted` by the signal or stop()
   */
  until<T>(
    what: string,
    probe: (rows: Rows) => T | undefined,
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<T> {
    return this.#waiters.add(what, () => probe(this.#rows), timeoutMs, signal);
  }

  async #connect(): Promise<void> {
    const { socketPath, clock } = this.#options;
    try {
      this.#connection = await JsonRpcConnection.open(
        {
          socketPath,
          clock,
          onNotification: (method, params) => this.#notified(method, params),
          onClosed: (reason) => this.#lost(reason),
        },
        REQUEST_TIMEOUT_MS,
      );
      if (this.#stopped) return this.#connection.close();
      await this.#sync(this.#connection);
    } catch (error) {
      if (this.#connection === undefined) this.#retry(error);
      else this.#connection.close();
    }
  }

  async #sync(connection: JsonRpcConnection): Promise<void> {
    const tables = Object.fromEntries(
      Object.entries(monitoredColumns).map(([name, columns]) => [name, { columns }]),
    );
    const rows = await connection.request('monitor', [DATABASE, 'patchpanel', tables], REQUEST_TIMEOUT_MS);
    this.#rows.clear();
    this.#rows.apply(rows);
    this.#synced = true;
    this.#attempt = 0;
    const lock = await connection.request('lock', [this.#options.lock], REQUEST_TIMEOUT_MS);
    if ((lock as { locked?: unknown }).locked === true) this.#lockGained();
    else
      this.#options.log.warn('another program holds our lock in ovsdb-server', { lock: this.#options.lock });
    this.#changed();
  }

  #notified(method: string, params: unknown): void {
    const content = Array.isArray(params) ? (params as unknown[]) : [];
    if (method === 'update' && content[0] === 'patchpanel') {
      this.#rows.apply(content[1]);
      this.#changed();
    } else if (method === 'locked') {
      this.#lockGained();
    } else if (method === 'stolen') {
      this.#locked = false;
      this.#options.onLost(`the lock ${this.#options.lock} was taken away`);
    }
  }

  #lockGained(): void {
    if (this.#locked) return;
    this.#locked = true;
    this.#waiters.check();
    this.#options.onReady();
  }

  #changed(): void {
    this.#waiters.check();
    this.#options.onChange();
  }

  #lost(reason: PatchpanelError): void {
    const wasReady = this.ready;
    this.#connection = undefined;
    this.#locked = false;
    this.#synced = false;
    if (this.#stopped) return;
    if (wasReady) this.#options.onLost(reason.message);
    this.#retry(reason);
  }

  #retry(error: unknown): void {
    if (this.#stopped) return;
    const { clock, random, log, socketPath } = this.#options;
    const delayMs = backoffMs(reconnectBackoff, this.#attempt, random);
    if (this.#attempt === 0) log.warn('no connection to ovsdb-server', { socketPath, error });
    this.#attempt += 1;
    this.#cancelRetry = clock.after(delayMs, () => void this.#connect());
  }
}
