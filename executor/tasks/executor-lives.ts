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

/** The other runs on this host that have a file. One that is just beginning may be neither alive nor dead. */
export interface OtherLives {
  readonly others: readonly string[];
  /** They ended without order, so containers of theirs may still run. */
  readonly dead: readonly string[];
}

/**
 * Which executors live on this host. Each run holds the lock on a file with its name, so the kernel says when it has
 * ended, however that happened. What a living run has on the host is its own; what a dead one left is for whoever has
 * the host, or for its undertaker.
 * INVARIANT: the file of a run is there for as long as containers of it may be: without it its undertaker does nothing.
 */
export class ExecutorLives {
  /** Names this run for ever: an agent may start an executor of the same id again. */
  readonly runId: string;
  readonly #directory: string;
  readonly #own: FileLock;
  #others: ReadonlySet<string> = new Set();
  #leavesContainers = false;

  private constructor(directory: string, self: string, own: FileLock) {
    this.#directory = directory;
    this.runId = self;
    this.#own = own;
  }

  /** Begins this executor's life. @throws PatchpanelError `external` when there is no flock */
  static async begin(stateDir: string, id: ExecutorId): Promise<ExecutorLives> {
    const runId = `${id}.${randomUUID().slice(0, 8)}`;
    const directory = directoryIn(stateDir);
    await mkdir(directory, { recursive: true });
    const own = await tryLock(path.join(directory, runId));
    if (own !== undefined) return new ExecutorLives(directory, runId, own);
    throw new PatchpanelError('conflict', `another process has the lock on ${runId} in ${directory}`);
  }

  /** Removes the file of a run that is dead and has no containers any more. */
  static forget(stateDir: string, runId: string): Promise<void> {
    return rm(path.join(directoryIn(stateDir), runId), { force: true });
  }

  /** The file that is locked while this run lives, and gone when nothing of it is left. */
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

  /** Looks who lives and who is dead. */
  async look(): Promise<OtherLives> {
    const others: string[] = [];
    const dead: string[] = [];
    for (const id of await readdir(this.#directory)) {
      if (id === this.runId) continue;
      const file = path.join(this.#directory, id);
      if (await isLocked(file)) others.push(id);
      else if (await isOld(file)) dead.push(id);
    }
    this.#others = new Set(others);
    return { others, dead };
  }

  /**
   * Calls onEnd when an executor that lived at the last look has ended, until the signal. Its file goes when what it
   * left has been removed.
   */
  follow(signal: AbortSignal, log: Logger, onEnd: (id: string) => Promise<void>): void {
    for (const id of this.#others) {
      this.#ended(id, signal, onEnd).catch((error: unknown) =>
        log.warn('what an earlier executor left could not be removed; it will be swept', { id, error }),
      );
    }
  }

  /** This run is about to end with containers on the host: its file will stay, for its undertaker. */
  leaveContainers(): void {
    this.#leavesContainers = true;
  }

  /** Ends this executor's life; what it has on the host is then anybody's. */
  async end(): Promise<void> {
    if (!this.#leavesContainers) await rm(this.file, { force: true });
    await this.#own.release();
  }

  async #ended(id: string, signal: AbortSignal, onEnd: (id: string) => Promise<void>): Promise<void> {
    if (!(await unlocked(path.join(this.#directory, id), signal))) return;
    this.#others = new Set([...this.#others].filter((other) => other !== id));
    await onEnd(id);
    await rm(path.join(this.#directory, id), { force: true });
  }
}

const directoryIn = (stateDir: string): string => path.join(stateDir, 'executors');

async function isLocked(file: string): Promise<boolean> {
  const lock = await tryLock(file);
  await lock?.release();
  return lock === undefined;
}

async function isOld(file: string): Promise<boolean> {
  try {
    return systemClock.now() - (await stat(file)).mtimeMs > settledMs;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
