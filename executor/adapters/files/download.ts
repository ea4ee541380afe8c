import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import axios, { isAxiosError } from 'axios';
import type { FetchSource } from '../../../src/model/fetch.ts';
import { backoffMs } from '../../../src/runtime/backoff.ts';
import { sleep } from '../../../src/runtime/deadline.ts';
import { codeOf, messageOf, PatchpanelError } from '../../../src/runtime/errors.ts';
import { writeStream } from './write-stream.ts';

export interface DownloadLimits {
  /** More than this is not taken. */
  readonly maxBytes: number;
  /** A download in which nothing moves for so long is given up, in milliseconds. */
  readonly stallMs: number;
}

const attempts = 3;
const pauses = { baseMs: 1000, maxMs: 10_000, factor: 3 };

/**
 * Writes what a URI leads to into a file, from its beginning, telling how far it is; tries again when the server or
 * the way to it fails.
 * @throws PatchpanelError `not-found`, `denied`, `unavailable`, `deadline`, `conflict` (too large) or `aborted`
 */
export async function download(
  source: Exclude<FetchSource, { kind: 'none' }>,
  file: FileHandle,
  limits: DownloadLimits,
  onBytes: (bytes: number, total: number | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await downloadOnce(source, file, limits, onBytes, signal);
    } catch (error) {
      const failure = downloadError(error, signal);
      if (!failure.retryable || attempt === attempts) throw failure;
      await sleep(backoffMs(pauses, attempt - 1, Math.random), signal);
    }
  }
}

async function downloadOnce(...[source, file, limits, onBytes, signal]: Parameters<typeof download>) {
  const stall = new AbortController();
  const stalled = () =>
    stall.abort(new PatchpanelError('deadline', `no data came for ${limits.stallMs / 1000} s`));
  const timer = setTimeout(stalled, limits.stallMs);
  const limit = AbortSignal.any([signal, stall.signal]);
  try {
    const { body, total } = await opened(source, limit);
    if (total !== undefined && total > limits.maxBytes) {
      body.destroy();
      throw tooLarge(limits.maxBytes);
    }
    await writeStream(body, file, limit, (bytes) => {
      timer.refresh();
      onBytes(bytes, total);
      if (bytes > limits.maxBytes) throw tooLarge(limits.maxBytes);
    });
  } catch (error) {
    throw stall.signal.aborted ? stall.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

async function opened(
  source: Exclude<FetchSource, { kind: 'none' }>,
  signal: AbortSignal,
): Promise<{ readonly body: Readable; readonly total: number | undefined }> {
  if (source.kind === 'file') {
    const facts = await stat(source.path);
    if (!facts.isFile()) throw new PatchpanelError('not-found', `${source.path} is no file`);
    return { body: createReadStream(source.path), total: facts.size };
  }
  const { data, headers } = await axios.get<Readable>(source.url, {
    responseType: 'stream',
    decompress: false,
    maxRedirects: 10,
    // What is stored is what the server has, not what it would pack for the way.
    headers: { 'Accept-Encoding': 'identity' },
    signal,
  });
  const length = Number(headers['content-length']);
  return { body: data, total: Number.isFinite(length) ? length : undefined };
}

const tooLarge = (maxBytes: number): PatchpanelError =>
  new PatchpanelError('conflict', `is larger than ${maxBytes} bytes, which this host allows`);

/** Without axios's own error, which holds the whole request, credentials included. */
function downloadError(error: unknown, signal: AbortSignal): PatchpanelError {
  if (signal.aborted) return new PatchpanelError('aborted', 'the task is not wanted any more');
  if (error instanceof PatchpanelError) return error;
  if (isAxiosError(error)) {
    // Its body was not read: the connection must not wait for that.
    (error.response?.data as Readable | undefined)?.destroy();
    const status = error.response?.status;
    if (status === undefined) return new PatchpanelError('unavailable', error.code ?? error.message);
    if (status === 401 || status === 403)
      return new PatchpanelError('denied', `the server answered ${status}`);
    if (status >= 500 || status === 429)
      return new PatchpanelError('unavailable', `the server answered ${status}`);
    return new PatchpanelError('not-found', `the server answered ${status}`);
  }
  const code = codeOf(error);
  if (code === 'ENOENT') return new PatchpanelError('not-found', 'there is no such file');
  const network = code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE';
  return new PatchpanelError(network ? 'unavailable' : 'external', messageOf(error), { cause: error });
}
