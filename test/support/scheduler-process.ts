import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { create, type AxiosInstance } from 'axios';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { bundleForTest } from './bundle.ts';

/** One line of the scheduler's log. */
export interface LogLine {
  readonly message: string;
  readonly [field: string]: unknown;
}

export interface SchedulerProcessOptions {
  /** From schedulerProgram(). */
  readonly program: string;
  readonly directory: string;
  readonly masters: readonly string[];
  /** Of the loopback address; a free one unless told. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Builds the scheduler's program; the path of the file. */
export const schedulerProgram = (): Promise<string> => bundleForTest('scheduler/main.ts', 'scheduler');

/** A manifest for a bundle that nobody fetches. */
export async function writeManifest(directory: string): Promise<string> {
  const file = join(directory, 'executor', 'manifest.json');
  await mkdir(join(directory, 'executor'), { recursive: true });
  await writeFile(join(directory, 'executor', 'patchpanel-executor-0123456789ab.tar.gz'), 'a tarball');
  const manifest = { file: 'patchpanel-executor-0123456789ab.tar.gz', sha256: '', build: '0123456789ab' };
  await writeFile(file, JSON.stringify(manifest));
  return file;
}

/** The real scheduler as a child process on a free port. Stop or kill it also when the test fails. */
export class SchedulerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | string>;
  readonly lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit').then(([code, signal]) => {
      this.#ended = true;
      this.#notify();
      return (code ?? signal) as number | string;
    });
    createInterface({ input: child.stderr! }).on('line', (line) => {
      if (line.startsWith('{')) this.lines.push(JSON.parse(line) as LogLine);
      this.#notify();
    });
  }

  /** Starts it without waiting for anything. */
  static async spawn(options: SchedulerProcessOptions): Promise<SchedulerProcess> {
    const manifest = await writeManifest(options.directory);
    const child = spawn(
      process.execPath,
      [
        '--enable-source-maps',
        options.program,
        ...options.masters.flatMap((master) => ['--master', master]),
        '--listen',
        `127.0.0.1:${options.port ?? 0}`,
        ...(options.port === undefined ? [] : ['--advertise-url', `http://127.0.0.1:${options.port}`]),
        '--state-dir',
        join(options.directory, 'state'),
        '--executor-manifest',
        manifest,
        ...(options.args ?? []),
      ],
      { stdio: ['ignore', 'inherit', 'pipe'], env: { ...process.env, ...options.env } },
    );
    return new SchedulerProcess(child);
  }

  /** Starts it and waits until the API listens. */
  static async start(options: SchedulerProcessOptions): Promise<SchedulerProcess> {
    const started = await SchedulerProcess.spawn(options);
    await started.logged('the API listens');
    return started;
  }

  /** Resolves with the first line of this message. @throws PatchpanelError when the process ends without it */
  async logged(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find((line) => line.message === message);
      if (found !== undefined) return found;
      if (this.#ended) {
        throw new PatchpanelError('external', `the scheduler ended: ${JSON.stringify(this.lines.slice(-5))}`);
      }
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** A client of its API; no status is an error. */
  get api(): AxiosInstance {
    return create({
      baseURL: this.url,
      proxy: false,
      timeout: 10_000,
      validateStatus: () => true,
    });
  }

  /** Where its API listens. */
  get url(): string {
    const line = this.lines.find(({ message }) => message === 'the API listens');
    if (line === undefined) throw new PatchpanelError('invalid', 'the API does not listen yet');
    const [address] = line.addresses as { host: string; port: number }[];
    return `http://${address!.host}:${address!.port}`;
  }

  /** Resolves with the exit code or the signal that ended it. */
  get exit(): Promise<number | string> {
    return this.#exited;
  }

  /** Stops it in the middle of whatever it does, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Sends a signal and waits for the end. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | string> {
    this.#child.kill(signal);
    return this.#exited;
  }

  #notify(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}
