import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { cleanCluster } from '../../src/devcluster/cleanup.ts';
import { readLedger } from '../../src/devcluster/ledger.ts';
import { processesNaming, processesOfCluster } from '../../src/devcluster/processes.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { bundleForTest } from '../support/bundle.ts';
import { emptyPicture, pictureOf, uniqueClusterName } from '../support/machine.ts';

let program = '';
let name = '';
let stateDir = '';
let child: ChildProcess | undefined;
let said = '';

beforeAll(async () => {
  program = await bundleForTest('src/cli/main.ts', 'patchpanel');
});

afterEach(async () => {
  child?.kill('SIGKILL');
  await cleanCluster(name, createLogger('test', 'warn'));
  await rm(stateDir, { recursive: true, force: true });
});

async function startDev(...more: string[]): Promise<void> {
  name = uniqueClusterName();
  stateDir = await mkdtemp(path.join(tmpdir(), 'pp-'));
  said = '';
  const ports = ['--master-listen', '127.0.0.1:0', '--control-listen', '127.0.0.1:0'];
  const args = [
    'dev',
    '--name',
    name,
    '--state-dir',
    stateDir,
    '--hosts',
    '1',
    '--no-scheduler',
    ...ports,
    ...more,
  ];
  child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      child?.emit('said');
    });
}

async function hears(words: string): Promise<void> {
  while (!said.includes(words)) {
    if (child?.exitCode !== null) throw new Error(`it ended without "${words}": ${said}`);
    await Promise.race([once(child, 'said'), once(child, 'exit')]);
  }
}

/** Resolves with the exit code when output and process have ended. */
async function exitCode(): Promise<number> {
  const [code] = (await once(child!, 'close')) as [number];
  return code;
}

async function expectNothingLeft(): Promise<void> {
  expect(await pictureOf([`${name}-`, `${stateDir}/`])).toEqual(emptyPicture);
  expect(await processesOfCluster(name)).toEqual([]);
  expect(await processesNaming('dockerd', stateDir)).toEqual([]);
}

test('SIGTERM ends a running cluster and removes it', async () => {
  await startDev();
  await hears('Ctrl-C ends the cluster');
  expect(said).toContain('Mesos     http://127.0.0.1:');
  child?.kill('SIGTERM');
  expect(await exitCode()).toBe(0);
  expect(said).toContain('all of it is removed');
  await expectNothingLeft();
});

test('SIGINT while the cluster starts removes what there is already', async () => {
  await startDev();
  await hears('host h1');
  child?.kill('SIGINT');
  expect(await exitCode()).toBe(1);
  expect(said).toContain('interrupted before the cluster was up');
  await expectNothingLeft();
});

test('a second SIGINT hurries, and all is removed all the same', async () => {
  await startDev();
  await hears('Ctrl-C ends the cluster');
  child?.kill('SIGINT');
  await hears('stopping');
  child?.kill('SIGINT');
  expect(await exitCode()).toBe(0);
  expect(said).toContain('hurrying');
  await expectNothingLeft();
});

test('what a cluster has made is removed even when it is killed', async () => {
  await startDev();
  await hears('Ctrl-C ends the cluster');
  child?.kill('SIGKILL');
  await ledgerGone(60_000);
  await expectNothingLeft();
}, 120_000);

async function ledgerGone(timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  while ((await readLedger(name)) !== undefined) {
    if (performance.now() > end) throw new Error('the guard has not cleaned up');
    await sleep(50);
  }
}

test('a port that is taken ends the start with words and leaves nothing', async () => {
  const squatter = createServer();
  squatter.listen(0, '127.0.0.1');
  await once(squatter, 'listening');
  const address = squatter.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  try {
    await startDev('--master-listen', `127.0.0.1:${port}`);
    expect(await exitCode()).toBe(1);
    expect(said).toContain(`cannot listen on 127.0.0.1:${port}`);
    expect(said).toContain('--master-listen');
    await expectNothingLeft();
  } finally {
    squatter.close();
  }
});
