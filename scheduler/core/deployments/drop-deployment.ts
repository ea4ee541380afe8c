import type { Deployment } from '../../../src/model/deployment.ts';
import { groupsAbove } from '../../../src/model/group.ts';
import type { AppId } from '../../../src/model/ids.ts';
import type { Slot } from '../../../src/model/instance.ts';
import type { LeasePlan } from '../slots/addresses.ts';
import { endDeployment } from './deployment-ends.ts';
import type { UntimelyEnd } from './deployment-ends.ts';
import type { FrameBuilder } from '../frame.ts';
import { planSlots } from '../slots/slot-table.ts';

/**
 * Drops a deployment: nothing is undone, what has not happened will not. An app that was being deleted stays, so it
 * gets its slots back: they are returned to be put, save for the apps of `edited`, which the caller sees to. Where
 * that is impossible (the addresses are gone) the app stays with no instances.
 */
export function dropDeployment(
  frame: FrameBuilder,
  deployment: Deployment,
  leases: LeasePlan,
  edited: ReadonlySet<AppId>,
  end: UntimelyEnd,
): Slot[] {
  endDeployment(frame, deployment, end);
  const stops = deployment.steps.flatMap(({ actions }) =>
    actions.filter(({ action }) => action === 'StopApplication'),
  );
  return stops.flatMap(({ app }) => (edited.has(app) ? [] : keepApp(frame, app, leases)));
}

function keepApp(frame: FrameBuilder, appId: AppId, leases: LeasePlan): Slot[] {
  const app = frame.world.apps.get(appId);
  if (app === undefined) return [];
  keepGroups(frame, appId);
  const slots = planSlots(frame.world, leases, app, new Set(), frame.now);
  if (Array.isArray(slots)) return slots;
  frame.putApp({ ...app, instances: 0 });
  return [];
}

function keepGroups(frame: FrameBuilder, appId: AppId): void {
  for (const id of groupsAbove(appId)) {
    const group = frame.world.groups.get(id);
    if (group?.leaving !== true) continue;
    const { leaving: _, ...kept } = group;
    frame.putGroup(kept);
  }
}
