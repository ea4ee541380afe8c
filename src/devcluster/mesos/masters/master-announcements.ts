import type { Logger } from '../../../runtime/logger.ts';
import { parseZooKeeperAddress, type ZooKeeperAddress } from '../../../zookeeper/address.ts';
import { nodeModes, openAcl } from '../../../zookeeper/messages.ts';
import { ZooKeeperSession } from '../../../zookeeper/session.ts';
import { ensurePath } from '../../../zookeeper/tree.ts';
import { version } from '../core/version.ts';

export interface MasterIdentity {
  readonly id: string;
  /** An IPv4 address. */
  readonly host: string;
  readonly port: number;
}

const sessionTimeoutMs = 10_000;

/**
 * The nodes by which masters are found: one session for each master, as each real one has its own; the oldest node is
 * the leader's.
 */
export class MasterAnnouncements {
  readonly #address: ZooKeeperAddress;
  readonly #log: Logger;
  readonly #sessions = new Map<number, ZooKeeperSession>();

  constructor(zookeeper: string, log: Logger) {
    this.#address = parseZooKeeperAddress(zookeeper);
    this.#log = log;
  }

  /** The master queues up behind those who are there. */
  async announce(index: number, master: MasterIdentity): Promise<void> {
    const { servers, credentials, path } = this.#address;
    const session = new ZooKeeperSession({
      servers,
      credentials,
      timeoutMs: sessionTimeoutMs,
      log: this.#log,
    });
    this.#sessions.set(index, session);
    await session.connected();
    await ensurePath(session, path, openAcl);
    await session.create(`${path}/json.info_`, masterNode(master), openAcl, nodeModes.ephemeralSequential);
  }

  /** The master is dead, and ZooKeeper has noticed. */
  async withdraw(index: number): Promise<void> {
    await this.#sessions.get(index)?.close();
    this.#sessions.delete(index);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((index) => this.withdraw(index)));
  }
}

/** As Mesos 1.12 writes it. */
function masterNode({ id, host, port }: MasterIdentity): Buffer {
  const ip = host.split('.').reduce((sum, part, index) => sum + Number(part) * 256 ** index, 0);
  return Buffer.from(
    JSON.stringify({
      address: { hostname: host, ip: host, port },
      capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
      hostname: host,
      id,
      ip,
      pid: `master@${host}:${port}`,
      port,
      version: version.version,
    }),
  );
}
