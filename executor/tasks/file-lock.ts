import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { PatchpanelError } from '../../src/runtime/errors.ts';

/** Held until release() or until this process ends, however it ends. */
export interface FileLock {
  release(): Promise<void>;
}

/**
 * The lock on a file, which is made if need be; undefined when somebody else has it. It is held by a child (`flock`,
 * of util-linux) that ends with its standard input, so it cannot outlive this process.
 * @throws PatchpanelError `external` when there is no flock
 */
export async function tryLock(file: string): Promise<FileLock | undefined> {
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

/**
 * Resolves when nobody holds the lock on the file any more: true, or false when the signal came first.
 * @throws PatchpanelError `external` when there is no flock
 */
export async function unlocked(file: string, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const child = spawn('flock', ['--shared', file, 'true'], { stdio: 'ignore' });
  const stop = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', stop, { once: true });
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch (cause) {
    throw noFlock(cause);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** Only with the lock cat is started, and gives back what it is sent. */
function echoes(child: ChildProcessByStdio<Writable, Readable, null>): Promise<boolean> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(noFlock(cause)));
    child.once('close', () => resolve(false));
    child.stdout.once('data', () => resolve(true));
    // flock that does not get the lock ends without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.write('locked\n');
  });
}

const noFlock = (cause: unknown) =>
  new PatchpanelError('external', 'cannot run flock, of util-linux', { cause });
