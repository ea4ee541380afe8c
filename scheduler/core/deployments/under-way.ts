import { groupsAbove } from '../../../src/model/group.ts';
import type { AppId, GroupId } from '../../../src/model/ids.ts';
import { isDeepEqual } from '../changes/app-versions.ts';
import type { GroupEdit } from '../changes/target.ts';
import { Tree } from '../changes/tree.ts';
import type { ChangeResult } from '../events.ts';
import type { World } from '../world.ts';
import type { Edits } from './deploy.ts';

/**
 * The answer to a change that leaves everything as it is while one deployment is at what it asks for: that one, so that
 * who sends a request again and waits learns how it ends. Undefined: something changes, nothing is under way, or
 * several deployments share it, of which none is the answer.
 */
export function underWay(world: World, { apps, groups = [], about = [] }: Edits): ChangeResult | undefined {
  if (apps.length > 0) return undefined;
  const [id, ...more] = new Set([...about].flatMap((app) => world.jobs.get(app)?.deploymentId ?? []));
  const deployment = id === undefined || more.length > 0 ? undefined : world.deployments.get(id);
  if (deployment === undefined) return undefined;
  const tree = new Tree(world);
  if (groups.some((edit) => changesGroup(tree, edit))) return undefined;
  return { kind: 'accepted', deploymentId: deployment.id, version: deployment.version };
}

/** The apps below a group that deployments are at, also those that are being deleted. */
export function* appsUnderWay(world: World, groupId: GroupId): Iterable<AppId> {
  for (const appId of world.jobs.keys()) if (groupsAbove(appId).includes(groupId)) yield appId;
}

function changesGroup(tree: Tree, { groupId, after }: GroupEdit): boolean {
  const { version: _, ...present } = tree.group(groupId) ?? {};
  return !isDeepEqual(present, after ?? {});
}
