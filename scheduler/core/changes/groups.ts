import type { App } from '../../../src/model/app.ts';
import { groupsAbove, parentOf, rootGroupId } from '../../../src/model/group.ts';
import type { Group } from '../../../src/model/group.ts';
import type { AppId, GroupId } from '../../../src/model/ids.ts';
import { putEdits, removeEdit } from './app-edits.ts';
import type { AppEdit } from './app-edits.ts';
import { nextVersion } from './app-versions.ts';
import { deploy } from '../deployments/deploy.ts';
import { appsUnderWay } from '../deployments/under-way.ts';
import type { Change, ChangeResult, GroupUpdate } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { treeAt } from './revisions.ts';
import type { GroupEdit } from './target.ts';
import { Tree } from './tree.ts';

type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** Doubles such as 10 × 1.1 may lie a hair above the whole number that is meant. */
const epsilon = 1e-9;

/** Marathon's answer for a group that is not there. */
export const groupNotFound = (groupId: GroupId): ChangeResult => ({
  kind: 'not-found',
  message: `Group '${groupId}' does not exist`,
});

/** Creates or changes a group: of the lists that are given, what is not in them goes; what is not given stays. */
export function putGroup(frame: FrameBuilder, change: ChangeOf<'put-group'>): ChangeResult {
  const { update, create, force, dryRun = false } = change;
  const tree = new Tree(frame.world);
  if (create === true) {
    const taken = takenBy(tree, update.id);
    if (taken !== undefined) return { kind: 'conflict', message: taken, deployments: [] };
  }
  const wanted = new Wanted(tree);
  wanted.put(update);
  const version = nextVersion(frame.world, frame.now);
  return deploy(frame, {
    apps: wanted.appEdits((apps) => putEdits(frame.world, apps, version, force)),
    groups: [...wanted.groups.values()],
    about: appsUnderWay(frame.world, update.id),
    version,
    force,
    dryRun,
    groupId: update.id,
  });
}

/** Multiplies the instances of every app below a group, rounded up. */
export function scaleGroup(frame: FrameBuilder, change: ChangeOf<'scale-group'>): ChangeResult {
  const { groupId, scaleBy, force, dryRun = false } = change;
  const tree = new Tree(frame.world);
  if (tree.group(groupId) === undefined) return groupNotFound(groupId);
  const version = nextVersion(frame.world, frame.now);
  const scaled = [...tree.appsBelow(groupId)].map((app): App => ({
    ...app,
    instances: Math.ceil(app.instances * scaleBy - epsilon),
  }));
  const apps = putEdits(frame.world, scaled, version, force);
  return deploy(frame, { apps, version, force, dryRun, groupId });
}

/** Makes everything below a group what it was in an older version: also what was deleted since, and what was added. */
export function revertGroup(frame: FrameBuilder, change: ChangeOf<'revert-group'>): ChangeResult {
  const { groupId, force, dryRun = false } = change;
  const older = treeAt(frame.world, change.version);
  const group = older?.group(groupId);
  if (older === undefined || group === undefined) {
    const message = `Group '${groupId}' does not exist in version ${change.version}`;
    return { kind: 'not-found', message };
  }
  const wanted = new Wanted(new Tree(frame.world));
  wanted.remove(groupId);
  for (const each of [group, ...older.groupsBelow(groupId)]) {
    const { version: _, ...after } = each;
    wanted.groups.set(each.id, { groupId: each.id, after });
  }
  for (const app of older.appsBelow(groupId)) wanted.apps.set(app.id, app);
  const version = nextVersion(frame.world, frame.now);
  return deploy(frame, {
    apps: wanted.appEdits((apps) => putEdits(frame.world, apps, version, force)),
    groups: [...wanted.groups.values()],
    about: appsUnderWay(frame.world, groupId),
    version,
    force,
    dryRun,
    groupId,
  });
}

/** Deletes everything below a group and the group; the root stays. */
export function deleteGroup(frame: FrameBuilder, { groupId, force }: ChangeOf<'delete-group'>): ChangeResult {
  const tree = new Tree(frame.world);
  if (tree.group(groupId) === undefined) return groupNotFound(groupId);
  const wanted = new Wanted(tree);
  wanted.remove(groupId);
  return deploy(frame, {
    apps: wanted.appEdits(() => []),
    groups: [...wanted.groups.values()].filter((edit) => edit.groupId !== rootGroupId),
    version: nextVersion(frame.world, frame.now),
    force,
    groupId: parentOf(groupId) ?? groupId,
  });
}

/** What a change wants of apps and groups; what is put is put, whatever was to go before. */
class Wanted {
  readonly #tree: Tree;
  readonly apps = new Map<AppId, App>();
  readonly groups = new Map<GroupId, GroupEdit>();
  readonly #removed = new Map<AppId, App>();

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  put({ id, apps, groups, dependencies, enforceRole }: GroupUpdate): void {
    if (apps !== undefined) {
      const kept = new Set(apps.map((app) => app.id));
      for (const app of this.#tree.appsIn(id)) if (!kept.has(app.id)) this.#removed.set(app.id, app);
    }
    if (groups !== undefined) {
      const kept = new Set(groups.flatMap((group) => [group.id, ...groupsAbove(group.id)]));
      for (const group of this.#tree.groupsIn(id)) if (!kept.has(group.id)) this.remove(group.id);
    }
    const present = this.#tree.group(id);
    const enforced = enforceRole ?? present?.enforceRole;
    const after: Omit<Group, 'version'> = {
      id,
      dependencies: dependencies ?? present?.dependencies ?? [],
      ...(enforced === undefined ? {} : { enforceRole: enforced }),
    };
    this.groups.set(id, { groupId: id, after });
    for (const app of apps ?? []) this.apps.set(app.id, app);
    for (const group of groups ?? []) this.put(group);
  }

  /** The group and everything below it. */
  remove(groupId: GroupId): void {
    for (const app of this.#tree.appsBelow(groupId)) this.#removed.set(app.id, app);
    for (const { id } of this.#tree.groupsBelow(groupId))
      this.groups.set(id, { groupId: id, after: undefined });
    this.groups.set(groupId, { groupId, after: undefined });
  }

  appEdits(put: (apps: Iterable<App>) => AppEdit[]): AppEdit[] {
    const removed = [...this.#removed.values()].filter(({ id }) => !this.apps.has(id));
    return [...removed.map(removeEdit), ...put(this.apps.values())];
  }
}

function takenBy(tree: Tree, id: GroupId): string | undefined {
  if (tree.group(id) !== undefined) return `Group ${id} is already created. Use PUT to change this group.`;
  if (tree.app(id as string as AppId) !== undefined) return `An app with the path ${id} already exists.`;
  return undefined;
}
