import { createReadStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { openEmbeddedStore } from '../../scheduler/store/embedded-store.ts';
import { stateFileLines } from '../../scheduler/store/state-file.ts';
import type { Store, StoredRecord } from '../../scheduler/store/store.ts';
import { withIdleStore, withSnapshot } from '../../scheduler/store/zookeeper/from-outside.ts';
import { importState, type Imported } from '../../scheduler/store/transfer.ts';
import { codeOf, messageOf } from '../runtime/errors.ts';
import { createLogger, type Logger } from '../runtime/logger.ts';
import { CliError, exitCodes, type GlobalOptions } from './client.ts';
import { print } from './output.ts';
import { version } from './version.ts';

interface StoreOptions extends GlobalOptions {
  readonly stateDir: string;
  /** Instead of the directory. */
  readonly zk?: string;
}

interface ImportOptions extends StoreOptions {
  readonly replace: boolean;
}

/** `patchpanel state …`: back up and restore what a scheduler keeps, without one. */
export function stateCommand(): Command {
  const state = new Command('state');
  withStore(state.command('export <file>'))
    .description('write all records to a file (- for standard output); it holds secrets, so keep it safe')
    .action((file: string, _options, command: Command) => exportTo(file, storeOptions(command)));
  withStore(state.command('import <file>'))
    .description('read them back, of this version or an earlier one, - from standard input')
    .option('--replace', 'replace what is there', false)
    .action((file: string, _options, command: Command) => importFrom(file, storeOptions(command)));
  return state;
}

const withStore = (command: Command): Command =>
  command
    .option(
      '--state-dir <dir>',
      "the scheduler's state directory",
      process.env['PATCHPANEL_STATE_DIR'] ?? '/var/lib/patchpanel-scheduler',
    )
    .option('--zk <address>', 'the state that several schedulers share, instead (PATCHPANEL_ZK)');

/** The variable holds a password, so it is no default that --help would show; a directory that is named wins over it. */
function storeOptions<T extends StoreOptions>(command: Command): T {
  const options = command.optsWithGlobals<T>();
  const named = command.getOptionValueSource('stateDir') === 'cli';
  const zk = options.zk ?? (named ? undefined : process.env['PATCHPANEL_ZK']);
  return { ...options, ...(zk === undefined ? {} : { zk }) };
}

async function exportTo(file: string, options: StoreOptions): Promise<void> {
  const records = await explained(exportRecords(file, options));
  // Standard output is the state itself then.
  if (file !== '-') print(options.json, { file, records }, () => `${records} records in ${file}`);
}

async function importFrom(file: string, options: ImportOptions): Promise<void> {
  const done = await explained(importRecords(file, options));
  print(
    options.json,
    done,
    () => `${done.records} records of ${done.exportedAt} are in place, ${done.replaced} before are gone`,
  );
}

function exportRecords(file: string, { zk, stateDir }: StoreOptions): Promise<number> {
  if (zk !== undefined) return withSnapshot(zk, log(), (records) => writeRecords(file, records));
  return withEmbedded(stateDir, 'existing', (store) => writeRecords(file, store.load()));
}

function importRecords(file: string, options: ImportOptions): Promise<Imported> {
  const { zk, stateDir } = options;
  const work = async (store: Store): Promise<Imported> => {
    const input = file === '-' ? process.stdin : createReadStream(file);
    const failure = new Promise<never>((_, reject) => input.once('error', reject));
    const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
    try {
      return await Promise.race([importState(store, lines, options), failure]);
    } finally {
      lines.close();
    }
  };
  return zk === undefined ? withEmbedded(stateDir, 'any', work) : withIdleStore(zk, log(), work);
}

const log = (): Logger => createLogger('state', 'error');

/** A file appears whole or not at all, readable for its owner only. Gives the number of records. */
async function writeRecords(
  file: string,
  records: AsyncIterable<StoredRecord> | readonly StoredRecord[],
): Promise<number> {
  const lines = stateFileLines(records, { program: version, exportedAt: new Date().toISOString() });
  if (file === '-') return eachLine(lines, (line) => writeOut(line));
  const partial = `${file}.new`;
  const handle = await open(partial, 'w', 0o600);
  try {
    await handle.chmod(0o600);
    const written = await eachLine(lines, async (line) => void (await handle.write(line)));
    await handle.sync();
    await rename(partial, file);
    return written;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function eachLine(
  lines: AsyncGenerator<string, number>,
  write: (line: string) => Promise<void>,
): Promise<number> {
  for (;;) {
    const next = await lines.next();
    if (next.done === true) return next.value;
    await write(next.value);
  }
}

const writeOut = (line: string): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(line, (error) => (error ? reject(error) : resolve()));
  });

async function withEmbedded<T>(
  stateDir: string,
  which: 'any' | 'existing',
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await openEmbeddedStore(stateDir, which);
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

async function explained<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new CliError(exitCodeOf(error), messageOf(error));
  }
}

function exitCodeOf(error: unknown): number {
  const code = codeOf(error);
  if (code === 'conflict') return exitCodes.conflict;
  return code === 'not-found' ? exitCodes.notFound : exitCodes.failed;
}
