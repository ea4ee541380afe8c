import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { restore } from '../../scheduler/core/restore.ts';
import { step } from '../../scheduler/core/step.ts';
import type { World } from '../../scheduler/core/world.ts';
import { boot } from '../../scheduler/driver/boot.ts';
import { openEmbeddedStore } from '../../scheduler/store/embedded-store.ts';
import { MemoryStore } from '../../scheduler/store/memory-store.ts';
import { migrations } from '../../scheduler/store/migrations/all.ts';
import { latestVersion, migrate, type Migration } from '../../scheduler/store/migrations/migrate.ts';
import { stateFileLines } from '../../scheduler/store/state-file.ts';
import type { Store, StoredRecord } from '../../scheduler/store/store.ts';
import { importState } from '../../scheduler/store/transfer.ts';
import { ApiHarness } from '../support/api.ts';
import { settings } from '../support/core-bench.ts';
import { contents } from '../support/store-contract.ts';

const directories: string[] = [];

afterEach(async () => {
  await Promise.all(directories.splice(0).map((made) => rm(made, { recursive: true })));
});

/** The store of a scheduler of 0.1.0 that was killed in the middle of a redeploy, see test/data/stores. */
async function earlierStore(): Promise<Store> {
  const directory = await mkdtemp(join(tmpdir(), 'pp-earlier-'));
  directories.push(directory);
  await cp('test/data/stores/0.1.0', join(directory, 'store'), { recursive: true });
  return openEmbeddedStore(directory, 'existing');
}

const start = (store: Store) =>
  boot(
    store,
    () => 'new-id',
    () => 'new-key',
  );

const app = (key: string, value: unknown): StoredRecord => ({ kind: 'app', key, value });
const schema = (value: unknown): StoredRecord => ({ kind: 'meta', key: 'schema', value });

/** Two steps that build on each other. */
const steps: readonly Migration[] = [
  {
    to: 2,
    writes: (records) => records.filter(({ kind }) => kind === 'app').map(({ key }) => app(key, 'two')),
  },
  {
    to: 3,
    writes: (records) =>
      records.flatMap(({ kind, key, value }) =>
        kind === 'app' && value === 'two' ? [app(key, undefined), app(`${key}-three`, 'three')] : [],
      ),
  },
];

test('records of an early version go through every step since, those of a later one only through the rest', () => {
  const fromFirst = migrate([app('/a', 'one')], steps);
  expect(fromFirst).toMatchObject({ from: 1, to: 3 });
  expect(fromFirst.records).toEqual([app('/a-three', 'three'), schema(3)]);
  expect(fromFirst.writes).toEqual([app('/a', undefined), app('/a-three', 'three'), schema(3)]);
  const fromSecond = migrate([app('/a', 'kept'), app('/b', 'two'), schema(2)], steps);
  expect(fromSecond.records).toEqual([app('/a', 'kept'), schema(3), app('/b-three', 'three')]);
});

test('what is current is left alone, and a new store only gets its version', () => {
  expect(migrate([app('/a', 'x'), schema(3)], steps).writes).toEqual([]);
  expect(migrate([], steps).writes).toEqual([schema(3)]);
});

test.each([
  [4, 'newer Patchpanel (records of version 4, this program reads up to 3)'],
  ['x', 'which is no version'],
  [0, 'which is no version'],
])('records of version %j are refused', (version, message) => {
  expect(() => migrate([schema(version)], steps)).toThrow(message);
});

test('the steps lead from one version to the next without a gap', () => {
  expect(migrations.map(({ to }) => to)).toEqual(migrations.map((_, index) => index + 2));
});

test('version 2: every group that an app is in has a record with the version of its newest app', () => {
  const apps = [
    ['/shop/web', '2026-01-02T00:00:00.000Z'],
    ['/shop/back/db', '2026-01-03T00:00:00.000Z'],
    ['/alone', '2026-01-01T00:00:00.000Z'],
  ].map(([id = '', version]) => app(id, { id, version }));
  const kept = { id: '/shop', dependencies: ['/alone'], version: '2026-01-02T00:00:00.000Z' };
  const group = (key: string, value: unknown): StoredRecord => ({ kind: 'group', key, value });
  const { writes } = migrate([...apps, group('/shop', kept)], migrations.slice(0, 1));
  const newest = '2026-01-03T00:00:00.000Z';
  expect(writes).toEqual([
    group('/', { id: '/', dependencies: [], version: newest }),
    group('/shop/back', { id: '/shop/back', dependencies: [], version: newest }),
    schema(2),
  ]);
});

test('a store of a newer version is refused and stays as it is', async () => {
  const store = new MemoryStore();
  await store.commit([schema(latestVersion(migrations) + 1)]);
  await expect(start(store)).rejects.toMatchObject({ code: 'corrupt' });
  expect(Object.keys(await contents(store))).toEqual(['meta/schema']);
});

const tasksOf = (world: World): string[] => [...world.instances.keys()].sort();

