import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import path from 'node:path';
import { sleep } from '../../src/runtime/deadline.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { tryLock, unlocked, type FileLock } from './file-lock.ts';

/** Who holds it writes to the host's switch and removes what nobody wants; no other executor does. */
export interface HostLock {
  release(): Promise<void>;
}

/** Pause between two attempts, in milliseconds. */
const retryMs = 100;

export interface HostLockOptions {
  readonly stateDir: string;
  /** How long the holder may take to hand the host over or to end, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** A newer executor of this host wants the lock: called once, release() is the answer. */
  readonly onWanted: () => void;
}

/**
 * Makes sure that only one executor writes on this host. The one that holds the lock is asked to hand it over, by a
 * connection to its socket beside the lock; a dead one has lost it with its process.
 * @throws PatchpanelError `conflict` when the earlier executor still has it after the timeout; `aborted`; `external`
 *   when there is no flock
 */
export async function lockHost(options: HostLockOptions): Promise<HostLock> {
  const { stateDir, timeoutMs, signal, onWanted } = options;
  await mkdir(stateDir, { recursive: true });
  const file = lockFile(stateDir);
  const socket = path.join(stateDir, 'executor.sock');
  const end = performance.now() + timeoutMs;
  for (;;) {
    const lock = await tryLock(file);
    if (lock !== undefined) {
      const server = await listenForSuccessor(socket, onWanted);
      return { release: once(() => release(server, socket, lock)) };
    }
    if (performance.now() > end) break;
    askForHost(socket);
    await sleep(retryMs, signal);
  }
  throw new PatchpanelError(
    'conflict',
    `another executor of this host holds ${file} and does not hand it over: end it, or give this one another state directory and bridge`,
  );
}

/** The socket goes while the lock is still held: the next one's has the same name. */
async function release(server: Server, socket: string, lock: FileLock): Promise<void> {
  server.close();
  await rm(socket, { force: true });
  await lock.release();
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= action());
}

/**
 * Resolves when nobody had the lock for `graceMs`, which is long enough for the next executor to start; false when the
 * signal came first.
 * @throws PatchpanelError `external` when there is no flock
 */
export async function hostAbandoned(
  stateDir: string,
  graceMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  const file = lockFile(stateDir);
  while (await unlocked(file, signal)) {
    await sleep(graceMs, signal);
    const lock = await tryLock(file);
    await lock?.release();
    if (lock !== undefined) return true;
  }
  return false;
}

const lockFile = (stateDir: string): string => path.join(stateDir, 'executor.lock');

async function listenForSuccessor(socket: string, onWanted: () => void): Promise<Server> {
  let asked = false;
  const server = createServer((connection) => {
    connection.destroy();
    if (asked) return;
    asked = true;
    onWanted();
  });
  server.unref();
  await rm(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socket, resolve);
  });
  return server;
}

/** Whether anybody hears it shows in the lock. */
function askForHost(socket: string): void {
  const connection = connect(socket);
  connection.on('error', () => undefined);
  connection.on('connect', () => connection.end());
}
