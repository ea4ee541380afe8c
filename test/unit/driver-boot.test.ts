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
  const { frameworkId, term, world } = await boot(store, uuids());
  expect(frameworkId).toBe('patchpanel-uuid-1');
  expect(world.frameworkId).toBe(frameworkId);
  expect(term).toBe(1);
  expect(await contents(store)).toEqual({ 'meta/framework-id': 'patchpanel-uuid-1', 'meta/term': 1 });
});

test('every later start keeps the id and counts the term', async () => {
  const store = new MemoryStore();
  const uuid = uuids();
  await boot(store, uuid);
  await boot(store, uuid);
  const { frameworkId, term } = await boot(store, uuid);
  expect(frameworkId).toBe('patchpanel-uuid-1');
  expect(term).toBe(3);
});

test('tasks without a framework id are not started a second time under a new one', async () => {
  const store = new MemoryStore();
  await store.commit([{ kind: 'instance', key: 't', value: {} }]);
  await expect(boot(store, uuids())).rejects.toMatchObject({ code: 'corrupt' });
});
