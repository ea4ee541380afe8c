import type { App } from '../../../src/model/app.ts';
import type { AppId, AppVersion, GroupId, PathId } from '../../../src/model/ids.ts';
import { putEdits, removeEdit, retireNone } from './app-edits.ts';
import { nextVersion } from './app-versions.ts';
import { resetDelays } from '../offers/backoff.ts';
import { cancelDeployment } from './deployments.ts';
import { deleteGroup, putGroup, revertGroup, scaleGroup } from './groups.ts';
import { deleteNetwork, putNetwork } from './networks.ts';
import { deleteReservation, putReservation } from './reservations.ts';
import { killTasks } from './tasks.ts';
import { deploy } from '../deployments/deploy.ts';
import { publishPost } from '../fabric/publications.ts';
import type { Change, ChangeRequest, ChangeResult } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { Tree } from './tree.ts';
import type { World } from '../world.ts';

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
      return killTasks(frame, change);
    case 'cancel-deployment':
      return cancelDeployment(frame, change.deploymentId, change.force);
    case 'put-group':
      return putGroup(frame, change);
    case 'scale-group':
      return scaleGroup(frame, change);
    case 'revert-group':
      return revertGroup(frame, change);
    case 'delete-group':
      return deleteGroup(frame, change);
    case 'put-network':
      return putNetwork(frame, change.network);
    case 'delete-network':
      return deleteNetwork(frame, change.name);
    case 'put-reservation':
      return putReservation(frame, change.reservation);
    case 'delete-reservation':
      return deleteReservation(frame, change.network, change.name);
    case 'reset-delay':
      return resetDelay(frame, change.appId);
  }
}

/** Of the app or the group of that id: what a change can be based on. */
export const presentVersion = ({ apps, groups }: World, id: PathId): AppVersion | undefined =>
  (apps.get(id as AppId) ?? groups.get(id as GroupId))?.version;

function staleness(frame: FrameBuilder, { basedOn }: ChangeRequest): ChangeResult | undefined {
  for (const [id, version] of basedOn ?? []) {
    const present = presentVersion(frame.world, id);
    if (present === version) continue;
    return {
      kind: 'stale',
      message: `'${id}' was changed meanwhile: its version is ${present ?? 'none'}`,
    };
  }
  return undefined;
}

/** Marathon's answer for an app that is not there. */
export const appNotFound = (appId: AppId): ChangeResult => ({
  kind: 'not-found',
  message: `App '${appId}' does not exist`,
});

function putApps(frame: FrameBuilder, apps: readonly App[], force: boolean, create: boolean): ChangeResult {
  const tree = new Tree(frame.world);
  const existing = apps.find(({ id }) => tree.app(id) !== undefined);
  if (create && existing !== undefined) {
    return { kind: 'conflict', message: `An app with id [${existing.id}] already exists.`, deployments: [] };
  }
  const version = nextVersion(frame.world, frame.now);
  return deploy(frame, {
    apps: putEdits(frame.world, apps, version, force),
    about: apps.map(({ id }) => id),
    version,
    force,
  });
}

function deleteApp(frame: FrameBuilder, appId: AppId, force: boolean): ChangeResult {
  const before = frame.world.apps.get(appId);
  if (before === undefined) return appNotFound(appId);
  const version = nextVersion(frame.world, frame.now);
  const result = deploy(frame, { apps: [removeEdit(before)], version, force });
  if (result.kind === 'accepted') publishPost(frame, before);
  return result;
}

function restartApp(frame: FrameBuilder, appId: AppId, force: boolean): ChangeResult {
  const before = frame.world.apps.get(appId);
  if (before === undefined) return appNotFound(appId);
  const version = nextVersion(frame.world, frame.now);
  const after: App = {
    ...before,
    version,
    versionInfo: { ...before.versionInfo, lastConfigChangeAt: version },
  };
  return deploy(frame, { apps: [{ appId, before, after, retire: retireNone }], version, force });
}

function resetDelay(frame: FrameBuilder, appId: AppId): ChangeResult {
  const app = frame.world.apps.get(appId);
  if (app === undefined) return appNotFound(appId);
  resetDelays(frame, app);
  return { kind: 'accepted' };
}
