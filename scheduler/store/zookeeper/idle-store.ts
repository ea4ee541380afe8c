import { withDeadline } from '../../../src/runtime/deadline.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { parseZooKeeperAddress } from '../../../src/zookeeper/address.ts';
import { reasonOf } from '../../../src/zookeeper/errors.ts';
import { creatorAcl, openAcl } from '../../../src/zookeeper/messages.ts';
import { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import { explainDenied } from '../../../src/zookeeper/tree.ts';
import type { Store } from '../store.ts';
import { Layout } from './layout.ts';
import { openZooKeeperStore } from './zookeeper-store.ts';

const sessionMs = 10_000;
const connectMs = 15_000;

/**
 * Works on the state in ZooKeeper while no scheduler runs on it.
 * @throws PatchpanelError `conflict` when one does, `deadline` when ZooKeeper cannot be reached, `denied`
 */
export async function withIdleStore<T>(
  address: string,
  log: Logger,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const { servers, credentials, path } = parseZooKeeperAddress(address);
  const session = new ZooKeeperSession({ servers, credentials, timeoutMs: sessionMs, log });
  try {
    await withDeadline(session.connected(), connectMs, 'the connection to ZooKeeper');
    await requireIdle(session, new Layout(path).election);
    const acl = credentials === undefined ? openAcl : creatorAcl;
    const store = await openZooKeeperStore({ session, root: path, acl });
    const result = await work(store);
    await store.close();
    return result;
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
