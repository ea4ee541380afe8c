import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { Membership } from '../../scheduler/election/membership.ts';
import { SupersededError } from '../../scheduler/store/superseded.ts';
import { Fence } from '../../scheduler/store/zookeeper/fence.ts';
import { withIdleStore, withSnapshot } from '../../scheduler/store/zookeeper/from-outside.ts';
import { Journal } from '../../scheduler/store/zookeeper/journal.ts';
import { openZooKeeperStore } from '../../scheduler/store/zookeeper/zookeeper-store.ts';
import type { Store, StoredRecord } from '../../scheduler/store/store.ts';
import { creatorAcl, openAcl } from '../../src/zookeeper/messages.ts';
import type { ZooKeeperSession } from '../../src/zookeeper/session.ts';
import { recordingLogger } from '../support/recording-logger.ts';
import { contents, put, storeContract } from '../support/store-contract.ts';
import { ZooKeeperBench } from '../support/zookeeper.ts';

let zk: ZooKeeperBench;

beforeAll(async () => {
  zk = await ZooKeeperBench.start();
});
afterEach(() => zk.endSessions());
afterAll(() => zk.stop());

const open = (session: ZooKeeperSession, root: string): Promise<Store> =>
  openZooKeeperStore({ session, root, acl: openAcl });

const counted = (records: readonly StoredRecord[]) => Promise.resolve(records.length);

storeContract('ZooKeeper store', async () => open(await zk.session(), zk.newTree()));

test('the next leader finds what the one before it had stored', async () => {
  const root = zk.newTree();
  const first = await open(await zk.session(), root);
  await first.commit([put('/web', 1), put('/a/b c%2F', 2), { kind: 'meta', key: '..', value: 3 }]);
  const second = await open(await zk.session(), root);
  expect(await contents(second)).toEqual({ 'app//web': 1, 'app//a/b c%2F': 2, 'meta/..': 3 });
});

test('a leader that was replaced writes nothing more, though its session lives', async () => {
  const root = zk.newTree();
  const old = await open(await zk.session(), root);
  await old.commit([put('/web', 'old')]);
  const next = await open(await zk.session(), root);
  await expect(old.commit([put('/web', 'late')])).rejects.toBeInstanceOf(SupersededError);
  await expect(old.commit([put('/other', 'late')])).rejects.toBeInstanceOf(SupersededError);
  expect(await contents(next)).toEqual({ 'app//web': 'old' });
});

test('a commit that a server outage interrupts is carried out once, when the server is back', async () => {
  const session = await zk.session();
  const store = await open(session, zk.newTree());
  await store.commit([put('/counter', 0)]);
  await zk.server.kill();
  const late = [store.commit([put('/counter', 1), put('/new', 1)]), store.commit([put('/counter', 2)])];
  await zk.server.restart();
  await Promise.all(late);
  expect(await contents(store)).toEqual({ 'app//counter': 2, 'app//new': 1 });
});

test('a server that hangs in the middle of commits loses and doubles none of them', async () => {
  const store = await open(await zk.session(6_000), zk.newTree());
  const commits = Array.from({ length: 40 }, (_, n) =>
    store.commit([put(`/n${n}`, n), put(`/n${n - 1}`, undefined), put('/newest', n)]),
  );
  zk.server.pause();
  // The client gives the silent server up, and asks again in vain, until it answers.
  const givenUp = await Promise.race([
    commits[39],
    new Promise((resolve) => setTimeout(resolve, 4_500, 'waits')),
  ]);
  zk.server.resume();
  expect(givenUp).toBe('waits');
  await Promise.all(commits);
  expect(await contents(store)).toEqual({ 'app//n39': 39, 'app//newest': 39 });
});

test('a commit that is larger than ZooKeeper takes at once is all there or not at all', async () => {
  const root = zk.newTree();
  const store = await open(await zk.session(), root);
  const large = Array.from({ length: 3_000 }, (_, n) => put(`/n${n}`, { n, text: 'x'.repeat(800) }));
  await store.commit(large);
  await store.commit([...large.map(({ key }) => put(key, undefined)), put('/left', 1)]);
  expect(await contents(store)).toEqual({ 'app//left': 1 });
});

