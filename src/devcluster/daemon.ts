import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { withDeadline } from '../runtime/deadline.ts';
import { messageOf, PatchpanelError } from '../runtime/errors.ts';
import { systemPath } from '../runtime/system-path.ts';
import { clusterVariable } from './processes.ts';

export interface DaemonSpec {
  /** For messages: `switch of h1`. */
  readonly what: string;
  /** Marks the process as this cluster's, to be found by `processesOfCluster`; undefined: its owner knows a better way. */
  readonly cluster: string | undefined;
  readonly file: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly netns?: string;
  /** Receives standard output and error; appended to. */
  readonly logFile: string;
}

export interface DaemonExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A long-running child in a session of its own: a Ctrl-C at the terminal does not reach it, its owner ends it.
 * INVARIANT: `exited` resolves exactly once and never rejects.
 */
export class Daemon {
  readonly what: string;
  readonly logFile: string;
  readonly exited: Promise<DaemonExit>;
  readonly #child: ChildProcess;
  #exit: DaemonExit | undefined;

  constructor(spec: DaemonSpec, child: ChildProcess) {
    this.what = spec.what;
    this.logFile = spec.logFile;
    this.#child = child;
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get running(): boolean {
    return this.#exit === undefined;
  }

  /** How it ended, undefined while it runs. */
  get exit(): DaemonExit | undefined {
    return this.#exit;
  }

  /** SIGTERM, then SIGKILL after `graceMs`; resolves when it is gone. */
  async stop(graceMs: number): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGTERM');
    try {
      await withDeadline(this.exited, graceMs, `stopping the ${this.what}`);
    } catch {
      await this.kill();
    }
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.running) this.#child.kill('SIGKILL');
    await withDeadline(this.exited, 10_000, `killing the ${this.what}`);
  }
}

/**
 * Starts a daemon with a bare environment (PATH, the cluster's variable and `env`).
 * @throws PatchpanelError `external` when the program cannot be started
 */
export async function startDaemon(spec: DaemonSpec): Promise<Daemon> {
  await mkdir(path.dirname(spec.logFile), { recursive: true });
  const log = await open(spec.logFile, 'a');
  try {
    const [file = spec.file, ...args] = insideNetns(spec.netns, [spec.file, ...spec.args]);
    const mark = spec.cluster === undefined ? {} : { [clusterVariable]: spec.cluster };
    const child = spawn(file, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd],
      env: { PATH: systemPath, ...mark, ...spec.env },
    });
    const daemon = new Daemon(spec, child);
    await once(child, 'spawn');
    return daemon;
  } catch (error) {
    throw new PatchpanelError('external', `cannot start the ${spec.what}: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await log.close();
  }
}

/** The command line that runs a program in a named network namespace; as it is without one. */
export function insideNetns(netns: string | undefined, command: readonly string[]): readonly string[] {
  return netns === undefined ? command : ['ip', 'netns', 'exec', netns, ...command];
}

/** A daemon that has ended too early, as an error with the end of its log, which may be gone when somebody wants to read it. */
export async function endedEarly(daemon: Daemon): Promise<PatchpanelError> {
  const how = daemon.exit?.signal ?? `exit code ${daemon.exit?.code}`;
  const log = await readFile(daemon.logFile, 'utf8').catch(messageOf);
  const lastLines = log.trimEnd().split('\n').slice(-10).join('\n');
  return new PatchpanelError(
    'external',
    `the ${daemon.what} ended at once (${how}): see ${daemon.logFile}, which ends with\n${lastLines}`,
  );
}
