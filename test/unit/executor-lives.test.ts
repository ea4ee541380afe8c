import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ExecutorLives } from '../../executor/tasks/executor-lives.ts';
import { bury } from '../../executor/tasks/undertaker.ts';
import { executorId } from '../../src/model/ids.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let stateDir: string;
const begun: ExecutorLives[] = [];
const servers: Server[] = [];

beforeEach(async () => {
  stateDir = await mkdtemp(path.join(os.tmpdir(), 'ppu-lives-'));
});

afterEach(async () => {
  for (const lives of begun.splice(0)) await lives.end();
  for (const server of servers.splice(0)) server.close();
  await rm(stateDir, { recursive: true, force: true });
});

async function begin(): Promise<ExecutorLives> {
  const lives = await ExecutorLives.begin(stateDir, executorId('executor-1'));
  begun.push(lives);
  return lives;
}

const files = (): Promise<readonly string[]> => readdir(path.join(stateDir, 'executors'));

/** Leaves the file of a run that nobody has the lock on. */
async function leaveFile(runId: string, isOld: boolean): Promise<void> {
  const file = path.join(stateDir, 'executors', runId);
  await writeFile(file, '');
  if (isOld) await utimes(file, 0, 0);
}

test('a look tells who lives and who is dead, and leaves the files to those who remove containers', async () => {
  const [self, other] = [await begin(), await begin()];
  await leaveFile('dead.1', true);
  expect(await self.look()).toEqual({ others: [other.runId], dead: ['dead.1'] });
  expect(await files()).toContain('dead.1');
});

test('a run that has its file and not yet its lock is not called dead', async () => {
  const self = await begin();
  await leaveFile('beginning.1', false);
  expect(await self.look()).toEqual({ others: [], dead: [] });
});

test('a run that leaves nothing takes its file along, one that leaves containers does not', async () => {
  const [tidy, untidy] = [await begin(), await begin()];
  untidy.leaveContainers();
  await Promise.all([tidy.end(), untidy.end()]);
  expect(await files()).toEqual([untidy.runId]);
});

test('the file of a run that died stays while what it left cannot be removed', async () => {
  const [self, other] = [await begin(), await begin()];
  await self.look();
  const failed = new Promise<void>((resolve) => {
    const log = { ...recordingLogger(), warn: () => resolve() };
    self.follow(new AbortController().signal, log, () =>
      Promise.reject(new Error('device or resource busy')),
    );
  });
  other.leaveContainers();
  await other.end();
  await failed;
  expect(await files()).toContain(other.runId);
});

test('the undertaker removes what a dead run left, then its file, also when another executor lives', async () => {
  const other = await begin();
  await leaveFile('dead.1', true);
  const removed: string[] = [];
  await bury(
    ['dead.1', stateDir, `unix://${await dockerWith(['dead.1', other.runId], removed)}`],
    recordingLogger(),
  );
  expect(removed).toEqual(['of-dead.1']);
  expect(await files()).toEqual([other.runId]);
});

/** A Docker Engine with an app's container of each of these runs, that notes what it is to remove; gives its socket. */
async function dockerWith(runIds: readonly string[], removed: string[]): Promise<string> {
  const containers = runIds.map((runId) => ({
    Id: `of-${runId}`,
    Names: [`/of-${runId}`],
    State: 'running',
    Labels: { 'patchpanel.run': runId, 'patchpanel.slot': '/web#0', 'patchpanel.epoch': '1' },
  }));
  const server = createServer((request, response) => {
    const [, id = ''] = /\/containers\/([^?/]+)\?/.exec(request.url ?? '') ?? [];
    response.setHeader('content-type', 'application/json');
    if (request.method === 'DELETE') removed.push(id);
    response.end(request.method === 'GET' ? JSON.stringify(containers) : undefined);
  });
  servers.push(server);
  const socket = path.join(stateDir, 'docker.sock');
  await new Promise<void>((resolve) => void server.listen(socket, resolve));
  return socket;
}
