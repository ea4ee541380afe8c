import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { bundleForTest } from '../support/bundle.ts';

let program: string;

beforeAll(async () => {
  program = await bundleForTest('test/support/log-writer.ts');
});

afterAll(() => rm(program, { force: true }));

/** Lets it end, and gives its last words. */
async function lastWords(child: ChildProcess): Promise<string> {
  let said = '';
  child.stdout!.on('data', (text: Buffer) => (said += text.toString()));
  child.stdin!.on('error', () => undefined);
  child.stdin!.end();
  await once(child, 'close');
  return said;
}

test('a program lives on when the disk of its log is full', async () => {
  const full = openSync('/dev/full', 'w');
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', full] });
  closeSync(full);
  expect(await lastWords(child)).toBe('lived');
});

test('a program lives on when nobody reads its log any more', async () => {
  const child = spawn(process.execPath, [program], { stdio: 'pipe' });
  await once(child.stderr, 'data');
  child.stderr.destroy();
  expect(await lastWords(child)).toBe('lived');
});
