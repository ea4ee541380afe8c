import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import { withDeadline } from '../runtime/deadline.ts';
import { systemPath } from '../runtime/system-path.ts';

/** A guard that has nothing to remove ends at once. */
const endTimeoutMs = 10_000;

/**
 * A process beside the cluster's own that removes everything when that one dies without having done so: a test run
 * that was interrupted, a SIGKILL. It holds the reading end of a pipe whose writing end dies with this process.
 */
export class Guard {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once('exit', () => resolve());
      child.once('error', () => resolve());
    });
    child.stdin?.on('error', () => undefined);
    // It must not keep this process alive: its death is what the guard waits for.
    child.unref();
  }

  /** Starts the guard of a cluster whose ledger exists. */
  static async start(program: string, name: string, logDir: string): Promise<Guard> {
    const log = await open(path.join(logDir, 'guard.log'), 'a');
    try {
      return new Guard(
        spawn(process.execPath, [program, name], {
          detached: true,
          stdio: ['pipe', log.fd, log.fd],
          env: { PATH: systemPath },
        }),
      );
    } finally {
      await log.close();
    }
  }

  /** Ends the guard when everything is removed, or lets it try what could not be. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await withDeadline(this.#exited, endTimeoutMs, 'ending the guard of the cluster');
  }
}

/** Where the build puts the guard's program; undefined when it is not there, and then nobody guards. */
export function guardProgram(distDir: string): string | undefined {
  const file = path.join(distDir, 'dev-guard.js');
  return existsSync(file) ? file : undefined;
}
