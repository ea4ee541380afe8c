import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { ClassicLevel } from 'classic-level';
import { openEmbeddedStore } from '../../scheduler/store/embedded-store.ts';
import { MemoryStore } from '../../scheduler/store/memory-store.ts';
import { contents, put, storeContract } from '../support/store-contract.ts';

const directories: string[] = [];

async function directory(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'pp-store-'));
  directories.push(made);
  return made;
}

afterEach(async () => {
  await Promise.all(directories.splice(0).map((made) => rm(made, { recursive: true, force: true })));
});

storeContract('memory store', async () => new MemoryStore());
storeContract('embedded store', async () => openEmbeddedStore(await directory()));

test('the embedded store keeps its records over a close', async () => {
  const where = await directory();
  const first = await openEmbeddedStore(where);
  await first.commit([put('/web', 1)]);
  await first.close();
  const second = await openEmbeddedStore(where);
  expect(await contents(second)).toEqual({ 'app//web': 1 });
  await second.close();
});

test('a second scheduler on one state directory is told so', async () => {
  const where = await directory();
  const first = await openEmbeddedStore(where);
  await expect(openEmbeddedStore(where)).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringContaining('another scheduler runs on'),
  });
  await first.close();
});

async function tamper(where: string, key: string, value: string): Promise<void> {
  const first = await openEmbeddedStore(where);
  await first.close();
  const level = new ClassicLevel(join(where, 'store'));
  await level.put(key, value);
  await level.close();
}

test('a record that is not JSON is named in a clear error', async () => {
  const where = await directory();
  await tamper(where, 'app//web', '{"cpus":');
  const store = await openEmbeddedStore(where);
  await expect(contents(store)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('app//web'),
  });
  await store.close();
});

test('a record of an unknown kind is refused rather than dropped', async () => {
  const where = await directory();
  await tamper(where, 'pod//web', '{}');
  const store = await openEmbeddedStore(where);
  await expect(contents(store)).rejects.toMatchObject({ code: 'corrupt' });
  await store.close();
});

test('a store of a newer layout is not opened', async () => {
  const where = await directory();
  await tamper(where, '!schema', '2');
  await expect(openEmbeddedStore(where)).rejects.toMatchObject({
    code: 'corrupt',
    message: expect.stringContaining('layout 2'),
  });
});
