import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ExecutorId } from '../../src/model/ids.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { codeOf, PatchpanelError } from '../../src/runtime/errors.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { tryLock, unlocked, type FileLock } from './file-lock.ts';

/** An executor that has made its file has the lock on it after this long. */
const settledMs = 60_000;

/**
 * Which executors live on this host. Each run holds the lock on a file with its name, so the kernel says when it has
 * ended, however that happened. What a living run has on the host is its own; what a dead one left is for whoever has
 * the host.
 */
export class ExecutorLives {
  /** Names this run for ever: an agent may start an executor of the same id again. */
  readonly runId: string;
  readonly #directory: string;
  readonly #own: FileLock;
  #others: ReadonlySet<string> = new Set();

  private constructor(directory: string, self: string, own: FileLock) {
    this.#directory = directory;
    this.runId = self;
    this.#own = own;
  }

  /** Begins this executor's life. @throws PatchpanelError `external` when there is no flock */
  static async begin(stateDir: string, id: ExecutorId): Promise<ExecutorLives> {
    const runId = `${id}.${randomUUID().slice(0, 8)}`;
    const directory = path.join(stateDir, 'executors');
    await mkdir(directory, { recursive: true });
    const own = await tryLock(path.join(directory, runId));
    if (own !== undefined) return new ExecutorLives(directory, runId, own);
    throw new PatchpanelError('conflict', `another process has the lock on ${runId} in ${directory}`);
  }

  /** Whether any executor lives on the host. */
  static async areAny(stateDir: string): Promise<boolean> {
    const directory = path.join(stateDir, 'executors');
    for (const id of await readdir(directory)) if (await isAlive(directory, id)) return true;
    return false;
  }

  /** The file that is locked while this run lives, and gone when it has ended in order. */
  get file(): string {
    return path.join(this.#directory, this.runId);
  }

  /** Whether that run, not this one, lived at the last look. */
  isOther(id: string | undefined): boolean {
    return id !== undefined && this.#others.has(id);
  }

  /** Whether any other executor lived at the last look. */
  get hasOthers(): boolean {
    return this.#others.size > 0;
  }

  /** Looks who lives; files of the dead are removed. */
  async look(): Promise<readonly string[]> {
    const others: string[] = [];
    for (const id of await readdir(this.#directory)) {
      if (id !== this.runId && (await isAlive(this.#directory, id))) others.push(id);
    }
    this.#others = new Set(others);
    return others;
  }

  /** Calls onEnd when an executor that lived at the last look has ended, until the signal. */
  follow(signal: AbortSignal, log: Logger, onEnd: (id: string) => Promise<void>): void {
    for (const id of this.#others) {
      this.#ended(id, signal, onEnd).catch((error: unknown) =>
        log.warn('what an earlier executor left could not be removed; it will be swept', { id, error }),
      );
    }
  }

  /** Ends this executor's life; what it has on the host is then anybody's. */
  async end(): Promise<void> {
    await rm(this.file, { force: true });
    await this.#own.release();
  }

  async #ended(id: string, signal: AbortSignal, onEnd: (id: string) => Promise<void>): Promise<void> {
    if (!(await unlocked(path.join(this.#directory, id), signal))) return;
    this.#others = new Set([...this.#others].filter((other) => other !== id));
    await rm(path.join(this.#directory, id), { force: true });
    await onEnd(id);
  }
}

/** Whether that run lives; the file of one that died is removed. */
async function isAlive(directory: string, id: string): Promise<boolean> {
  const file = path.join(directory, id);
  const lock = await tryLock(file);
  if (lock === undefined) return true;
  if (await isOld(file)) await rm(file, { force: true });
  await lock.release();
  return false;
}

async function isOld(file: string): Promise<boolean> {
  try {
    return systemClock.now() - (await stat(file)).mtimeMs > settledMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
