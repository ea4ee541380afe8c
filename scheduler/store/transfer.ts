import { PatchpanelError } from '../../src/runtime/errors.ts';
import { migrations } from './migrations/all.ts';
import { migrate } from './migrations/migrate.ts';
import { withRoom } from './restore-point.ts';
import { readStateFile } from './state-file.ts';
import type { RecordWrite, Store } from './store.ts';

/** What an import did. */
export interface Imported {
  readonly records: number;
  /** Records that were there before and are gone. */
  readonly replaced: number;
  readonly exportedAt: string;
}

/**
 * Puts an exported state into a store in one commit, brought to the records' current version and with room for what
 * happened since (see withRoom).
 * @throws PatchpanelError `invalid` for a file that is not whole; `corrupt` when it is of a newer version; `conflict`
 *   when the store holds something and it is not to be replaced. The store is as it was then.
 */
export async function importState(
  store: Store,
  lines: AsyncIterable<string>,
  options: { readonly replace: boolean },
): Promise<Imported> {
  const { header, records } = await readStateFile(lines);
  const imported = withRoom(migrate(records, migrations).records);
  const before: RecordWrite[] = [];
  for await (const { kind, key } of store.load()) before.push({ kind, key, value: undefined });
  if (before.length > 0 && !options.replace) {
    throw new PatchpanelError(
      'conflict',
      `there is a state of ${before.length} records already; --replace removes it for the one imported`,
    );
  }
  await store.commit([...before, ...imported]);
  return { records: imported.length, replaced: before.length, exportedAt: header.exportedAt };
}
