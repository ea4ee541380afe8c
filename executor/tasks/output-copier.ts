import path from 'node:path';
import { sleep } from '../../src/runtime/deadline.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { Containers, OutputEntry } from '../core/tasks/containers.ts';
import { RotatingFile, type Rotation } from './rotating-file.ts';

export interface CopierOptions {
  readonly containers: Containers;
  /** Directory of `stdout` and `stderr`. */
  readonly directory: string;
  readonly rotation: Rotation;
  /** The container has a terminal. */
  readonly tty: boolean;
  readonly log: Logger;
}

/** Pause before a stream that broke is opened again, in milliseconds. */
const reopenMs = 500;

/**
 * Copies what one container writes to files, as fast as the disk takes it. A stream that breaks is continued after
 * the last entry that was written, so nothing is lost unless Docker has dropped it meanwhile.
 */
export class OutputCopier {
  readonly #options: CopierOptions;
  readonly #name: string;
  readonly #stdout: RotatingFile;
  readonly #stderr: RotatingFile;
  readonly #abort = new AbortController();
  #last: string | undefined;
  #finished: Promise<void> = Promise.resolve();

  constructor(name: string, options: CopierOptions) {
    this.#name = name;
    this.#options = options;
    this.#stdout = new RotatingFile(path.join(options.directory, 'stdout'), options.rotation);
    this.#stderr = new RotatingFile(path.join(options.directory, 'stderr'), options.rotation);
  }

  /** Begins to copy; the container must have been started. */
  start(): void {
    this.#finished = this.#run().catch((error: unknown) => {
      if (!this.#abort.signal.aborted) this.#options.log.error('output of a task is lost', { error });
    });
  }

  /** Resolves when all that the container wrote is in the files. */
  get finished(): Promise<void> {
    return this.#finished;
  }

  /** Stops copying, whatever is left. */
  async stop(): Promise<void> {
    this.#abort.abort();
    await this.#finished;
  }

  async #run(): Promise<void> {
    try {
      while (!(await this.#copy())) await sleep(reopenMs, this.#abort.signal);
    } finally {
      await this.#stdout.close();
      await this.#stderr.close();
    }
  }

  /** Copies until the stream ends; true when there is nothing more to come. */
  async #copy(): Promise<boolean> {
    const { containers, tty, log } = this.#options;
    try {
      // Asked first: what ended before the stream was opened has been given completely by its end.
      const before = await containers.inspect(this.#name);
      if (before === undefined) return true;
      for await (const entries of containers.output(this.#name, tty, this.#last, this.#abort.signal)) {
        await this.#write(entries);
      }
      return !before.running || !(await this.#isRunning());
    } catch (error) {
      if (this.#abort.signal.aborted) return true;
      if (isDiskError(error)) throw error;
      log.warn('output of a task was interrupted', { error });
      return false;
    }
  }

  async #isRunning(): Promise<boolean> {
    return (await this.#options.containers.inspect(this.#name))?.running ?? false;
  }

  async #write(entries: readonly OutputEntry[]): Promise<void> {
    const chosen = (stream: OutputEntry['stream']) =>
      entries.filter((entry) => entry.stream === stream).map((entry) => entry.text);
    const out = chosen('stdout');
    const err = chosen('stderr');
    if (out.length > 0) await this.#stdout.write(out);
    if (err.length > 0) await this.#stderr.write(err);
    this.#last = entries.at(-1)?.at ?? this.#last;
  }
}

/** The disk's own failures are not healed by asking Docker again. */
function isDiskError(error: unknown): boolean {
  return error !== null && typeof error === 'object' && 'syscall' in error && 'path' in error;
}
