import { randomUUID } from 'node:crypto';
import { messageOf } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { reasonOf } from '../../src/zookeeper/errors.ts';
import { nodeModes, type Acl } from '../../src/zookeeper/messages.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/session.ts';
import { ensurePath } from '../../src/zookeeper/tree.ts';
import { decodeCandidate, encodeCandidate, inOrder, type Candidate } from './candidates.ts';

export interface MembershipOptions {
  readonly session: ZooKeeperSession;
  /** The node below which the candidates' nodes are. */
  readonly path: string;
  readonly acl: readonly Acl[];
  readonly self: Candidate;
  readonly log: Logger;
  /** Who leads has changed, or is not known any more. */
  readonly onLeader: (leader: Candidate | undefined) => void;
}

/**
 * A scheduler's place in the queue of those that could lead: an ephemeral node, the oldest one leads.
 * INVARIANT: `elected` resolves at most once, when this one's node is the oldest; from then on the place is only lost
 * with the session, or by leave().
 */
export class Membership {
  readonly elected: Promise<void>;
  readonly #options: MembershipOptions;
  readonly #node: string;
  #resolveElected!: () => void;
  #left = false;
  #looking = false;
  #again = false;

  private constructor(options: MembershipOptions, node: string) {
    this.#options = options;
    this.#node = node;
    this.elected = new Promise((resolve) => (this.#resolveElected = resolve));
  }

  /** Queues up behind those who are there. @throws ZooKeeperError */
  static async join(options: MembershipOptions): Promise<Membership> {
    const { session, path, acl } = options;
    await ensurePath(session, path, acl);
    const membership = new Membership(options, await makeNode(options));
    membership.#look();
    return membership;
  }

  /** Whether ZooKeeper still knows this place. @throws what ended the session */
  async isKnown(): Promise<boolean> {
    for (;;) {
      try {
        await this.#options.session.connected();
        await this.#options.session.sync(this.#node);
        return await this.#options.session.exists(this.#node);
      } catch (error) {
        if (reasonOf(error) !== 'connection-loss') throw error;
      }
    }
  }

  /** Gives the place up; the next in the queue leads at once. */
  async leave(): Promise<void> {
    this.#left = true;
    await this.#options.session.delete(this.#node).catch((error: unknown) => {
      // It goes with the session at the latest.
      this.#options.log.info('could not leave the election', { error: messageOf(error) });
    });
  }

  /** Finds out who leads now and waits for the next change. One look at a time. */
  #look(): void {
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = true;
    void this.#lookOnce().finally(() => {
      this.#looking = false;
      if (!this.#again) return;
      this.#again = false;
      this.#look();
    });
  }

  async #lookOnce(): Promise<void> {
    const { session, path, log, onLeader } = this.#options;
    if (this.#left) return;
    try {
      const [first] = inOrder(await session.children(path, () => this.#look()));
      if (first === undefined) return onLeader(undefined);
      if (`${path}/${first}` === this.#node) return this.#resolveElected();
      onLeader(decodeCandidate((await session.get(`${path}/${first}`)).data));
    } catch (error) {
      // A node that went between the two questions calls the watcher; so does the next connection.
      if (reasonOf(error) !== 'no-node') log.debug('cannot see who leads', { error: messageOf(error) });
    }
  }
}

/**
 * Makes the node exactly once: when the connection breaks meanwhile it is looked for by a name that nobody else has.
 */
async function makeNode({ session, path, acl, self }: MembershipOptions): Promise<string> {
  const mark = `${randomUUID()}-`;
  for (;;) {
    try {
      await session.connected();
      await session.sync(path);
      const made = (await session.children(path)).find((name) => name.startsWith(mark));
      if (made !== undefined) return `${path}/${made}`;
      return await session.create(
        `${path}/${mark}`,
        encodeCandidate(self),
        acl,
        nodeModes.ephemeralSequential,
      );
    } catch (error) {
      if (reasonOf(error) !== 'connection-loss') throw error;
    }
  }
}
