import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type { Encoding } from '../../src/mesos/codec.ts';

const folder = path.resolve(import.meta.dirname, '../data/captures');

/** One folder of recorded traffic. */
export interface Capture {
  readonly name: string;
  readonly encoding: Encoding;
  readonly side: 'scheduler' | 'executor';
  readonly requests: readonly { readonly file: string; readonly body: Buffer }[];
  readonly streams: readonly CapturedStream[];
  /** Every event of every stream, without the recorder's own `__` fields. */
  readonly events: readonly Readonly<Record<string, unknown>>[];
}

export interface CapturedStream {
  readonly file: string;
  readonly bytes: Buffer;
  /** Sizes in which the bytes arrived; empty when that was not recorded. */
  readonly chunks: readonly number[];
}

/** All of test/data/captures. */
export const captures: readonly Capture[] = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => readCapture(entry.name));

/** A file of the captures, parsed as JSON. */
export function readCaptured(file: string): unknown {
  return JSON.parse(readFileSync(path.join(folder, file), 'utf8'));
}

function readCapture(name: string): Capture {
  const files = readdirSync(path.join(folder, name)).toSorted();
  const bodies = files.filter((file) => file.endsWith('.request'));
  const events = readCaptured(`${name}/events.json`) as readonly Record<string, unknown>[];
  return {
    name,
    encoding: name.endsWith('protobuf') ? 'protobuf' : 'json',
    side: name.includes('executor') ? 'executor' : 'scheduler',
    requests: bodies.map((file) => ({ file, body: readFileSync(path.join(folder, name, file)) })),
    streams: files
      .filter((file) => file.endsWith('.recordio'))
      // In the order of their time: `stream` comes before `stream-2`.
      .toSorted((a, b) => (stem(a) < stem(b) ? -1 : 1))
      .map((file) => readStream(name, file)),
    events: events.map((event) =>
      Object.fromEntries(Object.entries(event).filter(([key]) => !key.startsWith('__'))),
    ),
  };
}

function stem(file: string): string {
  return file.replace('.recordio', '');
}

function readStream(name: string, file: string): CapturedStream {
  const chunkFile = path.join(folder, name, file.replace('.recordio', '.chunks.json'));
  const chunks = existsSync(chunkFile)
    ? (JSON.parse(readFileSync(chunkFile, 'utf8')) as readonly { readonly bytes: number }[])
    : [];
  return {
    file,
    bytes: readFileSync(path.join(folder, name, file)),
    chunks: chunks.map(({ bytes }) => bytes),
  };
}
