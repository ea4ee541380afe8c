import { stateTree } from '../../src/devcluster/programs.ts';
import { ZooKeeperSession } from '../../src/zookeeper/session.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { afterOwner, noOwners, type Owners } from './owners.ts';

const epoch = `/${stateTree}/epoch`;

/** Longer than any fault keeps ZooKeeper away. */
const sessionMs = 60_000;

/** Follows who may write: each leader takes the epoch over, and each of its transactions leaves its name there. */
export class EpochWatch {
  readonly #session: ZooKeeperSession;
  readonly #onChange = (): void => void this.#look().catch(() => undefined);
  #owners: Owners = noOwners;

  /** @param address of a ZooKeeper server */
  constructor(address: string) {
    const [host = '', port] = address.split(':');
    const servers = [{ host, port: Number(port) }];
    this.#session = new ZooKeeperSession({ servers, timeoutMs: sessionMs, log: recordingLogger() });
    void this.#session.connected().then(this.#onChange, () => undefined);
  }

  /** How many have led. */
  get leaders(): number {
    return this.#owners.seen.length;
  }

  /** What is wrong with the order in which they wrote. @throws ZooKeeperError when that cannot be seen */
  async findings(): Promise<readonly string[]> {
    await this.#look();
    return this.#owners.problems;
  }

  close(): Promise<void> {
    return this.#session.close();
  }

  /** Without a connection the watcher is called when there is one again. */
  async #look(): Promise<void> {
    const { data } = await this.#session.get(epoch, this.#onChange);
    const { owner } = JSON.parse(data.toString('utf8')) as { owner: string };
    this.#owners = afterOwner(this.#owners, owner);
  }
}
