import { mkdir, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import path from 'node:path';

export interface Rotation {
  /** Bytes after which a file is put aside. */
  readonly maxBytes: number;
  /** How many files there are at most: `stdout`, `stdout.1`, … */
  readonly maxFiles: number;
}

/**
 * A file that is appended to and put aside when it is full. INVARIANT: no file is larger than `maxBytes`, unless a
 * single piece is. Writes must not overlap: await one before the next.
 */
export class RotatingFile {
  readonly #path: string;
  readonly #rotation: Rotation;
  #file: FileHandle | undefined;
  #bytes = 0;

  constructor(file: string, rotation: Rotation) {
    this.#path = file;
    this.#rotation = rotation;
  }

  /** Appends the pieces in order; a piece is never divided between two files. */
  async write(pieces: readonly Uint8Array[]): Promise<void> {
    let batch: Uint8Array[] = [];
    let size = 0;
    this.#file ??= await this.#open();
    for (const piece of pieces) {
      const used = this.#bytes + size;
      if (used > 0 && used + piece.length > this.#rotation.maxBytes) {
        await this.#append(batch, size);
        await this.#rotate();
        batch = [];
        size = 0;
      }
      batch.push(piece);
      size += piece.length;
    }
    await this.#append(batch, size);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }

  async #append(pieces: readonly Uint8Array[], size: number): Promise<void> {
    if (size === 0) return;
    this.#file ??= await this.#open();
    await this.#file.appendFile(Buffer.concat(pieces, size));
    this.#bytes += size;
  }

  async #open(): Promise<FileHandle> {
    await mkdir(path.dirname(this.#path), { recursive: true });
    const file = await open(this.#path, 'a');
    this.#bytes = (await stat(this.#path)).size;
    return file;
  }

  async #rotate(): Promise<void> {
    await this.close();
    const { maxFiles } = this.#rotation;
    await rm(this.#nth(maxFiles - 1), { force: true });
    for (let n = maxFiles - 2; n >= 0; n -= 1) {
      await rename(this.#nth(n), this.#nth(n + 1)).catch(ignoreMissing);
    }
    this.#bytes = 0;
  }

  #nth(n: number): string {
    return n === 0 ? this.#path : `${this.#path}.${n}`;
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
