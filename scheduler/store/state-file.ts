import { createHash, type Hash } from 'node:crypto';
import { z } from 'zod';
import { messageOf, PatchpanelError } from '../../src/runtime/errors.ts';
import { recordKinds } from './record-key.ts';
import type { StoredRecord } from './store.ts';

/**
 * The form of an exported state: lines of JSON. The first says what it is, the last how many records lie between and
 * their SHA-256, so that a file that was cut off or changed is not taken for a whole one.
 */
const formatName = 'patchpanel-state';
const formatVersion = 1;

const headerSchema = z.object({
  format: z.literal(formatName),
  formatVersion: z.number(),
  /** The program that wrote it. */
  program: z.string(),
  /** ISO 8601 */
  exportedAt: z.string(),
});

const recordSchema = z.strictObject({
  kind: z.enum(recordKinds),
  key: z.string().min(1),
  value: z.unknown(),
});

const endSchema = z.strictObject({ records: z.int().nonnegative(), sha256: z.string() });

/** Who exported, and when. */
export type StateFileHeader = Pick<z.infer<typeof headerSchema>, 'program' | 'exportedAt'>;

/** The lines of a state file, each with its line end. */
export async function* stateFileLines(
  records: AsyncIterable<StoredRecord> | Iterable<StoredRecord>,
  header: StateFileHeader,
): AsyncGenerator<string, number> {
  yield `${JSON.stringify({ format: formatName, formatVersion, ...header })}\n`;
  const digest = new Digest();
  for await (const { kind, key, value } of records) {
    const line = JSON.stringify({ kind, key, value });
    digest.add(line);
    yield `${line}\n`;
  }
  yield `${JSON.stringify(digest.end())}\n`;
  return digest.end().records;
}

/**
 * Reads a whole state file before anything is made of it.
 * @throws PatchpanelError `invalid` that names the line
 */
export async function readStateFile(
  lines: AsyncIterable<string>,
): Promise<{ readonly header: StateFileHeader; readonly records: readonly StoredRecord[] }> {
  let header: StateFileHeader | undefined;
  let end: z.infer<typeof endSchema> | undefined;
  const records: StoredRecord[] = [];
  const digest = new Digest();
  let number = 0;
  for await (const line of lines) {
    number += 1;
    const json = parseLine(line, number);
    if (header === undefined) {
      header = readHeader(json);
      continue;
    }
    if (end !== undefined) throw problem(number, 'there is more after the end of the state');
    const asEnd = endSchema.safeParse(json);
    if (asEnd.success) {
      end = asEnd.data;
      continue;
    }
    const record = recordSchema.safeParse(json);
    if (!record.success) throw problem(number, z.prettifyError(record.error));
    digest.add(line);
    records.push({ kind: record.data.kind, key: record.data.key, value: record.data.value });
  }
  if (header === undefined) throw problem(1, 'the file is empty');
  if (end === undefined) throw problem(number, 'the file ends too early: it was not written to its end');
  const found = digest.end();
  if (end.records !== found.records || end.sha256 !== found.sha256) {
    throw problem(number, 'the records are not those that were exported: their number or checksum differs');
  }
  return { header, records };
}

class Digest {
  readonly #hash: Hash = createHash('sha256');
  #records = 0;
  #sha256: string | undefined;

  add(line: string): void {
    this.#hash.update(line).update('\n');
    this.#records += 1;
  }

  end(): z.infer<typeof endSchema> {
    this.#sha256 ??= this.#hash.digest('hex');
    return { records: this.#records, sha256: this.#sha256 };
  }
}

function readHeader(json: unknown): StateFileHeader {
  const parsed = headerSchema.safeParse(json);
  if (!parsed.success) throw problem(1, 'this is no state that `patchpanel state export` wrote');
  if (parsed.data.formatVersion > formatVersion) {
    throw problem(
      1,
      `the form ${parsed.data.formatVersion} is newer than this program: use Patchpanel ${parsed.data.program}`,
    );
  }
  return { program: parsed.data.program, exportedAt: parsed.data.exportedAt };
}

function parseLine(line: string, number: number): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw problem(number, messageOf(cause));
  }
}

const problem = (line: number, what: string): PatchpanelError =>
  new PatchpanelError('invalid', `line ${line}: ${what}`);
