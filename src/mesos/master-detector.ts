import { systemClock } from '../runtime/clock.ts';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import type { Logger } from '../runtime/logger.ts';
import { Loop } from '../runtime/loop.ts';
import type { ZooKeeperAddress } from '../zookeeper/address.ts';
import { reasonOf } from '../zookeeper/errors.ts';
import { ZooKeeperSession } from '../zookeeper/session.ts';
import { decodeMaster, masterNodes, type AnnouncedMaster } from './master-nodes.ts';
import type { MasterSource } from './master-source.ts';

/**
 * Finds the masters where they announce themselves. What was found last stays valid while ZooKeeper is away: the masters
 * go on, too.
 */
export class MasterDetector implements MasterSource {
  readonly #address: ZooKeeperAddress;
  readonly #timeoutMs: number;
  readonly #log: Logger;
  readonly #listeners = new Set<() => void>();
  readonly #looks: Loop;
  #session: ZooKeeperSession;
  #masters: readonly AnnouncedMaster[] = [];
  #closed = false;

  constructor(address: ZooKeeperAddress, timeoutMs: number, log: Logger) {
    this.#address = address;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#session = this.#newSession();
    this.#looks = new Loop({
      clock: systemClock,
      round: () => this.#look(),
      onError: (error) => log.debug('cannot see the masters', { error: messageOf(error) }),
    });
    this.#looks.trigger();
  }

  addresses = (): readonly string[] => this.#masters.map(({ address }) => address);

  onChange = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  close = async (): Promise<void> => {
    this.#closed = true;
    const looks = this.#looks.stop();
    await this.#session.close();
    await looks;
  };

  #newSession(): ZooKeeperSession {
    const { servers, credentials } = this.#address;
    const session = new ZooKeeperSession({
      servers,
      credentials,
      timeoutMs: this.#timeoutMs,
      log: this.#log,
    });
    void session.ended.then(() => {
      if (this.#closed) return;
      this.#session = this.#newSession();
      this.#looks.trigger();
    });
    return session;
  }

  async #look(): Promise<void> {
    const session = this.#session;
    const { path } = this.#address;
    await session.connected();
    const names = masterNodes(await session.children(path, () => this.#looks.trigger()));
    const nodes = await Promise.all(names.map((name) => announced(session, path, name)));
    const found = nodes.filter((node) => node !== undefined);
    // None at all is more likely a moment between two than the end of all masters.
    if (found.length === 0) throw new PatchpanelError('not-found', `no master announces itself at ${path}`);
    const before = this.#masters[0];
    this.#masters = found;
    if (before?.id === found[0]?.id) return;
    this.#log.info('a Mesos master leads', { ...found[0] });
    for (const listener of this.#listeners) listener();
  }
}

async function announced(
  session: ZooKeeperSession,
  path: string,
  name: string,
): Promise<AnnouncedMaster | undefined> {
  try {
    return decodeMaster(name, (await session.get(`${path}/${name}`)).data);
  } catch (error) {
    if (reasonOf(error) === 'no-node') return undefined;
    throw error;
  }
}
