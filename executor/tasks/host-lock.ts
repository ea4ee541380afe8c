import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { sleep } from '../../src/runtime/deadline.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';

/** Held until release() or until this process ends, however it ends. */
export interface HostLock {
  release(): Promise<void>;
}

/** Pause between two attempts, in milliseconds. */
const retryMs = 250;

/**
 * Makes sure that only one executor acts on this host: waits until an earlier one has ended. The lock is held by a
 * child (`flock`, of util-linux) that ends with its standard input, so it cannot outlive this process.
 * @throws PatchpanelError `conflict` when the earlier executor is still there after `timeoutMs`; `aborted`;
 *   `external` when there is no flock
 */
export async function lockHost(stateDir: string, timeoutMs: number, signal: AbortSignal): Promise<HostLock> {
  await mkdir(stateDir, { recursive: true });
  const file = path.join(stateDir, 'executor.lock');
  const end = performance.now() + timeoutMs;
  for (;;) {
    const lock = await tryLock(file);
    if (lock !== undefined) return lock;
    if (performance.now() > end) break;
    await sleep(retryMs, signal);
  }
  throw new PatchpanelError(
    'conflict',
    `another executor of this host holds ${file}; only one can serve a host: end it, or give this one another state directory and bridge`,
  );
}

/** The lock, unless somebody else has it. */
async function tryLock(file: string): Promise<HostLock | undefined> {
  const child = spawn('flock', ['--exclusive', '--nonblock', file, 'cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    // Signals to the executor's process group must not take the lock away before its end.
    detached: true,
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  if (!(await echoes(child))) return undefined;
  return {
    release: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

/** Only with the lock cat is started, and gives back what it is sent. */
function echoes(child: ChildProcessByStdio<Writable, Readable, null>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new PatchpanelError('external', 'cannot run flock, of util-linux', { cause })),
    );
    child.once('close', () => resolve(false));
    child.stdout.once('data', () => resolve(true));
    // flock that does not get the lock ends without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.write('locked\n');
  });
}
