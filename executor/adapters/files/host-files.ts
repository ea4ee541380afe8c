import { copyFile, lstat, mkdir, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { archiveKind, fetchSource, speakableUri, type FetchSource } from '../../../src/model/fetch.ts';
import type { TaskId } from '../../../src/model/ids.ts';
import type { FetchItem, SecretFile } from '../../../src/model/task-spec.ts';
import { codeOf, messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import type { TaskFiles } from '../../core/tasks/files.ts';
import { download } from './download.ts';
import { FetchCache } from './fetch-cache.ts';
import { makeInside, openInside } from './inside.ts';
import { unpack } from './unpack.ts';

export interface HostFilesOptions {
  /** Each task has `tasks/<task id>` in it: its output and its sandbox. */
  readonly directory: string;
  /** In memory (tmpfs) and of this host alone: secrets of tasks, each run of an executor has a directory of its own. */
  readonly secretsDirectory: string;
  readonly runId: string;
  readonly cacheDirectory: string;
  readonly cacheBytes: number;
  /** Of one file, and of what one archive unpacks to. */
  readonly maxBytes: number;
  /** A Docker configuration of the host with credentials; it need not be there. */
  readonly dockerConfig: string;
  readonly log: Logger;
}

/** A download in which nothing moves for so long is given up, in milliseconds. */
const stallMs = 60_000;
const maxConfigBytes = 1024 * 1024;

/** The files of tasks, on this host's disk and in its memory. */
export class HostFiles implements TaskFiles {
  readonly #options: HostFilesOptions;
  readonly #cache: FetchCache;

  constructor(options: HostFilesOptions) {
    this.#options = options;
    this.#cache = new FetchCache(options.cacheDirectory, options.cacheBytes);
  }

  sandboxOf(task: TaskId): string {
    return path.join(this.#options.directory, 'tasks', task, 'sandbox');
  }

  secretOf(task: TaskId, index: number): string {
    return path.join(this.#secrets(task), String(index));
  }

  /** Removes the secrets that runs of executors left which do not live. */
  async removeLeftovers(lives: (runId: string) => boolean): Promise<void> {
    const { secretsDirectory } = this.#options;
    const left = await readdir(secretsDirectory).catch(() => []);
    for (const runId of left.filter((id) => !lives(id))) {
      await rm(path.join(secretsDirectory, runId), { recursive: true, force: true });
    }
  }

  async prepare(task: TaskId, secrets: readonly SecretFile[]): Promise<void> {
    const sandbox = this.sandboxOf(task);
    // Others of this host do not get past the directory above; in the container whoever the app runs as may write.
    await mkdir(path.dirname(sandbox), { recursive: true, mode: 0o700 });
    await mkdir(sandbox, { recursive: true });
    await setMode(sandbox, 0o777);
    if (secrets.length === 0) return;
    await mkdir(this.#secrets(task), { recursive: true, mode: 0o700 });
    for (const [index, { content }] of secrets.entries()) {
      await writeFile(this.secretOf(task, index), Buffer.from(content, 'base64'), { mode: 0o444 });
    }
  }

  async fetch(
    task: TaskId,
    items: readonly FetchItem[],
    onProgress: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    for (const [index, item] of items.entries()) {
      const what = `fetching ${speakableUri(item.uri)} (${index + 1} of ${items.length})`;
      onProgress(what);
      try {
        await this.#fetchOne(
          this.sandboxOf(task),
          item,
          (amount) => onProgress(`${what}: ${amount}`),
          signal,
        );
      } catch (error) {
        const code = error instanceof PatchpanelError ? error.code : 'external';
        throw new PatchpanelError(code, `could not fetch ${speakableUri(item.uri)}: ${messageOf(error)}`);
      }
    }
  }

  async dockerConfigs(task: TaskId): Promise<readonly string[]> {
    const sandbox = this.sandboxOf(task);
    const places = [
      path.join(sandbox, '.docker', 'config.json'),
      path.join(sandbox, '.dockercfg'),
      this.#options.dockerConfig,
    ];
    const texts = await Promise.all(places.map((place) => this.#readConfig(place)));
    return texts.flatMap((text) => text ?? []);
  }

  async remove(task: TaskId): Promise<void> {
    await rm(this.sandboxOf(task), { recursive: true, force: true });
    await rm(this.#secrets(task), { recursive: true, force: true });
  }

  #secrets(task: TaskId): string {
    return path.join(this.#options.secretsDirectory, this.#options.runId, task);
  }

  async #fetchOne(
    sandbox: string,
    item: FetchItem,
    onAmount: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const source = fetchSource(item.uri);
    if (source.kind === 'none') throw new PatchpanelError('invalid', source.problem);
    const target = item.destPath ?? source.name;
    const kind = item.extract && !item.executable ? archiveKind(source.name) : undefined;
    const { maxBytes } = this.#options;
    if (item.cache) {
      const cached = await this.#cache.get(item.uri, (file) =>
        this.#download(source, file, onAmount, signal),
      );
      if (kind !== undefined)
        return unpack(cached, kind, await makeInside(sandbox, path.dirname(target)), maxBytes, signal);
      // A copy: what the app does with its file is nobody else's.
      return copyInside(cached, sandbox, target, modeOf(item));
    }
    const file = await openInside(sandbox, target, modeOf(item));
    try {
      await this.#download(source, file, onAmount, signal);
    } finally {
      await file.close();
    }
    if (kind === undefined) return;
    const archive = path.join(sandbox, target);
    await unpack(archive, kind, path.join(sandbox, path.dirname(target)), maxBytes, signal);
    await rm(archive);
  }

  #download(
    source: Exclude<FetchSource, { kind: 'none' }>,
    file: Parameters<typeof download>[1],
    onAmount: (text: string) => void,
    signal: AbortSignal,
  ): Promise<void> {
    const { maxBytes } = this.#options;
    return download(
      source,
      file,
      { maxBytes, stallMs },
      (bytes, total) => onAmount(amountText(bytes, total)),
      signal,
    );
  }

  /** What is no file of a sensible size has no credentials. */
  async #readConfig(file: string): Promise<string | undefined> {
    try {
      const facts = await lstat(file);
      if (!facts.isFile() || facts.size > maxConfigBytes) return undefined;
      return await readFile(file, 'utf8');
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTDIR')
        this.#options.log.warn('a Docker configuration cannot be read', { file, error });
      return undefined;
    }
  }
}

const modeOf = ({ executable }: FetchItem): number => (executable ? 0o755 : 0o644);

async function copyInside(from: string, sandbox: string, target: string, mode: number): Promise<void> {
  const file = await openInside(sandbox, target, mode);
  await file.close();
  await copyFile(from, path.join(await makeInside(sandbox, path.dirname(target)), path.basename(target)));
  await setMode(path.join(sandbox, target), mode);
}

/** Whatever the umask says. */
async function setMode(file: string, mode: number): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.chmod(mode);
  } finally {
    await handle.close();
  }
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

const amountText = (bytes: number, total: number | undefined): string =>
  total === undefined ? `${megabytes(bytes)} MB` : `${megabytes(bytes)} of ${megabytes(total)} MB`;
