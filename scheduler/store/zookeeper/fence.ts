import { randomUUID } from 'node:crypto';
import { codeOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import { reasonOf } from '../../../src/zookeeper/errors.ts';
import { sizeOf, type Acl, type Operation } from '../../../src/zookeeper/messages.ts';
import type { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import { SupersededError } from '../superseded.ts';

/**
 * The right to write. Whoever leads takes the epoch node over; each transaction sets it, on condition that it still has
 * the version that the one before left. So a leader that was replaced, however late it wakes up, writes nothing; and
 * after a lost connection the version tells whether the transaction under way was carried out.
 * INVARIANT: one transaction is under way at a time.
 */
export class Fence {
  readonly #session: ZooKeeperSession;
  readonly #path: string;
  readonly #mark: Buffer;
  #version: number;

  private constructor(session: ZooKeeperSession, path: string, mark: Buffer, version: number) {
    this.#session = session;
    this.#path = path;
    this.#mark = mark;
    this.#version = version;
  }

  /** Takes the epoch over: from now on nobody else can write. @throws ZooKeeperError */
  static async take(session: ZooKeeperSession, path: string, acl: readonly Acl[]): Promise<Fence> {
    const mark = Buffer.from(JSON.stringify({ owner: randomUUID(), session: session.id?.toString(16) }));
    try {
      const { version } = await session.set(path, mark, -1);
      return new Fence(session, path, mark, version);
    } catch (error) {
      if (reasonOf(error) !== 'no-node') throw error;
      await session.create(path, mark, acl, 0);
      return new Fence(session, path, mark, 0);
    }
  }

  /** Bytes of a transaction that are the fence's. */
  get bytes(): number {
    return sizeOf(this.#guard());
  }

  /**
   * Carries all operations out or none, exactly once, however often the connection breaks meanwhile.
   * @throws SupersededError when somebody else has the epoch or the session is over
   */
  async write(operations: readonly Operation[]): Promise<void> {
    for (let done = false; !done; done = done || (await this.#wasDone())) {
      try {
        await this.#session.connected();
        await this.#session.multi([this.#guard(), ...operations]);
        done = true;
      } catch (error) {
        if (!isUncertain(error)) throw this.#explain(error);
      }
    }
    this.#version += 1;
  }

  /** After a transaction of which nothing is known. */
  async #wasDone(): Promise<boolean> {
    for (;;) {
      try {
        await this.#session.connected();
        await this.#session.sync(this.#path);
        const { data, stat } = await this.#session.get(this.#path);
        if (!data.equals(this.#mark)) throw taken();
        return stat.version !== this.#version;
      } catch (error) {
        if (!isUncertain(error)) throw this.#explain(error);
      }
    }
  }

  #guard(): Operation {
    return { kind: 'set', path: this.#path, data: this.#mark, version: this.#version };
  }

  #explain(error: unknown): unknown {
    const reason = reasonOf(error);
    if (reason === 'bad-version') return taken(error);
    if (reason === 'session-expired' || codeOf(error) === 'aborted') {
      return new SupersededError('its session with ZooKeeper is over', error);
    }
    if (reason !== 'no-node' && reason !== 'node-exists') return error;
    return new PatchpanelError(
      'corrupt',
      'somebody else changes our records in ZooKeeper: find out who, then start again',
      { cause: error },
    );
  }
}

const taken = (cause?: unknown): SupersededError =>
  new SupersededError('another one has taken the epoch', cause);

/** The connection was lost, or the request reached a server that the session had left: it may have been done or not. */
const isUncertain = (error: unknown): boolean =>
  reasonOf(error) === 'connection-loss' || reasonOf(error) === 'session-moved';