test('what an earlier leader had begun to carry out its successor finishes; what was incomplete goes', async () => {
  const root = zk.newTree();
  const session = await zk.session();
  await open(session, root);
  const part = Buffer.from(JSON.stringify([put('/kept', 1), { kind: 'app', key: '/gone' }]));
  await session.create(`${root}/journal/part-0`, part, openAcl, 0);
  const incomplete = await open(session, root);
  expect(await contents(incomplete)).toEqual({});
  await session.create(`${root}/journal/part-0`, part, openAcl, 0);
  await session.create(`${root}/journal/complete`, Buffer.from('{"parts":1}'), openAcl, 0);
  const recovered = await open(session, root);
  expect(await contents(recovered)).toEqual({ 'app//kept': 1 });
  expect(await session.children(`${root}/journal`)).toEqual([]);
});

/** Text that does not shrink, of so many characters, half of them of three bytes. */
const noise = (length: number): string =>
  Array.from({ length: length / 2 }, () =>
    String.fromCharCode(0x4e00 + Math.floor(Math.random() * 0x5000), 0x21 + Math.floor(Math.random() * 90)),
  ).join('');

test('a record that no node can hold is spread over several, and shrinks and goes as a whole', async () => {
  const root = zk.newTree();
  const session = await zk.session();
  const store = await open(session, root);
  const [long, longer] = [noise(1_200_000), noise(2_000_000)];
  const pieces = () => session.children(`${root}/more`);
  await store.commit([put('/huge', long), put('/web', 1)]);
  expect(await contents(store)).toEqual({ 'app//huge': long, 'app//web': 1 });
  await store.commit([put('/huge', longer), put('/other', long)]);
  const next = await open(await zk.session(), root);
  expect(await contents(next)).toEqual({ 'app//huge': longer, 'app//other': long, 'app//web': 1 });
  expect(await withSnapshot(`zk://${zk.server.address}${root}`, recordingLogger(), counted)).toBe(3);
  await next.commit([put('/huge', 'short'), put('/other', undefined)]);
  expect(await contents(next)).toEqual({ 'app//huge': 'short', 'app//web': 1 });
  expect(await pieces()).toEqual([]);
});

test('a long record that a leader had made durable and not carried out is carried out by the next one', async () => {
  const root = zk.newTree();
  const session = await zk.session();
  await open(session, root);
  const long = noise(600_000);
  const fence = await Fence.take(session, `${root}/epoch`, openAcl);
  await new Journal(session, fence, `${root}/journal`, openAcl).keep([
    put('/huge', long),
    put('/gone', undefined),
    put('/web', 1),
  ]);
  expect(await contents(await open(session, root))).toEqual({ 'app//huge': long, 'app//web': 1 });
});

test('only who knows the password reads or writes the records', async () => {
  const root = zk.newTree();
  const owner = await zk.session(10_000, 'patch:panel');
  const store = await openZooKeeperStore({ session: owner, root, acl: creatorAcl });
  await store.commit([{ kind: 'meta', key: 'host-key', value: 'secret' }]);
  const stranger = await zk.session();
  await expect(stranger.get(`${root}/state/meta/host-key`)).rejects.toMatchObject({ reason: 'no-auth' });
  await expect(open(stranger, root)).rejects.toMatchObject({
    code: 'denied',
    message: expect.stringContaining('zk://user:password@'),
  });
  const again = await openZooKeeperStore({
    session: await zk.session(10_000, 'patch:panel'),
    root,
    acl: creatorAcl,
  });
  expect(await contents(again)).toEqual({ 'meta/host-key': 'secret' });
});

test('a tree of a newer layout is not opened', async () => {
  const root = zk.newTree();
  const session = await zk.session();
  await open(session, root);
  await session.set(`${root}/schema`, Buffer.from('2'), -1);
  await expect(open(session, root)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('layout 2'),
  });
});

test('the state can be worked on while no scheduler runs on it, and only then', async () => {
  const root = zk.newTree();
  const address = `zk://${zk.server.address}${root}`;
  const log = recordingLogger();
  await withIdleStore(address, log, (store) => store.commit([put('/web', 1)]));
  expect(await withIdleStore(address, log, contents)).toEqual({ 'app//web': 1 });
  const session = await zk.session();
  const membership = await Membership.join({
    session,
    path: `${root}/election`,
    acl: openAcl,
    self: { id: 'a:1', url: 'http://a:1' },
    log,
    onLeader: () => undefined,
  });
  await membership.elected;
  await expect(withIdleStore(address, log, contents)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('1 schedulers run'),
  });
});
