import { expect, test } from '@jest/globals';
import type { RecordWrite, Store, StoredRecord } from '../../scheduler/store/store.ts';

/** Every record of a store as `kind/key` → value. */
export async function contents(store: Store): Promise<Record<string, unknown>> {
  const records: StoredRecord[] = [];
  for await (const record of store.load()) records.push(record);
  return Object.fromEntries(records.map((record) => [`${record.kind}/${record.key}`, record.value]));
}

export const put = (key: string, value: unknown): RecordWrite => ({ kind: 'app', key, value });

/** What every store does. `open` gives an empty store that the caller's own hooks clean up. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  test(`${name}: what was committed is loaded`, async () => {
    const store = await open();
    await store.commit([put('/web', { cpus: 0.1, args: ['ü'] }), { kind: 'slot', key: '/web#0', value: 1 }]);
    expect(await contents(store)).toEqual({ 'app//web': { cpus: 0.1, args: ['ü'] }, 'slot//web#0': 1 });
    await store.close();
  });

  test(`${name}: an empty store loads nothing`, async () => {
    const store = await open();
    expect(await contents(store)).toEqual({});
    await store.close();
  });

  test(`${name}: undefined deletes, also what is not there`, async () => {
    const store = await open();
    await store.commit([put('/a', 1), put('/b', 2)]);
    await store.commit([put('/a', undefined), put('/never', undefined)]);
    expect(await contents(store)).toEqual({ 'app//b': 2 });
    await store.close();
  });

  test(`${name}: within one commit the last write of a key wins`, async () => {
    const store = await open();
    await store.commit([put('/a', 1), put('/a', undefined), put('/a', 3)]);
    expect(await contents(store)).toEqual({ 'app//a': 3 });
    await store.close();
  });

  test(`${name}: commits that overlap keep the order of the calls`, async () => {
    const store = await open();
    const settled: number[] = [];
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => store.commit([put('/a', i)]).then(() => settled.push(i))),
    );
    expect(settled).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(await contents(store)).toEqual({ 'app//a': 49 });
    await store.close();
  });

  test(`${name}: a value that changes after the commit does not change the record`, async () => {
    const store = await open();
    const value = { n: 1 };
    await store.commit([put('/a', value)]);
    value.n = 2;
    expect(await contents(store)).toEqual({ 'app//a': { n: 1 } });
    await store.close();
  });

  test(`${name}: an empty commit is fine`, async () => {
    const store = await open();
    await expect(store.commit([])).resolves.toBeUndefined();
    await store.close();
  });

  test(`${name}: a closed store refuses commits`, async () => {
    const store = await open();
    await store.close();
    await expect(store.commit([put('/a', 1)])).rejects.toMatchObject({ code: 'unavailable' });
  });
}
