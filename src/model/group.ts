import type { App } from './app.ts';
import { groupId } from './ids.ts';
import type { AppVersion, GroupId, PathId } from './ids.ts';

/**
 * A group of apps and groups. What is in it follows from the ids of these. It is made with the first thing in it, or
 * on its own, and stays, also when it is empty, until it is deleted.
 */
export interface Group {
  readonly id: GroupId;
  /** Apps, or groups of apps, that come before every app below this group. One that does not exist is nothing. */
  readonly dependencies: readonly PathId[];
  /** Whether apps below it have the group's name as their role; only groups directly below the root say so. */
  readonly enforceRole?: boolean;
  /** The version of the newest change of anything in it. */
  readonly version: AppVersion;
  /** It was deleted, and goes when the last of its apps has ended. */
  readonly leaving?: boolean;
}

/**
 * What one accepted change replaced. Undoing the newest of them one after the other shows every group as it was.
 * `null`: it did not exist.
 */
export interface Revision {
  /** The version that the change made. */
  readonly version: AppVersion;
  readonly apps: Readonly<Record<string, App | null>>;
  /** Every group that the change touched, those above what it changed included. */
  readonly groups: Readonly<Record<string, Group | null>>;
}

/** The group that everything is in. */
export const rootGroupId: GroupId = groupId('/');

/** The group that an app or a group is directly in; undefined for the root. */
export function parentOf(id: PathId): GroupId | undefined {
  if (id === rootGroupId) return undefined;
  return groupId(id.slice(0, Math.max(1, id.lastIndexOf('/'))));
}

/** The groups that an app or a group is in, the nearest first, the root last. */
export function groupsAbove(id: PathId): GroupId[] {
  const groups: GroupId[] = [];
  for (let above = parentOf(id); above !== undefined; above = parentOf(above)) groups.push(above);
  return groups;
}
