import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { stateFileLines } from '../../scheduler/store/state-file.ts';
import type { RecordWrite, StoredRecord } from '../../scheduler/store/store.ts';
import { importState } from '../../scheduler/store/transfer.ts';
import { Layout } from '../../scheduler/store/zookeeper/layout.ts';
import { readSnapshot } from '../../scheduler/store/zookeeper/snapshot.ts';
import { openZooKeeperStore } from '../../scheduler/store/zookeeper/zookeeper-store.ts';
import { withIdleStore, withSnapshot } from '../../scheduler/store/zookeeper/from-outside.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { nodeModes, openAcl } from '../../src/zookeeper/messages.ts';
import { ZooKeeperBench } from '../support/zookeeper.ts';

let bench: ZooKeeperBench;

beforeAll(async () => {
  bench = await ZooKeeperBench.start();
});

afterEach(() => bench.endSessions());

afterAll(() => bench.stop());

const addressOf = (tree: string): string => `zk://${bench.server.address}${tree}`;
const log = recordingLogger();

const all = (records: readonly StoredRecord[]): Promise<Record<string, unknown>> =>
  Promise.resolve(Object.fromEntries(records.map(({ kind, key, value }) => [`${kind}/${key}`, value])));

const app = (key: string, value: unknown): RecordWrite => ({ kind: 'app', key, value });
const header = { program: '0.1.0', exportedAt: '2026-11-27T12:00:00.000Z' };

/** The lines of an export as a reader of lines gives them. */
async function* exported(records: readonly StoredRecord[]): AsyncGenerator<string> {
  for await (const line of stateFileLines(records, header)) yield line.trimEnd();
}

test('a state goes from one tree to another by its export', async () => {
  const [from, to] = [addressOf(bench.newTree()), addressOf(bench.newTree())];
  await expect(withSnapshot(from, log, all)).rejects.toMatchObject({ code: 'not-found' });
  await withIdleStore(from, log, (store) =>
    store.commit([app('/a', { id: '/a', version: '1' }), app('/b/c', { id: '/b/c', version: '2' })]),
  );
  await withSnapshot(from, log, (records) =>
    withIdleStore(to, log, (store) => importState(store, exported(records), { replace: false })),
  );
  expect(await withSnapshot(to, log, all)).toMatchObject({
    'app//a': { id: '/a' },
    'app//b/c': { id: '/b/c' },
    'group//b': { id: '/b' },
    'meta/schema': expect.any(Number),
  });
  const again = withSnapshot(from, log, (records) =>
    withIdleStore(to, log, (store) => importState(store, exported(records), { replace: false })),
  );
  await expect(again).rejects.toMatchObject({ code: 'conflict' });
});

test('what is read while a leader writes is of one moment, and the leader does not notice', async () => {
  const root = bench.newTree();
  const store = await openZooKeeperStore({ session: await bench.session(), root, acl: openAcl });
  const reader = await bench.session();
  await store.commit(Array.from({ length: 40 }, (_, n) => app(`/${n}`, 0)));
  const end = new AbortController();
  const writer = (async () => {
    for (let n = 1; !end.signal.aborted; n += 1) {
      // All of them change together; in between there are pauses to read in.
      await store.commit(Array.from({ length: 40 }, (_, key) => app(`/${key}`, n)));
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 150));
    }
  })();
  try {
    for (let round = 0; round < 3; round += 1) {
      const values = (await readSnapshot(reader, root)).map(({ value }) => value);
      expect([values.length, new Set(values).size]).toEqual([40, 1]);
    }
  } finally {
    end.abort();
    await writer;
    await store.close();
  }
});

test('nothing is imported under schedulers that are at work', async () => {
  const tree = bench.newTree();
  const place = addressOf(tree);
  await withIdleStore(place, log, (store) => store.commit([app('/a', 1)]));
  const scheduler = await bench.session();
  const { election } = new Layout(tree);
  if (!(await scheduler.exists(election))) {
    await scheduler.create(election, Buffer.alloc(0), openAcl, nodeModes.persistent);
  }
  await scheduler.create(`${election}/candidate`, Buffer.alloc(0), openAcl, nodeModes.ephemeralSequential);
  const importing = withIdleStore(place, log, (store) => store.commit([app('/a', 2)]));
  await expect(importing).rejects.toMatchObject({ code: 'conflict' });
  expect(await withSnapshot(place, log, all)).toEqual({ 'app//a': 1 });
});
