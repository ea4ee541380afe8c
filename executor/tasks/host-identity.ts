import { randomUUID } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { withDeadline } from '../../src/runtime/deadline.ts';
import { PatchpanelError, codeOf } from '../../src/runtime/errors.ts';
import { tryRun } from '../../src/runtime/process.ts';

/**
 * The identity of this host among others that may share a Docker Engine or a switch. It is made once and kept in the
 * state directory, so that the next executor recognises what this one leaves.
 */
export async function readHostKey(stateDir: string): Promise<string> {
  const file = path.join(stateDir, 'host-key');
  const known = await readIfThere(file);
  if (known !== undefined && known !== '') return known;
  const key = randomUUID();
  await mkdir(stateDir, { recursive: true });
  await writeFile(`${file}.new`, `${key}\n`);
  await rename(`${file}.new`, file);
  return key;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Held until release() or until this process ends, however it ends. */
export interface HostLock {
  release(): Promise<void>;
}

/**
 * Makes sure that only one executor acts on this host: waits until an earlier one has ended. The lock is held by a
 * child (`flock`, of util-linux) that ends with its standard input, so it cannot outlive this process.
 * @throws PatchpanelError `conflict` when the earlier executor is still there after `timeoutMs`
 */
export async function lockHost(stateDir: string, timeoutMs: number): Promise<HostLock> {
  await mkdir(stateDir, { recursive: true });
  const file = path.join(stateDir, 'executor.lock');
  const seconds = String(Math.max(1, Math.ceil(timeoutMs / 1000)));
  // Once it has the lock, cat gives back what it is sent: that is how its owner learns of it.
  const child = spawn('flock', ['--exclusive', '--wait', seconds, file, 'cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // Signals to the executor's process group must not take the lock away before its end.
    detached: true,
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    await withDeadline(echoed(child), timeoutMs + 5000, `the lock ${file}`);
  } catch (error) {
    child.kill('SIGKILL');
    throw new PatchpanelError(
      'conflict',
      `another executor of this host holds ${file}; only one can serve a host: end it, or give this one another state directory and bridge`,
      { cause: error },
    );
  }
  return {
    release: async () => {
      child.stdin.end();
      await closed;
    },
  };
}

function echoed(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => reject(new PatchpanelError('conflict', `flock ended with ${code}`)));
    child.stdout?.once('data', () => resolve());
    child.stdin?.on('error', reject);
    child.stdin?.write('locked\n');
  });
}

/**
 * The address by which other hosts reach this one: the source address of the default route, else of the route to the
 * agent.
 * @throws PatchpanelError `invalid` when there is none but loopback: it must be configured
 */
export async function discoverUnderlayIp(agentAddress: string): Promise<string> {
  for (const destination of ['192.0.2.1', agentAddress]) {
    const address = await sourceAddress(destination);
    if (address !== undefined && !address.startsWith('127.')) return address;
  }
  throw new PatchpanelError(
    'invalid',
    'no address of this host is known that others could reach: set PATCHPANEL_UNDERLAY_IP',
  );
}

async function sourceAddress(destination: string): Promise<string | undefined> {
  const { exitCode, stdout } = await tryRun('ip', ['-json', '-4', 'route', 'get', destination]);
  if (exitCode !== 0) return undefined;
  const [route] = JSON.parse(stdout) as { prefsrc?: string }[];
  return route?.prefsrc;
}
