import { rootGroupId } from '../../../src/model/group.ts';
import type { AppId, AppVersion, GroupId } from '../../../src/model/ids.ts';
import { Tree } from './tree.ts';
import type { World } from '../world.ts';

/** All apps and groups as the change of that version left them; undefined: that is not remembered, or never was. */
export function treeAt(world: World, version: AppVersion): Tree | undefined {
  const tree = new Tree(world);
  if (tree.group(rootGroupId)?.version === version) return tree;
  for (const revision of [...world.revisions.values()].toReversed()) {
    for (const [id, app] of Object.entries(revision.apps)) tree.setApp(id as AppId, app ?? undefined);
    for (const [id, group] of Object.entries(revision.groups))
      tree.setGroup(id as GroupId, group ?? undefined);
    if (tree.group(rootGroupId)?.version === version) return tree;
  }
  return undefined;
}

/** The versions of a group that are remembered, its present one included, newest first. */
export function groupVersions(world: World, id: GroupId): AppVersion[] {
  const versions = new Set<AppVersion>();
  const present = new Tree(world).group(id);
  if (present !== undefined) versions.add(present.version);
  for (const { groups } of world.revisions.values()) {
    const before = groups[id];
    if (before !== undefined && before !== null) versions.add(before.version);
  }
  return [...versions].sort().toReversed();
}
