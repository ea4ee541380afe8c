import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import type { CommandInfoURI } from '../../../../proto/mesos.gen.ts';
import { messageOf, PatchpanelError } from '../../../runtime/errors.ts';
import { run } from '../../../runtime/process.ts';

export interface FetcherOptions {
  readonly cacheDirectory: string;
  /** How long a download may stand still. */
  readonly stallMs: number;
}

const maxCached = 16;
const unpackTimeoutMs = 120_000;
const archive = /\.(tar|tgz|tar\.gz|tbz2|tar\.bz2|txz|tar\.xz)$/;

/**
 * Brings the URIs of a command into a sandbox: http, https and file (or a path); archives are unpacked by tar.
 * Cached URIs are downloaded once and never checked again; the cache keeps the last 16.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #downloads = new Map<string, Promise<string>>();
  readonly #closing = new AbortController();

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Rejects with code `external` that names the URI when one cannot be had or unpacked. */
  async fetchAll(uris: readonly CommandInfoURI[], sandbox: string, signal: AbortSignal): Promise<void> {
    for (const uri of uris) {
      try {
        await this.#fetch(uri, sandbox, signal);
      } catch (cause) {
        throw new PatchpanelError('external', `Failed to fetch '${uri.value}': ${messageOf(cause)}`, {
          cause,
        });
      }
    }
  }

  /** Ends the downloads that are under way. */
  close(): void {
    this.#closing.abort();
  }

  async #fetch(uri: CommandInfoURI, sandbox: string, signal: AbortSignal): Promise<void> {
    const target = targetOf(uri, sandbox);
    const unpacks = uri.executable !== true && (uri.extract ?? true) && archive.test(target);
    let source = target;
    if (uri.cache === true) {
      source = await orAborted(this.#cached(uri.value), signal);
      if (!unpacks) await copyInto(source, target);
    } else {
      await mkdir(path.dirname(target), { recursive: true });
      await download(uri.value, target, this.#options.stallMs, signal);
    }
    if (uri.executable === true) await chmod(target, 0o755);
    if (!unpacks) return;
    await run('tar', ['-x', '-f', source, '-C', sandbox], { timeoutMs: unpackTimeoutMs, signal });
  }

  /** The cached file of a URI; downloads of the same URI at the same time are one. */
  #cached(uri: string): Promise<string> {
    const name = createHash('sha256').update(uri).digest('hex');
    const known = this.#downloads.get(name);
    if (known !== undefined) return known;
    const started = this.#fill(uri, name).finally(() => this.#downloads.delete(name));
    this.#downloads.set(name, started);
    return started;
  }

  async #fill(uri: string, name: string): Promise<string> {
    const { cacheDirectory, stallMs } = this.#options;
    const file = path.join(cacheDirectory, name);
    if (await exists(file)) return file;
    await mkdir(cacheDirectory, { recursive: true });
    await this.#evict();
    await checkSize(uri, stallMs, this.#closing.signal);
    const partial = `${file}.partial`;
    // Others may wait for it too: it goes on when the first who asked is destroyed.
    await download(uri, partial, stallMs, this.#closing.signal);
    await rename(partial, file);
    return file;
  }

  async #evict(): Promise<void> {
    const { cacheDirectory } = this.#options;
    const files = await Promise.all(
      (await readdir(cacheDirectory)).map(async (name) => {
        const file = path.join(cacheDirectory, name);
        return { file, age: (await stat(file)).mtimeMs };
      }),
    );
    const oldestFirst = files.sort((a, b) => a.age - b.age);
    for (const { file } of oldestFirst.slice(0, Math.max(0, files.length - maxCached + 1))) {
      await rm(file, { force: true });
    }
  }
}

function targetOf({ value, output_file: output }: CommandInfoURI, sandbox: string): string {
  const name = output ?? path.basename(value.startsWith('http') ? new URL(value).pathname : value);
  const target = path.resolve(sandbox, name);
  if (name !== '' && target.startsWith(`${sandbox}/`)) return target;
  throw new PatchpanelError('invalid', `'${name}' is not a file name inside the sandbox`);
}

async function copyInto(source: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  await copyFile(source, target);
}

/**
 * The fetcher of a real agent asks for the size first, to make room in its cache, and goes without the cache where it is
 * not told. That would show only under load, so here it is an error.
 */
async function checkSize(uri: string, limitMs: number, signal: AbortSignal): Promise<void> {
  if (!/^https?:/.test(uri)) return;
  const response = await fetch(uri, {
    method: 'HEAD',
    signal: AbortSignal.any([signal, AbortSignal.timeout(limitMs)]),
  });
  if (!response.ok) {
    throw new PatchpanelError('external', `Error downloading resource: got return code ${response.status}`);
  }
  if (!(Number(response.headers.get('content-length')) > 0)) {
    throw new PatchpanelError('external', 'URI has no content length');
  }
}

async function download(uri: string, target: string, stallMs: number, signal: AbortSignal): Promise<void> {
  if (uri.startsWith('file:') || uri.startsWith('/')) {
    await copyFile(uri.startsWith('file:') ? fileURLToPath(uri) : uri, target);
    return;
  }
  if (!/^https?:/.test(uri))
    throw new PatchpanelError('invalid', 'only http, https and file URIs are supported');
  const stall = new AbortController();
  const stalled = () => stall.abort(new PatchpanelError('deadline', `no data for ${stallMs} ms`));
  let timer = setTimeout(stalled, stallMs);
  try {
    const response = await fetch(uri, { signal: AbortSignal.any([signal, stall.signal]) });
    if (!response.ok || response.body === null) {
      throw new PatchpanelError('external', `the server answered ${response.status}`);
    }
    const body = Readable.fromWeb(response.body);
    body.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
    });
    await pipeline(body, createWriteStream(target));
  } finally {
    clearTimeout(timer);
  }
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(new PatchpanelError('aborted', 'the executor was destroyed'));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}

async function exists(file: string): Promise<boolean> {
  try {
    await stat(file);
    return true;
  } catch {
    return false;
  }
}
