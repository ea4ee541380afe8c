import type { App } from '../../../src/model/app.ts';
import { groupsAbove } from '../../../src/model/group.ts';
import type { Group } from '../../../src/model/group.ts';
import type { AppId, AppVersion, GroupId } from '../../../src/model/ids.ts';
import type { Refusal } from '../events.ts';
import type { AppEdit } from './app-edits.ts';
import { isDeepEqual } from './app-versions.ts';
import { DependencyGraph } from './dependencies.ts';
import { Tree } from './tree.ts';
import type { World } from '../world.ts';

/** What a change makes of one group; undefined: it goes. The version is set here. */
export interface GroupEdit {
  readonly groupId: GroupId;
  readonly after: Omit<Group, 'version'> | undefined;
}

/** Apps and groups as a change makes them. */
export interface Target {
  readonly tree: Tree;
  /** Every group that the change touches as it becomes, those above what it changes included; undefined: it goes. */
  readonly groups: ReadonlyMap<GroupId, Group | undefined>;
}

const sameIdentifier = 'Groups and Applications may not have the same identifier.';
const cyclic = 'Dependency graph has cyclic dependencies.';

/**
 * The apps and groups after a change: groups that are missing above an app are made, and an empty group gives way to
 * an app of its name. Refuses an id that an app and a group would share, and cycles of dependencies.
 */
export function planTarget(
  world: World,
  apps: readonly AppEdit[],
  groups: readonly GroupEdit[],
  version: AppVersion,
): Target | Refusal {
  const tree = new Tree(world);
  const touched = new Set<GroupId>();
  for (const { groupId, after } of groups) {
    tree.setGroup(groupId, after === undefined ? undefined : { ...after, version });
    touched.add(groupId);
  }
  for (const { appId, after } of apps) tree.setApp(appId, after);
  for (const id of [...groups.map(({ groupId }) => groupId), ...apps.map(({ appId }) => appId)]) {
    for (const above of groupsAbove(id)) touched.add(above);
  }
  for (const id of wantedGroups(apps, groups)) {
    if (tree.group(id) === undefined) tree.setGroup(id, { id, dependencies: [], version });
  }
  const overwritten = giveWay(tree, apps);
  if ('errors' in overwritten) return overwritten;
  for (const id of overwritten) touched.add(id);
  for (const id of touched) {
    if (tree.group(id) !== undefined && tree.app(id as string as AppId) !== undefined)
      return refusal(apps.find(isWithin(id)), '/id', [sameIdentifier, `'${id}' is an app`]);
  }
  const cycle = new DependencyGraph(tree).findCycle(newlyDependent(world, tree, apps, groups));
  if (cycle !== undefined) {
    const part = apps.find(
      ({ appId, after }) => cycle.includes(appId) && after !== undefined && after.dependencies.length > 0,
    );
    return refusal(part, '/dependencies', [cyclic, `the cycle is ${[...cycle, cycle[0]].join(' → ')}`]);
  }
  const result = new Map<GroupId, Group | undefined>();
  for (const id of touched) {
    const group = tree.group(id);
    result.set(id, group === undefined ? undefined : { ...group, version });
  }
  return { tree, groups: result };
}

/** `of`: the app of the change that it is about, where there is one. */
const refusal = (of: AppEdit | undefined, path: string, errors: readonly string[]): Refusal => ({
  ...(of === undefined ? {} : { appId: of.appId }),
  path,
  errors,
});

const isWithin =
  (id: GroupId) =>
  ({ appId, after }: AppEdit): boolean =>
    after !== undefined && (appId === (id as string) || groupsAbove(appId).includes(id));

/** The groups above everything that is to be there. */
function wantedGroups(apps: readonly AppEdit[], groups: readonly GroupEdit[]): Set<GroupId> {
  return new Set([
    ...apps.flatMap(({ appId, after }) => (after === undefined ? [] : groupsAbove(appId))),
    ...groups.flatMap(({ groupId, after }) => (after === undefined ? [] : groupsAbove(groupId))),
  ]);
}

/** Removes empty groups that an app takes the name of. */
function giveWay(tree: Tree, apps: readonly AppEdit[]): GroupId[] | Refusal {
  const overwritten: GroupId[] = [];
  for (const { appId, after } of apps) {
    const id = appId as string as GroupId;
    if (after === undefined || tree.group(id) === undefined) continue;
    if (!tree.isEmpty(id))
      return { appId, path: '/id', errors: [sameIdentifier, `'${id}' is a group with something in it`] };
    tree.setGroup(id, undefined);
    overwritten.push(id);
  }
  return overwritten;
}

/** The apps that a new cycle would have to go through. */
function* newlyDependent(
  world: World,
  tree: Tree,
  apps: readonly AppEdit[],
  groups: readonly GroupEdit[],
): Iterable<App> {
  for (const { before, after } of apps) {
    if (after !== undefined && !isDeepEqual(before?.dependencies, after.dependencies)) yield after;
  }
  for (const { groupId, after } of groups) {
    const before = world.groups.get(groupId)?.dependencies ?? [];
    if (after !== undefined && !isDeepEqual(before, after.dependencies)) yield* tree.appsBelow(groupId);
  }
}
