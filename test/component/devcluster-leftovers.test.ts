import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { cleanCluster } from '../../src/devcluster/cleanup.ts';
import { readLedger } from '../../src/devcluster/ledger.ts';
import { processesNaming } from '../../src/devcluster/processes.ts';
import { identityOf, signalProcess } from '../../src/runtime/other-processes.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { run } from '../../src/runtime/process.ts';
import { bundleForTest } from '../support/bundle.ts';
import { emptyPicture, pictureOf, uniqueClusterName } from '../support/machine.ts';

const log = createLogger('test', 'warn');
let program = '';
let name = '';
let stateDir = '';
let holder: ChildProcess | undefined;

beforeAll(async () => {
  program = await bundleForTest('test/support/substrate-holder.ts');
});

afterEach(async () => {
  await killHolder();
  await cleanCluster(name, log);
  await rm(stateDir, { recursive: true, force: true });
});

interface Held {
  readonly containerPid: number;
  readonly own: boolean;
}

async function startHolder(): Promise<Held> {
  name = uniqueClusterName();
  stateDir = await mkdtemp(path.join(tmpdir(), 'pp-'));
  holder = spawn(process.execPath, [program, name, stateDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await Promise.race([
    once(holder.stdout!, 'data'),
    once(holder, 'exit').then(([code]) => Promise.reject(new Error(`the holder ended with ${code}`))),
  ])) as [Buffer];
  return JSON.parse(line.toString()) as Held;
}

async function killHolder(): Promise<void> {
  if (holder?.exitCode !== null || holder.signalCode !== null) return;
  const exit = once(holder, 'exit');
  holder.kill('SIGKILL');
  await exit;
}

/** What the cluster can be recognised by, after its ledger is gone too. */
const traces = () => [`${name}-`, `${stateDir}/`];

test('what a killed run has left is removed: namespaces, links, processes, containers, mounts, files', async () => {
  const held = await startHolder();
  await killHolder();
  expect((await pictureOf(traces())).netns).toHaveLength(2);
  expect(await identityOf(held.containerPid)).toBeDefined();

  expect(await cleanCluster(name, log)).toBe(true);

  expect(await pictureOf(traces())).toEqual(emptyPicture);
  expect(await identityOf(held.containerPid)).toBeUndefined();
  expect(await processesNaming('', stateDir)).toEqual([]);
  expect(await readLedger(name)).toBeUndefined();
  expect(await cleanCluster(name, log)).toBe(false);
});

test('a container whose Docker Engine was killed as well is ended', async () => {
  const held = await startHolder();
  await killHolder();
  if (!held.own) return;
  for (const each of await processesNaming('dockerd', stateDir)) await signalProcess(each, 'SIGKILL');
  for (const each of await processesNaming('containerd', stateDir)) await signalProcess(each, 'SIGKILL');
  expect(await identityOf(held.containerPid)).toBeDefined();

  const groups = await controlGroupsOf(held.containerPid);
  expect(groups.filter((group) => existsSync(group))).not.toEqual([]);
  await cleanCluster(name, log);

  expect(await identityOf(held.containerPid)).toBeUndefined();
  expect(groups.filter((group) => existsSync(group))).toEqual([]);
  expect(await pictureOf(traces())).toEqual(emptyPicture);
});

/** Directories of a process's control groups, of either version. */
async function controlGroupsOf(pid: number): Promise<readonly string[]> {
  const lines = (await readFile(`/proc/${pid}/cgroup`, 'utf8')).trim().split('\n');
  return lines.flatMap((line) => {
    const [, controllers = '', group = ''] = line.split(':');
    if (!group.includes('docker')) return [];
    return [path.join('/sys/fs/cgroup', controllers.split(',')[0] ?? '', group)];
  });
}

test('a cluster that runs is neither cleaned nor started twice', async () => {
  await startHolder();
  await expect(cleanCluster(name, log)).rejects.toMatchObject({ code: 'conflict' });
  const second = run(process.execPath, [program, name, stateDir], { timeoutMs: 30_000 });
  await expect(second).rejects.toMatchObject({ message: expect.stringContaining('runs (process') });
  expect((await pictureOf(traces())).netns).toHaveLength(2);
});
