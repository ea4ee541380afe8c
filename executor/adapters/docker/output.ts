import type Docker from 'dockerode';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { OutputEntry } from '../../core/tasks/containers.ts';
import { dockerError } from './connection.ts';
import { closeOnAbort } from './open-stream.ts';

const headerBytes = 8;
const newline = 0x0a;
/** Docker cuts long lines at 16 KiB; more than this is no stream of output. */
const longestFrame = 16 * 1024 * 1024;

/**
 * Cuts Docker's multiplexed output into entries: a header (stream, three zeros, length) and a payload that begins
 * with its time. INVARIANT: it holds less than one frame between calls.
 */
export class OutputFrames {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The entries that are complete with this chunk.
   * @throws PatchpanelError `protocol` when the bytes are no such stream
   */
  add(chunk: Buffer): OutputEntry[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const entries: OutputEntry[] = [];
    while (bytes.length >= headerBytes) {
      const size = bytes.readUInt32BE(4);
      if (size > longestFrame || bytes[0]! > 2)
        throw new PatchpanelError('protocol', 'output of Docker is garbled');
      if (bytes.length < headerBytes + size) break;
      entries.push(entryOf(bytes[0]!, bytes.subarray(headerBytes, headerBytes + size)));
      bytes = bytes.subarray(headerBytes + size);
    }
    this.#rest = bytes;
    return entries;
  }
}

/**
 * Cuts what a container with a terminal writes into entries: lines that begin with their time. INVARIANT: it holds less
 * than one line, or the longest part of one, between calls.
 */
export class TerminalLines {
  #rest: Buffer = Buffer.alloc(0);

  /** The lines that are complete with this chunk. */
  add(chunk: Buffer): OutputEntry[] {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const entries: OutputEntry[] = [];
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline)) {
      entries.push(entryOf(1, bytes.subarray(0, end + 1)));
      bytes = bytes.subarray(end + 1);
    }
    if (bytes.length > longestFrame)
      throw new PatchpanelError('protocol', 'output of Docker has no end of line');
    this.#rest = bytes;
    return entries;
  }
}

function entryOf(stream: number, payload: Buffer): OutputEntry {
  const blank = payload.indexOf(0x20);
  return {
    stream: stream === 2 ? 'stderr' : 'stdout',
    at: payload.subarray(0, Math.max(0, blank)).toString('latin1'),
    text: payload.subarray(blank + 1),
  };
}

/** `2026-01-02T03:04:05.123456789Z` as Docker's `since` wants it: seconds, dot, nanoseconds. */
export function sinceParameter(at: string): string {
  const seconds = Math.floor(Date.parse(at) / 1000);
  const nanoseconds = /\.(\d+)Z$/.exec(at)?.[1] ?? '0';
  return `${seconds}.${nanoseconds.padEnd(9, '0')}`;
}

/** Follows what a container writes; see Containers.output. */
export async function* readOutput(
  container: Docker.Container,
  tty: boolean,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly OutputEntry[]> {
  try {
    const output = await container.logs({
      follow: true,
      stdout: true,
      stderr: true,
      timestamps: true,
      abortSignal: signal,
      // The API takes nanoseconds after a dot; the library's type knows numbers only.
      ...(after === undefined ? {} : { since: sinceParameter(after) as unknown as number }),
    });
    const frames = tty ? new TerminalLines() : new OutputFrames();
    for await (const chunk of closeOnAbort(output, signal)) {
      // `since` is inclusive: what was seen already is dropped here.
      const entries = frames.add(chunk).filter((entry) => after === undefined || entry.at > after);
      if (entries.length > 0) yield entries;
    }
  } catch (error) {
    throw dockerError('docker logs', error);
  }
}
