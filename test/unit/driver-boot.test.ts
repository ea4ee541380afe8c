import { expect, test } from '@jest/globals';
import { boot } from '../../scheduler/driver/boot.ts';
import { MemoryStore } from '../../scheduler/store/memory-store.ts';
import { contents } from '../support/store-contract.ts';

const uuids = (): (() => string) => {
  let n = 0;
  return () => `uuid-${(n += 1)}`;
};

test('the first start chooses a framework id and makes it durable', async () => {
  const store = new MemoryStore();
  const { frameworkId, term, world } = await boot(store, uuids(), () => 'a key');
  expect(frameworkId).toBe('patchpanel-uuid-1');
  expect(world.frameworkId).toBe(frameworkId);
  expect(term).toBe(1);
  expect(await contents(store)).toEqual({
    'meta/framework-id': 'patchpanel-uuid-1',
    'meta/host-key': 'a key',
    'meta/schema': expect.any(Number),
    'meta/term': 1,
  });
});

test('every later start keeps the id and counts the term', async () => {
  const store = new MemoryStore();
  const uuid = uuids();
  await boot(store, uuid, () => 'a key');
  await boot(store, uuid, () => 'a key');
  const { frameworkId, term } = await boot(store, uuid, () => 'a key');
  expect(frameworkId).toBe('patchpanel-uuid-1');
  expect(term).toBe(3);
});

test('the key of the tokens of executors stays the same', async () => {
  const store = new MemoryStore();
  expect((await boot(store, uuids(), () => 'first')).hostKey).toBe('first');
  expect((await boot(store, uuids(), () => 'second')).hostKey).toBe('first');
});

test('tasks without a framework id are not started a second time under a new one', async () => {
  const store = new MemoryStore();
  await store.commit([{ kind: 'instance', key: 't', value: {} }]);
  await expect(boot(store, uuids(), () => 'a key')).rejects.toMatchObject({ code: 'corrupt' });
});
