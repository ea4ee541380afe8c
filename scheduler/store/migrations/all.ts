import { failuresMigration } from './failures.ts';
import { groupsMigration } from './groups.ts';
import type { Migration } from './migrate.ts';

/**
 * Every step since version 1, in order. A release that changes what stored records mean, or needs more of them, adds
 * one with a file of its own and never changes those that are here. A new optional field needs none.
 */
export const migrations: readonly Migration[] = [groupsMigration, failuresMigration];
