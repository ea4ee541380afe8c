import type { Migration } from './migrate.ts';

/** Version 3: the last failure of each app has a record. Those of before were forgotten: there is nothing to write. */
export const failuresMigration: Migration = { to: 3, writes: () => [] };
