import type { AppId } from '../../src/model/ids.ts';
import { launchableFrom } from './offers/backoff.ts';
import { advanceDeployment } from './deployments/deployments.ts';
import type { FrameBuilder } from './frame.ts';
import { endSickInstances } from './slots/health.ts';
import { progressOf, recordStatus, wantsLaunch } from './deployments/progress.ts';
import { rollForward } from './deployments/rolling.ts';
import { advanceSlot } from './slots/slot-plan.ts';

/**
 * Follows up everything that the frame touched until nothing more changes: slots first, then each app's upgrade and
 * its deployment, which may touch slots again. Costs what was touched.
 */
export function settle(frame: FrameBuilder): void {
  while (frame.touchedSlots.size > 0 || frame.touchedApps.size > 0) {
    for (const slot of frame.touchedSlots) {
      frame.touchedSlots.delete(slot);
      settleSlot(frame, slot);
    }
    for (const app of frame.touchedApps) {
      frame.touchedApps.delete(app);
      settleApp(frame, app);
      if (frame.touchedSlots.size > 0) break;
    }
  }
}

function settleSlot(frame: FrameBuilder, slotId: Parameters<typeof advanceSlot>[1]): void {
  const status = advanceSlot(frame, slotId);
  const appId = slotId.slice(0, slotId.lastIndexOf('#')) as AppId;
  const app = frame.world.apps.get(appId);
  const progress = progressOf(frame.world, appId);
  const served = progress.statuses.get(slotId)?.ready ?? false;
  if (served !== (status?.ready ?? false)) {
    frame.fabricChanged(slotId);
    if (frame.world.exposures.has(appId)) frame.networksChanged();
  }
  const newlyVacant = recordStatus(progress, slotId, status);
  if (newlyVacant && app !== undefined && launchableFrom(frame.world, app) <= frame.now) frame.newWork = true;
}

function settleApp(frame: FrameBuilder, appId: AppId): void {
  const app = frame.world.apps.get(appId);
  const progress = progressOf(frame.world, appId);
  if (app !== undefined) {
    endSickInstances(frame, app, progress);
    rollForward(frame, app, progress);
  }
  if (app !== undefined && wantsLaunch(progress)) {
    frame.world.wanting.add(appId);
  } else {
    frame.world.wanting.delete(appId);
    frame.world.unplaced.delete(appId);
  }
  advanceDeployment(frame, appId);
  if (frame.world.slotsOfApp.get(appId) === undefined && app === undefined)
    frame.world.progress.delete(appId);
}
