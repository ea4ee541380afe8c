import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openEmbeddedStore } from '../../scheduler/store/embedded-store.ts';
import { bundleForTest } from '../support/bundle.ts';
import { contents } from '../support/store-contract.ts';

let program: string;
let directory: string;

beforeAll(async () => {
  program = await bundleForTest('test/support/store-writer.ts');
  directory = await mkdtemp(join(tmpdir(), 'pp-store-kill-'));
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
  await rm(program, { force: true });
});

/** Lets the writer acknowledge `count` commits, kills it -9 and gives the newest acknowledged one. */
async function writeAndKill(from: number, count: number): Promise<number> {
  const child = spawn(process.execPath, [program, directory, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  let newest = -1;
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    newest = Math.max(newest, Number(line));
    seen += 1;
    if (seen === count) child.kill('SIGKILL');
  }
  await exited;
  return newest;
}

test('every acknowledged commit survives kill -9, and what is there is a prefix of the commits', async () => {
  let from = 0;
  for (const count of [1, 7, 50, 133]) {
    const acknowledged = await writeAndKill(from, count);
    const store = await openEmbeddedStore(directory);
    const found = await contents(store);
    await store.close();
    const newest = Number(found['meta/newest']);
    expect(newest).toBeGreaterThanOrEqual(acknowledged);
    // Every commit up to the newest, each whole, none beyond.
    for (let n = 0; n <= newest; n += 1) expect(found[`slot/${n}`]).toBe(n);
    expect(found[`slot/${newest + 1}`]).toBeUndefined();
    for (let n = 0; n <= newest; n += 1) {
      expect(found[`instance/${n}`]).toBe(n > newest - 10 ? n : undefined);
    }
    from = newest + 1;
  }
});
