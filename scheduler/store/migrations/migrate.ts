import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { RecordWrite, StoredRecord } from '../store.ts';

/** The `meta` record that says of which version the others are. Stores from before it was kept are of version 1. */
export const schemaKey = 'schema';

const firstVersion = 1;

/** One step from a version of the records to the next. */
export interface Migration {
  /** The version that it makes. */
  readonly to: number;
  /**
   * What has to be written, of all records of the version before. Carried out twice it must come to the same: pure,
   * no new ids.
   */
  readonly writes: (records: readonly StoredRecord[]) => readonly RecordWrite[];
}

export interface Migrated {
  readonly from: number;
  readonly to: number;
  /** As they are with the writes carried out. */
  readonly records: readonly StoredRecord[];
  /** To be committed together, the new version among them; empty when there is nothing to do. */
  readonly writes: readonly RecordWrite[];
}

/** The version of records that come out of `migrations`. */
export const latestVersion = (migrations: readonly Migration[]): number =>
  migrations.at(-1)?.to ?? firstVersion;

/**
 * Brings stored records to the version that this program reads. A new store gets the version and nothing else.
 * @throws PatchpanelError `corrupt` for records of a newer program: it may have written what this one would lose
 */
export function migrate(stored: readonly StoredRecord[], migrations: readonly Migration[]): Migrated {
  const to = latestVersion(migrations);
  const from = versionOf(stored, to);
  if (from > to) {
    throw new PatchpanelError(
      'corrupt',
      `the state was written by a newer Patchpanel (records of version ${from}, this program reads up to ${to}): start that version again, or import a state that was exported before the upgrade`,
      { context: { from, to } },
    );
  }
  const table = new Map(stored.map((record) => [idOf(record), record]));
  const writes = new Map<string, RecordWrite>();
  for (const migration of migrations.filter((each) => each.to > from)) {
    for (const write of migration.writes([...table.values()])) {
      writes.set(idOf(write), write);
      if (write.value === undefined) table.delete(idOf(write));
      else table.set(idOf(write), write);
    }
  }
  const version: RecordWrite = { kind: 'meta', key: schemaKey, value: to };
  const isNoted = table.get(idOf(version))?.value === to;
  table.set(idOf(version), version);
  return {
    from,
    to,
    records: [...table.values()],
    writes: [...writes.values(), ...(isNoted ? [] : [version])],
  };
}

function versionOf(records: readonly StoredRecord[], latest: number): number {
  if (records.length === 0) return latest;
  const noted = records.find(({ kind, key }) => kind === 'meta' && key === schemaKey);
  if (noted === undefined) return firstVersion;
  const { value } = noted;
  if (typeof value === 'number' && Number.isInteger(value) && value >= firstVersion) return value;
  throw new PatchpanelError(
    'corrupt',
    `the record meta/${schemaKey} says ${JSON.stringify(value)}, which is no version; restore a copy of the state`,
  );
}

const idOf = ({ kind, key }: Pick<StoredRecord, 'kind' | 'key'>): string => `${kind}/${key}`;
