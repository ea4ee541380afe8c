import type { App } from '../../../src/model/app.ts';
import { groupsAbove, type Group } from '../../../src/model/group.ts';
import type { RecordWrite, StoredRecord } from '../store.ts';
import type { Migration } from './migrate.ts';

/**
 * Version 2: groups have records. Those of before followed from the ids of apps; each gets the version of the newest app
 * in it, as if it had been kept.
 */
export const groupsMigration: Migration = { to: 2, writes: groupsOfApps };

function groupsOfApps(records: readonly StoredRecord[]): readonly RecordWrite[] {
  const known = new Set(records.flatMap(({ kind, key }) => (kind === 'group' ? [key] : [])));
  const made = new Map<string, Group>();
  for (const { kind, value } of records) {
    if (kind !== 'app') continue;
    const { id, version } = value as App;
    for (const group of groupsAbove(id)) {
      if (known.has(group)) continue;
      const before = made.get(group);
      if (before === undefined || before.version < version)
        made.set(group, { id: group, dependencies: [], version });
    }
  }
  return [...made].map(([key, value]) => ({ kind: 'group', key, value }));
}
