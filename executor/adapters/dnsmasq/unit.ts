import { on } from 'node:events';
import { watch } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import {
  endProcesses,
  identityOf,
  readProc,
  signalProcess,
  type ProcessIdentity,
} from '../../../src/runtime/other-processes.ts';
import { startKeeper, type KeptProgram } from './keeper.ts';
import { readIfThere, writePublic } from './public-files.ts';

const START_TIMEOUT_MS = 5_000;
const END_GRACE_MS = 2_000;

/**
 * One dnsmasq with a keeper, both known by their directory alone, so that whoever comes later can take them over.
 * INVARIANT: what runs was started with the settings in the directory.
 */
export class DnsmasqUnit {
  readonly #directory: string;
  readonly #kept: Pick<KeptProgram, 'cgroupExits' | 'environment'>;

  constructor(directory: string, kept: Pick<KeptProgram, 'cgroupExits' | 'environment'>) {
    this.#directory = directory;
    this.#kept = kept;
  }

  /** Whether it runs, or is about to be started again, with these settings. */
  async has(settings: string): Promise<boolean> {
    return (await this.#keeper()) !== undefined && (await readIfThere(this.#file('conf'))) === settings;
  }

  /**
   * Makes it run with these settings; one that does is left alone. Resolves when it can be asked.
   * @throws PatchpanelError `external` with the words of dnsmasq when it does not start
   */
  async ensure(settings: string): Promise<void> {
    if (await this.has(settings)) return this.#awaitRestart();
    await this.end();
    await mkdir(this.#directory, { recursive: true, mode: 0o755 });
    await writePublic(this.#file('conf'), settings);
    await this.#start();
  }

  /** Ends it, with its keeper, and removes its directory; fine when there is none. */
  async end(): Promise<void> {
    const keeper = await this.#keeper();
    if (keeper !== undefined) await endProcesses([keeper], END_GRACE_MS);
    // A keeper that was killed leaves it behind.
    const program = await this.#program();
    if (program !== undefined) await endProcesses([program], END_GRACE_MS);
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Lets it read again what it reads at SIGHUP; false when it does not run. */
  async reload(): Promise<boolean> {
    const program = await this.#program();
    return program !== undefined && (await signalProcess(program, 'SIGHUP'));
  }

  async #start(): Promise<void> {
    const files = [`--conf-file=${this.#file('conf')}`, `--pid-file=${this.#file('pid')}`];
    // dnsmasq makes its log its own: it must be a file of ours.
    const log = `--log-facility=${this.#file('log')}`;
    const command = ['dnsmasq', '--keep-in-foreground', ...files, log];
    const started = this.#awaitProgram();
    try {
      await startKeeper({ directory: this.#directory, command, ...this.#kept });
      await started;
    } catch (cause) {
      started.catch(() => undefined);
      const error = await this.#notStarted(cause);
      await this.end();
      throw error;
    }
  }

  /** A keeper is there: if dnsmasq is not, it is about to be, or it tells why not. */
  async #awaitRestart(): Promise<void> {
    if ((await this.#program()) !== undefined) return;
    try {
      await this.#awaitProgram();
    } catch (cause) {
      throw await this.#notStarted(cause);
    }
  }

  async #notStarted(cause: unknown): Promise<PatchpanelError> {
    const words = (await readIfThere(this.#file('errors')))?.trim();
    return new PatchpanelError('external', `dnsmasq does not start: ${words || 'it says nothing'}`, {
      cause,
    });
  }

  /** dnsmasq writes its number when it listens. */
  async #awaitProgram(): Promise<void> {
    const watcher = watch(this.#directory);
    const changes = on(watcher, 'change', { signal: AbortSignal.timeout(START_TIMEOUT_MS) });
    try {
      if ((await this.#program()) !== undefined) return;
      for await (const _ of changes) if ((await this.#program()) !== undefined) return;
    } catch (cause) {
      throw new PatchpanelError('deadline', `no dnsmasq within ${START_TIMEOUT_MS} ms`, { cause });
    } finally {
      watcher.close();
    }
  }

  #keeper(): Promise<ProcessIdentity | undefined> {
    return this.#processIn('keeper');
  }

  #program(): Promise<ProcessIdentity | undefined> {
    return this.#processIn('pid');
  }

  /** A number may have been given to another process since it was written. */
  async #processIn(file: string): Promise<ProcessIdentity | undefined> {
    const pid = Number((await readIfThere(this.#file(file)))?.trim());
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    const command = (await readProc(`${pid}/cmdline`)) ?? '';
    return command.includes(this.#directory) ? identityOf(pid) : undefined;
  }

  #file(name: string): string {
    return path.join(this.#directory, name);
  }
}
