import type { App } from '../../src/model/app.ts';
import type { AppId, DeploymentId, SlotId } from '../../src/model/ids.ts';
import { isSameDefinition, nextVersion, stamp } from './app-versions.ts';
import { resetDelays } from './backoff.ts';
import { deploy } from './deploy.ts';
import type { AppEdit } from './deploy.ts';
import { LeasePlan } from './addresses.ts';
import { dropDeployment } from './drop-deployment.ts';
import type { Change, ChangeRequest, ChangeResult } from './events.ts';
import type { FrameBuilder } from './frame.ts';
import { killTasks } from './change-tasks.ts';
import { deleteNetwork, putNetwork } from './change-networks.ts';

/** Checks a change and carries it out. A refusal changes nothing. */
export function applyChange(frame: FrameBuilder, change: Change, request: ChangeRequest = {}): ChangeResult {
  const stale = staleness(frame, request);
  if (stale !== undefined) return stale;
  frame.request = request;
  switch (change.kind) {
    case 'put-apps':
      return putApps(frame, change.apps, change.force, change.create === true);
    case 'delete-app':
      return deleteApp(frame, change.appId, change.force);
    case 'restart-app':
      return restartApp(frame, change.appId, change.force);
    case 'kill-tasks':
      return killTasks(frame, change.taskIds, change.scale, change.force);
    case 'cancel-deployment':
      return cancelDeployment(frame, change.deploymentId, change.force);
    case 'put-network':
      return putNetwork(frame, change.network);
    case 'delete-network':
      return deleteNetwork(frame, change.name);
    case 'reset-delay':
      return resetDelay(frame, change.appId);
  }
}

function staleness(frame: FrameBuilder, { basedOn }: ChangeRequest): ChangeResult | undefined {
  for (const [appId, version] of basedOn ?? []) {
    const present = frame.world.apps.get(appId)?.version;
    if (present === version) continue;
    return {
      kind: 'stale',
      message: `App '${appId}' was changed meanwhile: its version is ${present ?? 'none'}`,
    };
  }
  return undefined;
}

const nothing: ReadonlySet<SlotId> = new Set();

/** Marathon's answer for an app that is not there. */
export const appNotFound = (appId: AppId): ChangeResult => ({
  kind: 'not-found',
  message: `App '${appId}' does not exist`,
});

function putApps(frame: FrameBuilder, apps: readonly App[], force: boolean, create: boolean): ChangeResult {
  const { world } = frame;
  const existing = apps.find(({ id }) => world.apps.has(id));
  if (create && existing !== undefined) {
    return { kind: 'conflict', message: `An app with id [${existing.id}] already exists.`, deployments: [] };
  }
  const version = nextVersion(
    frame.now,
    apps.map(({ id }) => world.apps.get(id)),
  );
  const edits = apps.map((app): AppEdit => {
    const before = world.apps.get(app.id);
    const same = before !== undefined && isSameDefinition(before, app);
    return { appId: app.id, before, after: same ? before : stamp(before, app, version), retire: nothing };
  });
  // One that does not change is neither locked nor deployed, unless something of it is still to be done.
  const effective = edits.filter(
    ({ appId, before, after }) => before !== after || isUnfinished(frame, appId),
  );
  return deploy(frame, effective, version, force);
}

const isUnfinished = (frame: FrameBuilder, appId: AppId): boolean =>
  frame.world.jobs.has(appId) || (frame.world.progress.get(appId)?.unsettled.size ?? 0) > 0;

function deleteApp(frame: FrameBuilder, appId: AppId, force: boolean): ChangeResult {
  const before = frame.world.apps.get(appId);
  if (before === undefined) return appNotFound(appId);
  const version = nextVersion(frame.now, [before]);
  return deploy(frame, [{ appId, before, after: undefined, retire: nothing }], version, force);
}

function restartApp(frame: FrameBuilder, appId: AppId, force: boolean): ChangeResult {
  const before = frame.world.apps.get(appId);
  if (before === undefined) return appNotFound(appId);
  const version = nextVersion(frame.now, [before]);
  const after: App = {
    ...before,
    version,
    versionInfo: { ...before.versionInfo, lastConfigChangeAt: version },
  };
  return deploy(frame, [{ appId, before, after, retire: nothing }], version, force);
}

/** Drops a deployment (`force`) or deploys the definitions that it replaced. */
function cancelDeployment(frame: FrameBuilder, id: DeploymentId, force: boolean): ChangeResult {
  const deployment = frame.world.deployments.get(id);
  if (deployment === undefined) return { kind: 'not-found', message: `DeploymentPlan ${id} does not exist` };
  if (force) {
    const leases = new LeasePlan(frame.world);
    const slots = dropDeployment(frame, deployment, leases, new Set());
    leases.commit();
    for (const slot of slots) frame.putSlot(slot);
    return { kind: 'accepted' };
  }
  const present = deployment.affectedApps.map((appId) => frame.world.apps.get(appId));
  const version = nextVersion(frame.now, present);
  const edits = deployment.affectedApps.flatMap((appId): AppEdit[] => {
    const before = frame.world.apps.get(appId);
    const original = deployment.original[appId] ?? undefined;
    if (before === undefined && original === undefined) return [];
    // With the old configuration's mark, so that instances that were not replaced yet are up to date again.
    return [
      {
        appId,
        before,
        after: original === undefined ? undefined : { ...original, version },
        retire: nothing,
      },
    ];
  });
  return deploy(frame, edits, version, true);
}

function resetDelay(frame: FrameBuilder, appId: AppId): ChangeResult {
  const app = frame.world.apps.get(appId);
  if (app === undefined) return appNotFound(appId);
  resetDelays(frame, app);
  return { kind: 'accepted' };
}
