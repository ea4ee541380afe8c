import { withDeadline } from '../../../src/runtime/deadline.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { parseZooKeeperAddress } from '../../../src/zookeeper/address.ts';
import { reasonOf } from '../../../src/zookeeper/errors.ts';
import { creatorAcl, openAcl, type Acl } from '../../../src/zookeeper/messages.ts';
import { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import { explainDenied } from '../../../src/zookeeper/tree.ts';
import type { Store, StoredRecord } from '../store.ts';
import { Layout } from './layout.ts';
import { readSnapshot } from './snapshot.ts';
import { openZooKeeperStore } from './zookeeper-store.ts';

const sessionMs = 10_000;
const connectMs = 15_000;

/**
 * Works on the state in ZooKeeper while no scheduler runs on it.
 * @throws PatchpanelError `conflict` when one does, `deadline` when ZooKeeper cannot be reached, `denied`
 */
export function withIdleStore<T>(
  address: string,
  log: Logger,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  return withSession(address, log, async (session, path, acl) => {
    await requireIdle(session, new Layout(path).election);
    const store = await openZooKeeperStore({ session, root: path, acl });
    const result = await work(store);
    await store.close();
    return result;
  });
}

/**
 * Works on every record in ZooKeeper as of one moment; schedulers may be at work meanwhile.
 * @throws PatchpanelError as readSnapshot, `deadline` when ZooKeeper cannot be reached, `denied`
 */
export function withSnapshot<T>(
  address: string,
  log: Logger,
  work: (records: readonly StoredRecord[]) => Promise<T>,
): Promise<T> {
  return withSession(address, log, async (session, path) => work(await readSnapshot(session, path)));
}

async function withSession<T>(
  address: string,
  log: Logger,
  work: (session: ZooKeeperSession, path: string, acl: readonly Acl[]) => Promise<T>,
): Promise<T> {
  const { servers, credentials, path } = parseZooKeeperAddress(address);
  const session = new ZooKeeperSession({ servers, credentials, timeoutMs: sessionMs, log });
  try {
    await withDeadline(session.connected(), connectMs, 'the connection to ZooKeeper');
    return await work(session, path, credentials === undefined ? openAcl : creatorAcl);
  } catch (error) {
    throw explainDenied(error, path);
  } finally {
    await session.close();
  }
}

async function requireIdle(session: ZooKeeperSession, election: string): Promise<void> {
  const running = await session.children(election).catch((error: unknown) => {
    if (reasonOf(error) === 'no-node') return [];
    throw error;
  });
  if (running.length === 0) return;
  throw new PatchpanelError(
    'conflict',
    `${running.length} schedulers run on this state: stop them; one that was killed is there until its session ends`,
  );
}
