import { createHash } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, stat, utimes, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

/**
 * Files that were fetched with `cache: true`, by their URI; never checked again. When they are more than `maxBytes`,
 * those that were not used for longest go. Kept from one executor to the next.
 * INVARIANTS: what is in it is complete; one URI is fetched once at a time.
 */
export class FetchCache {
  readonly #directory: string;
  readonly #maxBytes: number;
  readonly #underWay = new Map<string, Promise<string>>();

  constructor(directory: string, maxBytes: number) {
    this.#directory = directory;
    this.#maxBytes = maxBytes;
  }

  /**
   * The file of a URI; `fill` writes it when it is not there. Who waits for another's download is not ended with it:
   * when that one is cancelled, the next begins anew.
   */
  async get(uri: string, fill: (file: FileHandle) => Promise<void>): Promise<string> {
    const name = createHash('sha256').update(uri).digest('hex');
    const other = this.#underWay.get(name);
    if (other !== undefined) {
      await other.catch(() => undefined);
      return this.get(uri, fill);
    }
    const work = this.#load(path.join(this.#directory, name), fill);
    this.#underWay.set(name, work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(name);
    }
  }

  async #load(file: string, fill: (file: FileHandle) => Promise<void>): Promise<string> {
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const now = new Date();
    const known = await utimes(file, now, now).then(
      () => true,
      () => false,
    );
    if (known) return file;
    const partial = `${file}.${process.pid}.partial`;
    const handle = await open(partial, 'w', 0o600);
    try {
      await fill(handle);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    await this.#evict(file);
    return file;
  }

  async #evict(kept: string): Promise<void> {
    const names = await readdir(this.#directory);
    const files = await Promise.all(
      names.map(async (name) => {
        const file = path.join(this.#directory, name);
        const { size, mtimeMs } = await stat(file);
        return { file, size, mtimeMs };
      }),
    );
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    for (const { file, size, mtimeMs } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (bytes <= this.#maxBytes) return;
      if (file === kept || isUnderWay(file, mtimeMs)) continue;
      await rm(file, { force: true });
      bytes -= size;
    }
  }
}

const abandonedMs = 24 * 3_600_000;

/** Another executor of this host may be writing it; one that has died leaves it behind. */
const isUnderWay = (file: string, mtimeMs: number): boolean =>
  file.endsWith('.partial') && mtimeMs > Date.now() - abandonedMs;
