import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import { codeOf, messageOf, PatchpanelError } from '../../src/runtime/errors.ts';
import { GroupCommit } from './group-commit.ts';
import { parseRecordKey, recordKey } from './record-key.ts';
import type { RecordWrite, Store, StoredRecord } from './store.ts';

/** The layout of the records. A store of a newer layout is refused, an older one would be migrated at open. */
const schemaVersion = 1;

/** Beside the records and never handed out by load: it is about the store itself. */
const schemaKey = '!schema';

type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string };

/**
 * Opens the store under `<stateDirectory>/store`, for this process alone; one that is not there is made, unless
 * `existing` is asked for.
 * @throws PatchpanelError `conflict` when another process holds it, `corrupt` when it cannot be read, `not-found`
 */
export async function openEmbeddedStore(
  stateDirectory: string,
  which: 'any' | 'existing' = 'any',
): Promise<Store> {
  const directory = join(stateDirectory, 'store');
  if (which === 'existing') await requireStore(directory);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const level = new ClassicLevel(directory, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
  try {
    await level.open();
    await checkSchema(level, directory);
  } catch (error) {
    await level.close();
    throw explainOpen(error, directory);
  }
  return new EmbeddedStore(level, directory);
}

class EmbeddedStore implements Store {
  readonly #level: ClassicLevel;
  readonly #directory: string;
  readonly #commits: GroupCommit<RecordWrite>;

  constructor(level: ClassicLevel, directory: string) {
    this.#level = level;
    this.#directory = directory;
    this.#commits = new GroupCommit((writes) => this.#write(writes));
  }

  async *load(): AsyncIterable<StoredRecord> {
    const entries = this.#level.iterator({ gt: schemaKey });
    try {
      for await (const [text, value] of entries) {
        yield { ...parseRecordKey(text), value: this.#parse(text, value) };
      }
    } catch (error) {
      throw explain(error, this.#directory);
    }
  }

  commit(writes: readonly RecordWrite[]): Promise<void> {
    return this.#commits.commit(writes);
  }

  async close(): Promise<void> {
    await this.#commits.close();
    await this.#level.close();
  }

  async #write(writes: readonly RecordWrite[]): Promise<void> {
    if (writes.length === 0) return;
    try {
      await this.#level.batch(writes.map(toOperation), { sync: true });
    } catch (error) {
      throw explain(error, this.#directory);
    }
  }

  #parse(key: string, value: string): unknown {
    try {
      return JSON.parse(value);
    } catch (cause) {
      throw new PatchpanelError(
        'corrupt',
        `the record "${key}" in ${this.#directory} is not JSON; restore a copy of the state directory`,
        { cause },
      );
    }
  }
}

function toOperation(write: RecordWrite): Operation {
  const key = recordKey(write.kind, write.key);
  return write.value === undefined
    ? { type: 'del', key }
    : { type: 'put', key, value: JSON.stringify(write.value) };
}

/** LevelDB's file `CURRENT` is there as soon as a store was made. */
async function requireStore(directory: string): Promise<void> {
  try {
    await access(join(directory, 'CURRENT'));
  } catch (cause) {
    throw new PatchpanelError('not-found', `there is no state in ${directory}; is it another --state-dir?`, {
      cause,
    });
  }
}

async function checkSchema(level: ClassicLevel, directory: string): Promise<void> {
  const found = await level.get(schemaKey);
  if (found === undefined) {
    await level.batch([{ type: 'put', key: schemaKey, value: String(schemaVersion) }], { sync: true });
  } else if (found !== String(schemaVersion)) {
    throw new PatchpanelError(
      'corrupt',
      `${directory} has layout ${found}, this version reads layout ${schemaVersion}; start the version that wrote it`,
    );
  }
}

function explainOpen(error: unknown, directory: string): PatchpanelError {
  if (causeCodes(error).includes('LEVEL_LOCKED')) {
    return new PatchpanelError(
      'conflict',
      `another scheduler runs on ${directory}; stop it or choose another --state-dir`,
      { cause: error },
    );
  }
  return explain(error, directory);
}

function explain(error: unknown, directory: string): PatchpanelError {
  if (error instanceof PatchpanelError) return error;
  if (causeCodes(error).includes('LEVEL_CORRUPTION')) {
    return new PatchpanelError(
      'corrupt',
      `the store ${directory} is damaged; restore a copy of the state directory`,
      { cause: error },
    );
  }
  return new PatchpanelError('external', `the store ${directory} failed: ${messageOf(error)}`, {
    cause: error,
  });
}

/** The codes of an error and of what caused it: the library wraps the one that tells. */
function causeCodes(error: unknown): (string | undefined)[] {
  const cause = error !== null && typeof error === 'object' && 'cause' in error ? error.cause : undefined;
  return [codeOf(error), codeOf(cause)];
}