test("the previous version's data: everything is there, its tasks go on under their ids, a second start changes nothing", async () => {
  const store = await earlierStore();
  const before = await contents(store);
  const ids = Object.keys(before).flatMap((key) => (key.startsWith('instance/') ? [key.slice(9)] : []));
  const { world, frameworkId, hostKey, migrated } = await start(store);
  expect(migrated).toEqual({ from: 1, to: latestVersion(migrations) });
  expect([frameworkId, hostKey]).toEqual([before['meta/framework-id'], before['meta/host-key']]);
  expect(tasksOf(world)).toEqual(ids.sort());
  expect([
    world.apps.size,
    world.slots.size,
    world.networks.size,
    world.hosts.size,
    world.executors.size,
  ]).toEqual([4, 8, 2, 3, 3]);

  expect([...world.groups.keys()].sort()).toEqual(['/', '/shop']);

  // Mesos says that all of them run, as it does after a subscription.
  const context = { now: Date.now(), uuid: () => 'uuid', isConnected: () => false };
  const asked = step(world, settings, { kind: 'subscribed', frameworkId }, context).effects;
  const named = asked.flatMap((effect) => (effect.kind === 'reconcile' ? effect.tasks : []));
  expect(named.map(({ taskId }) => taskId as string).sort()).toEqual(tasksOf(world));
  expect(asked.filter(({ kind }) => kind === 'kill')).toEqual([]);

  expect((await start(store)).migrated).toEqual({ from: migrated.to, to: migrated.to });
  await store.close();
});

test("the previous version's data: the API shows all of it", async () => {
  const store = await earlierStore();
  const stored: StoredRecord[] = [];
  for await (const record of store.load()) stored.push(record);
  await store.close();
  const api = new ApiHarness();
  restore(api.world, migrate(stored, migrations).records);
  api.step({ kind: 'tick' });
  const shown = async (path: string): Promise<string> => {
    const { status, body } = await api.call('GET', path);
    expect([path, status]).toEqual([path, 200]);
    return JSON.stringify(body);
  };
  const apps = await shown('/v2/apps?embed=apps.tasks&embed=apps.lastTaskFailure');
  for (const id of api.world.instances.keys()) expect(apps).toContain(id);
  expect(await shown('/v2/apps//shop/web/versions')).toContain('versions');
  expect(await shown('/v2/groups')).toContain('"/shop/web"');
  expect(JSON.parse(await shown('/v2/deployments'))).toHaveLength(2);
  for (const path of ['/v2/tasks', '/v2/queue', '/v2/info']) await shown(path);
  expect(await shown('/v1/networks')).toContain('10.50.0.0/24');
  expect(await shown('/v1/hosts')).toContain('h3.example');
});

async function exported(store: Store): Promise<string[]> {
  const lines: string[] = [];
  const header = { program: '0.1.0', exportedAt: '2026-11-27T11:00:00.000Z' };
  for await (const line of stateFileLines(store.load(), header)) lines.push(line.trimEnd());
  return lines;
}

async function* linesOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

test('an exported state is imported as the same cluster, with room for what happened since', async () => {
  const from = await earlierStore();
  const before = await contents(from);
  const lines = await exported(from);
  await from.close();
  const to = new MemoryStore();
  expect(await importState(to, linesOf(lines), { replace: false })).toMatchObject({ replaced: 0 });
  const { world, term, frameworkId } = await start(to);
  expect(frameworkId).toBe(before['meta/framework-id']);
  expect(term).toBe(Number(before['meta/term']) + 1_000_001);
  const slot = [...world.slots.values()].find(({ id }) => (id as string) === '/shop/web#0');
  expect(slot).toMatchObject({ epoch: 1_002, activeEpoch: 1, lease: { ip: '10.32.0.10' } });
  expect(world.instances.size).toBe(9);
});

test('a state that is there is only replaced when asked, and then as a whole', async () => {
  const from = await earlierStore();
  const lines = await exported(from);
  await from.close();
  const to = new MemoryStore();
  await to.commit([app('/old', {})]);
  await expect(importState(to, linesOf(lines), { replace: false })).rejects.toMatchObject({
    code: 'conflict',
  });
  expect(await contents(to)).toEqual({ 'app//old': {} });
  expect(await importState(to, linesOf(lines), { replace: true })).toMatchObject({ replaced: 1 });
  expect(Object.keys(await contents(to))).not.toContain('app//old');
});

test('a file that is cut off, changed, or something else is refused by its line, and nothing is imported', async () => {
  const from = await earlierStore();
  const lines = await exported(from);
  await from.close();
  const to = new MemoryStore();
  const trying = (changed: readonly string[]) => importState(to, linesOf(changed), { replace: false });
  await expect(trying([])).rejects.toThrow('the file is empty');
  await expect(trying(lines.slice(0, -1))).rejects.toThrow(
    `line ${lines.length - 1}: the file ends too early`,
  );
  await expect(trying([...lines, '{}'])).rejects.toThrow('there is more after the end');
  await expect(trying([lines[0]!, ...lines.slice(2)])).rejects.toThrow('number or checksum differs');
  await expect(trying(lines.map((line) => line.replace('10.32.0.10', '10.32.0.99')))).rejects.toThrow(
    'checksum',
  );
  await expect(trying(['{"apps": []}'])).rejects.toThrow('line 1: this is no state');
  await expect(trying([lines[0]!, '{"kind": "pod", "key": "x", "value": 1}'])).rejects.toThrow('line 2: ');
  await expect(trying([lines[0]!.replace('"formatVersion":1', '"formatVersion":2')])).rejects.toThrow(
    'newer',
  );
  expect(await contents(to)).toEqual({});
});
