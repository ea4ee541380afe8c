import { spawn } from 'node:child_process';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract } from 'tar';
import type { ArchiveKind } from '../../../src/model/fetch.ts';
import { messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import { unzip } from './unzip.ts';
import { UnpackBudget } from './unpack-budget.ts';

/** Programs of the host that undo what Node cannot. */
const decompressors = { 'tar.bz2': 'bzip2', 'tar.xz': 'xz' } as const;

/**
 * Unpacks an archive into a directory. Nothing gets out of it: absolute names lose their slash, `..` and ways over
 * symbolic links are refused. Owners are not kept.
 * @throws PatchpanelError `invalid` for what is no such archive, `conflict` when it holds more than `maxBytes`
 */
export async function unpack(
  file: string,
  kind: ArchiveKind,
  directory: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const budget = new UnpackBudget(maxBytes);
  try {
    if (kind === 'zip') await unzip(file, directory, budget, signal);
    else await untar(file, kind, directory, budget, signal);
  } catch (error) {
    if (error instanceof PatchpanelError) throw error;
    if (signal.aborted) throw new PatchpanelError('aborted', 'the task is not wanted any more');
    throw new PatchpanelError('invalid', `cannot be unpacked: ${messageOf(error)}`, { cause: error });
  }
}

/** Warnings of the library that mean that something of the archive is missing afterwards. */
const fatal: ReadonlySet<string> = new Set([
  'TAR_BAD_ARCHIVE',
  'TAR_ENTRY_ERROR',
  'TAR_ENTRY_INVALID',
  'TAR_ABORT',
]);

async function untar(
  file: string,
  kind: Exclude<ArchiveKind, 'zip'>,
  directory: string,
  budget: UnpackBudget,
  signal: AbortSignal,
): Promise<void> {
  const failed = new AbortController();
  const fail = (error: PatchpanelError) => failed.abort(error);
  const limit = AbortSignal.any([signal, failed.signal]);
  const sink = extract({
    cwd: directory,
    preserveOwner: false,
    filter: (_name, entry) => {
      const problem = budget.take('size' in entry ? (entry.size ?? 0) : 0);
      if (problem !== undefined) fail(problem);
      return problem === undefined;
    },
    onwarn: (code, message) => {
      if (fatal.has(code)) fail(new PatchpanelError('invalid', `cannot be unpacked: ${message}`));
    },
  });
  const { content, ended } = decompressed(file, kind);
  try {
    await pipeline(content, sink, { signal: limit });
    await ended;
    failed.signal.throwIfAborted();
  } catch (error) {
    throw failed.signal.aborted ? failed.signal.reason : error;
  }
}

/** The tar itself; `ended` rejects when what came was not all of it. */
function decompressed(
  file: string,
  kind: Exclude<ArchiveKind, 'zip'>,
): { readonly content: Readable; readonly ended: Promise<void> } {
  if (kind === 'tar') return { content: createReadStream(file), ended: Promise.resolve() };
  const program = decompressors[kind];
  const child = spawn(program, ['-dc', '--', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new PatchpanelError('invalid', `needs ${program}, which this host does not have`, { cause })),
    );
    child.on('close', (code) =>
      code === 0
        ? resolve()
        : reject(new PatchpanelError('invalid', `is no archive that ${program} can read`)),
    );
  });
  // Who waits for it hears of it; until then it is nobody's.
  ended.catch(() => undefined);
  return { content: child.stdout, ended };
}
