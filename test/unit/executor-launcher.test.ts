import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { launch, type Launch } from '../../executor/adapters/launcher/launch.ts';
import { Launcher, WORTH_FROM_BYTES } from '../../executor/adapters/launcher/launcher.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { identityOf } from '../../src/runtime/other-processes.ts';
import { bundleForTest } from '../support/bundle.ts';
import { eventually } from '../support/switch-bench.ts';

const log = createLogger('launcher', 'silent');
const wish = (file: string, args: readonly string[], changes: Partial<Launch> = {}): Launch => ({
  file,
  args,
  input: '',
  timeoutMs: 20_000,
  ...changes,
});
const shell = (script: string, changes: Partial<Launch> = {}): Launch => wish('sh', ['-c', script], changes);

const pidFile = path.join(os.tmpdir(), `pp-launcher-${process.pid}`);
let program: string;
const launchers: Launcher[] = [];

beforeAll(async () => {
  program = await bundleForTest('executor/adapters/launcher/launcher-main.ts');
});

afterEach(async () => {
  for (const launcher of launchers.splice(0)) launcher.close();
  await rm(pidFile, { force: true });
});

afterAll(() => rm(program, { force: true }));

function started(of = program, resident = WORTH_FROM_BYTES): Launcher {
  const launcher = new Launcher({ node: process.execPath, program: of, residentBytes: () => resident, log });
  launchers.push(launcher);
  return launcher;
}

/** What a program has written of itself. */
async function writtenPid(): Promise<number> {
  let pid = 0;
  await eventually(async () => {
    pid = Number(await readFile(pidFile, 'utf8'));
    expect(pid).toBeGreaterThan(0);
  });
  return pid;
}

test('a program gets its arguments and input as they are, and its exit code and both outputs come back', async () => {
  const script = 'cat; echo "$1" >&2; exit 3';
  const outcome = await started().run(wish('sh', ['-c', script, 'sh', "a 'b' $c\n"], { input: 'in\n' }));
  expect(outcome).toEqual({ kind: 'ended', exitCode: 3, stdout: 'in\n', stderr: "a 'b' $c\n\n" });
});

test('many programs at once each get their own outcome, from children of the launcher', async () => {
  const launcher = started();
  const outcomes = await Promise.all(
    Array.from({ length: 100 }, (_, i) => launcher.run(shell(`echo $PPID; exit ${i}`))),
  );
  expect(outcomes).toEqual(
    outcomes.map((_, exitCode) => ({ kind: 'ended', exitCode, stdout: `${launcher.pid}\n`, stderr: '' })),
  );
});

test('a program that takes too long is killed', async () => {
  const outcome = await started().run(shell('exec sleep 1000', { timeoutMs: 50 }));
  expect(outcome).toEqual({ kind: 'late' });
});

test('megabytes go in and come out', async () => {
  const input = 'priority=1,actions=drop\n'.repeat(200_000);
  const outcome = await started().run(wish('cat', [], { input }));
  expect(outcome).toEqual({ kind: 'ended', exitCode: 0, stdout: input, stderr: '' });
});

test('a program that is not there, or that dies, is told apart from one that fails', async () => {
  const launcher = started();
  expect(await launcher.run(wish('/nowhere', []))).toMatchObject({ kind: 'not-started' });
  expect(await launcher.run(shell('kill -SEGV $$'))).toEqual({ kind: 'killed', signal: 'SIGSEGV' });
});

test('when the launcher is killed, what it runs is reported killed, and the next program has a new one', async () => {
  const launcher = started();
  await launcher.run(wish('true', []));
  const first = launcher.pid!;
  const running = launcher.run(wish('cat', ['/dev/zero']));
  process.kill(first, 'SIGKILL');
  expect(await running).toEqual({ kind: 'killed', signal: 'SIGKILL' });
  expect(await launcher.run(shell('exit 4'))).toMatchObject({ exitCode: 4 });
  expect(launcher.pid).not.toBe(first);
});

test('signals that end the executor in order do not end its launcher', async () => {
  const launcher = started();
  await launcher.run(wish('true', []));
  const { pid } = launcher;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(pid!, signal);
  expect(await launcher.run(shell('echo $PPID'))).toMatchObject({ stdout: `${pid}\n` });
});

test('it ends with the process that started it, and so does what it runs', async () => {
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit');
  try {
    await once(child, 'message');
    child.send({ id: 1, launch: shell(`echo $$ >${pidFile}; exec sleep 1000`) });
    const sleeper = await writtenPid();
    // What the end of this process looks like from there, in order or by SIGKILL.
    child.disconnect();
    expect(await ended).toEqual([0, null]);
    await eventually(async () => expect(await identityOf(sleeper)).toBeUndefined());
  } finally {
    child.kill('SIGKILL');
  }
});

test('a small process runs programs itself', async () => {
  const launcher = started(program, WORTH_FROM_BYTES - 1);
  expect(await launcher.run(shell('echo $PPID'))).toMatchObject({ stdout: `${process.pid}\n` });
  expect(launcher.pid).toBeUndefined();
});

test('a program is late when it is killed, although what it started holds its output', async () => {
  const outcome = launch(shell(`sleep 1000 & echo $! >${pidFile}; wait`, { timeoutMs: 3_000 }));
  const sleeper = await writtenPid();
  try {
    expect(await outcome).toEqual({ kind: 'late' });
  } finally {
    process.kill(sleeper, 'SIGKILL');
  }
});

test.each([
  ['the launcher', WORTH_FROM_BYTES],
  ['a small process', WORTH_FROM_BYTES - 1],
])('%s tells when a program first says something', async (_who, resident) => {
  const launcher = started(program, resident);
  let speak = () => {};
  const spoken = new Promise<void>((resolve) => (speak = resolve));
  const outcome = launcher.run(shell(`echo $$ >${pidFile}; echo one; exec sleep 1000`), () => speak());
  await spoken;
  process.kill(await writtenPid(), 'SIGKILL');
  expect(await outcome).toEqual({ kind: 'killed', signal: 'SIGKILL' });
});

test('where the launcher cannot be started, programs are run all the same', async () => {
  const launcher = started('/nowhere/launcher.mjs');
  const outcome = { kind: 'ended', exitCode: 0, stdout: `${process.pid}\n`, stderr: '' };
  expect(await launcher.run(shell('echo $PPID'))).toEqual(outcome);
  expect(await launcher.run(shell('echo $PPID'))).toEqual(outcome);
});
