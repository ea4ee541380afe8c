import type { Deployment } from '../../../src/model/deployment.ts';
import type { AppId, DeploymentId, GroupId } from '../../../src/model/ids.ts';
import { LeasePlan } from '../slots/addresses.ts';
import { retireNone } from './app-edits.ts';
import type { AppEdit } from './app-edits.ts';
import { nextVersion } from './app-versions.ts';
import { deploy } from '../deployments/deploy.ts';
import type { UntimelyEnd } from '../deployments/deployment-ends.ts';
import { dropDeployment } from '../deployments/drop-deployment.ts';
import type { ChangeResult } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import type { GroupEdit } from './target.ts';
import { Tree } from './tree.ts';
import type { World } from '../world.ts';

/** Drops a deployment (`force`) or deploys what it replaced. */
export function cancelDeployment(frame: FrameBuilder, id: DeploymentId, force: boolean): ChangeResult {
  const deployment = frame.world.deployments.get(id);
  if (deployment === undefined) return { kind: 'not-found', message: `DeploymentPlan ${id} does not exist` };
  if (!force) return takeBack(frame, deployment, { outcome: 'taken-back', reason: 'taken back on request' });
  dropAndKeep(frame, deployment, { outcome: 'cancelled', reason: 'cancelled on request' });
  return { kind: 'accepted' };
}

/** Ends a deployment; its apps stay as they are. */
export function dropAndKeep(frame: FrameBuilder, deployment: Deployment, end: UntimelyEnd): void {
  const leases = new LeasePlan(frame.world);
  const slots = dropDeployment(frame, deployment, leases, new Set(), end);
  leases.commit();
  for (const slot of slots) frame.putSlot(slot);
}

/** Deploys the apps and groups that a deployment replaced, in place of it. */
export function takeBack(frame: FrameBuilder, deployment: Deployment, end: UntimelyEnd): ChangeResult {
  const version = nextVersion(frame.world, frame.now);
  const apps = Object.entries(deployment.original).flatMap(([id, original]): AppEdit[] => {
    const appId = id as AppId;
    const before = frame.world.apps.get(appId);
    if (before === undefined && original === null) return [];
    // With the old configuration's mark, so that instances that were not replaced yet are up to date again.
    const after = original === null ? undefined : { ...original, version };
    return [{ appId, before, after, retire: retireNone }];
  });
  const groups = originalGroups(frame.world, deployment, apps);
  const takesBack = { id: deployment.id, end };
  return deploy(frame, { apps, groups, version, force: true, takesBack });
}

/** Groups as they were; what the deployment made goes unless something of others is in it by now. */
function originalGroups(world: World, deployment: Deployment, apps: readonly AppEdit[]): GroupEdit[] {
  const tree = new Tree(world);
  for (const { appId, after } of apps) tree.setApp(appId, after);
  const edits: GroupEdit[] = [];
  // The innermost first, so that what is emptied by this is seen to be empty.
  const innermostFirst = Object.entries(deployment.originalGroups ?? {}).toSorted(
    ([one], [other]) => other.length - one.length,
  );
  for (const [id, original] of innermostFirst) {
    const groupId = id as GroupId;
    if (original !== null) {
      const { version: _, ...after } = original;
      edits.push({ groupId, after });
    } else if (tree.group(groupId) !== undefined && tree.isEmpty(groupId)) {
      tree.setGroup(groupId, undefined);
      edits.push({ groupId, after: undefined });
    }
  }
  return edits;
}
