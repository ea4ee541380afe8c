import type { Readable } from 'node:stream';
import yauzl from 'yauzl';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { makeInside, openInside } from './inside.ts';
import type { UnpackBudget } from './unpack-budget.ts';
import { writeStream } from './write-stream.ts';

const typeBits = 0o170_000;
const symbolicLink = 0o120_000;

/**
 * Unpacks a zip file; see unpack. The library refuses names that are absolute or lead upwards, and content that is not
 * as long as the directory of the archive says.
 */
export async function unzip(
  file: string,
  directory: string,
  budget: UnpackBudget,
  signal: AbortSignal,
): Promise<void> {
  const archive = await open(file);
  try {
    for await (const entry of entriesOf(archive)) {
      signal.throwIfAborted();
      const problem = budget.take(entry.uncompressedSize);
      if (problem !== undefined) throw problem;
      await unpackEntry(archive, entry, directory, signal);
    }
  } finally {
    archive.close();
  }
}

async function unpackEntry(
  archive: yauzl.ZipFile,
  entry: yauzl.Entry,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const name = entry.fileName;
  const mode = entry.externalFileAttributes >>> 16;
  if ((mode & typeBits) === symbolicLink)
    throw new PatchpanelError(
      'invalid',
      `holds the symbolic link ${name}: links in zip files are not supported`,
    );
  if (name.endsWith('/')) return void (await makeInside(directory, name));
  const target = await openInside(directory, name, mode & 0o777 || 0o644);
  try {
    await writeStream(await contentOf(archive, entry), target, signal);
  } finally {
    await target.close();
  }
}

const open = (file: string): Promise<yauzl.ZipFile> =>
  new Promise((resolve, reject) =>
    yauzl.open(file, { lazyEntries: true, autoClose: false }, (error, archive) =>
      error ? reject(error) : resolve(archive),
    ),
  );

const contentOf = (archive: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> =>
  new Promise((resolve, reject) =>
    archive.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream))),
  );

/** One after another, each when it is asked for. */
async function* entriesOf(archive: yauzl.ZipFile): AsyncGenerator<yauzl.Entry> {
  let settle: ((entry: yauzl.Entry | undefined) => void) | undefined;
  let fail: ((error: unknown) => void) | undefined;
  archive.on('entry', (entry: yauzl.Entry) => settle?.(entry));
  archive.on('end', () => settle?.(undefined));
  archive.on('error', (error: unknown) => fail?.(error));
  for (;;) {
    const entry = await new Promise<yauzl.Entry | undefined>((resolve, reject) => {
      settle = resolve;
      fail = reject;
      archive.readEntry();
    });
    if (entry === undefined) return;
    yield entry;
  }
}
