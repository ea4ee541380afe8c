import { sleep } from '../../../src/runtime/deadline.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { reasonOf } from '../../../src/zookeeper/errors.ts';
import type { ZooKeeperSession } from '../../../src/zookeeper/session.ts';
import { recordKinds } from '../record-key.ts';
import type { RecordKind, StoredRecord } from '../store.ts';
import { keyOf, Layout } from './layout.ts';
import { decodeRecord, joinPieces } from './record-bytes.ts';

const attempts = 40;
const pauseMs = 250;

/** Records that are read at the same time. */
const readAhead = 512;

/**
 * Every record as of one moment, while schedulers may be at work: each of their transactions changes the version of the
 * epoch, so what was read between two equal versions belongs together.
 * @throws PatchpanelError `not-found` when no scheduler has been there, `unavailable` when changes come too fast
 */
export async function readSnapshot(
  session: ZooKeeperSession,
  root: string,
): Promise<readonly StoredRecord[]> {
  const layout = new Layout(root);
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (attempt > 0) await sleep(pauseMs);
    const before = await epochVersion(session, layout);
    const records = await readAll(session, layout);
    if (records !== undefined && (await epochVersion(session, layout)) === before) return records;
  }
  throw new PatchpanelError(
    'unavailable',
    `the state below ${root} changed during each of ${attempts} attempts to read it; try again when less happens`,
  );
}

async function epochVersion(session: ZooKeeperSession, { root, epoch }: Layout): Promise<number> {
  try {
    await session.sync(epoch);
    return (await session.get(epoch)).stat.version;
  } catch (error) {
    if (reasonOf(error) !== 'no-node') throw error;
    throw new PatchpanelError('not-found', `there is no state below ${root} in ZooKeeper`, { cause: error });
  }
}

/** Undefined: something changes meanwhile, or was made durable by the journal and is not carried out yet. */
async function readAll(session: ZooKeeperSession, layout: Layout): Promise<StoredRecord[] | undefined> {
  try {
    if ((await session.children(layout.journal)).length > 0) return undefined;
    const records: StoredRecord[] = [];
    for (const kind of recordKinds) {
      const folder = layout.kind(kind);
      const names = await childrenOf(session, folder);
      for (let at = 0; at < names.length; at += readAhead) {
        const read = names
          .slice(at, at + readAhead)
          .map((name) => readRecord(session, layout, kind, keyOf(name)));
        records.push(...(await Promise.all(read)));
      }
    }
    return records;
  } catch (error) {
    if (reasonOf(error) === 'no-node') return undefined;
    throw error;
  }
}

/** @throws ZooKeeperError `no-node`, PatchpanelError `corrupt` */
export async function readRecord(
  session: ZooKeeperSession,
  layout: Layout,
  kind: RecordKind,
  key: string,
): Promise<StoredRecord> {
  const path = layout.record(kind, key);
  const { data } = await session.get(path);
  const whole = await joinPieces(
    data,
    async (piece) => (await session.get(layout.piece(kind, key, piece))).data,
  );
  return { kind, key, value: decodeRecord(whole, path) };
}

/** Folders of kinds that a scheduler of an earlier version did not know are missing. */
async function childrenOf(session: ZooKeeperSession, folder: string): Promise<readonly string[]> {
  return (await session.exists(folder)) ? session.children(folder) : [];
}
