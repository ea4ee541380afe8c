import { access } from 'node:fs/promises';
import path from 'node:path';
import axios from 'axios';
import { sleep, withDeadline } from '../runtime/deadline.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import { busyboxImage } from './images.ts';
import { endedEarly, startDaemon, type Daemon } from './daemon.ts';

const startTimeoutMs = 60_000;

export interface SchedulerOptions {
  readonly cluster: string;
  readonly distDir: string;
  readonly masterUrls: readonly string[];
  /** ip:port for people; port 0 is not possible, since a restart must come back at the same place. */
  readonly api: string;
  /** ip:port as hosts reach it. */
  readonly advertised: string;
  readonly stateDir: string;
  readonly logFile: string;
  readonly logLevel: string;
  readonly extraArgs: readonly string[];
}

/** The scheduler of the cluster: a child process that can be killed and started again on what it has stored. */
export class SchedulerProcess {
  readonly apiUrl: string;
  /** `ip:port` by which hosts and other schedulers know it. */
  readonly advertised: string;
  readonly #options: SchedulerOptions;
  #daemon: Daemon | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.apiUrl = `http://${options.api}`;
    this.advertised = options.advertised;
  }

  get running(): boolean {
    return this.#daemon?.running === true;
  }

  get pid(): number | undefined {
    return this.running ? this.#daemon?.pid : undefined;
  }

  /**
   * Starts it and waits until its API answers.
   * @throws PatchpanelError `not-found` without a build, `external` when it ends or stays silent
   */
  async start(signal?: AbortSignal): Promise<void> {
    if (this.running) return;
    const program = path.join(this.#options.distDir, 'scheduler.js');
    await requireBuilt(program);
    this.#daemon = await startDaemon({
      what: 'scheduler',
      cluster: this.#options.cluster,
      file: process.execPath,
      args: ['--enable-source-maps', program, ...this.#arguments()],
      logFile: this.#options.logFile,
    });
    await this.#awaitApi(this.#daemon, signal);
  }

  /** SIGTERM, or SIGKILL after ten seconds. */
  async stop(): Promise<void> {
    await this.#daemon?.stop(10_000);
  }

  /** Stops it in the middle of whatever it does (SIGSTOP), or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    if (this.pid !== undefined) process.kill(this.pid, signal);
  }

  /** SIGKILL: nothing is said to anybody. */
  async kill(): Promise<void> {
    await this.#daemon?.kill();
  }

  #arguments(): readonly string[] {
    const { masterUrls, api, advertised, stateDir, distDir, logLevel, extraArgs } = this.#options;
    return [
      ...masterUrls.flatMap((url) => ['--master', url]),
      '--listen',
      api,
      '--listen',
      advertised,
      '--advertise-url',
      `http://${advertised}`,
      '--state-dir',
      stateDir,
      '--executor-manifest',
      path.join(distDir, 'executor', 'manifest.json'),
      '--log-level',
      logLevel,
      // Definitions without an image, as many examples for Marathon are, can be tried, too.
      '--default-image',
      busyboxImage,
      ...extraArgs,
    ];
  }

  async #awaitApi(daemon: Daemon, signal?: AbortSignal): Promise<void> {
    const end = performance.now() + startTimeoutMs;
    while (!(await pings(this.apiUrl))) {
      if (!daemon.running) throw await endedEarly(daemon);
      if (performance.now() > end)
        throw new PatchpanelError('external', `the scheduler does not answer: see ${daemon.logFile}`);
      await sleep(50, signal);
    }
  }
}

async function pings(url: string): Promise<boolean> {
  try {
    const request = axios.get(`${url}/ping`, { timeout: 2_000, proxy: false, responseType: 'text' });
    const answer = await withDeadline(request, 3_000, 'GET /ping');
    return answer.status === 200;
  } catch {
    return false;
  }
}

async function requireBuilt(program: string): Promise<void> {
  try {
    await access(program);
  } catch (error) {
    throw new PatchpanelError('not-found', `${program} is missing: run npm run build`, { cause: error });
  }
}
