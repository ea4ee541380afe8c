import type { App } from '../../../src/model/app.ts';
import type { AppId, AppVersion, SlotId } from '../../../src/model/ids.ts';
import { isSameDefinition, stamp } from './app-versions.ts';
import { hasOutdated } from '../deployments/progress.ts';
import { isLeaving } from './tree.ts';
import type { World } from '../world.ts';

/** What a change makes of one app. */
export interface AppEdit {
  readonly appId: AppId;
  readonly before: App | undefined;
  /** The stamped definition; undefined: the app goes. */
  readonly after: App | undefined;
  /** Slots that have to go before others when the app shrinks. */
  readonly retire: ReadonlySet<SlotId>;
}

/** No slot in particular has to go. */
export const retireNone: ReadonlySet<SlotId> = new Set();

/**
 * What it takes to have these definitions. One that does not change is neither locked nor deployed, unless a deployment
 * left it half done, or `force` takes it over from one that is at it.
 */
export function putEdits(world: World, apps: Iterable<App>, version: AppVersion, force: boolean): AppEdit[] {
  const edits: AppEdit[] = [];
  for (const app of apps) {
    const before = world.apps.get(app.id);
    const same = before !== undefined && isSameDefinition(before, app);
    if (same && !isUnfinished(world, app.id, force)) continue;
    edits.push({
      appId: app.id,
      before,
      after: same ? before : stamp(before, app, version),
      retire: retireNone,
    });
  }
  return edits;
}

/** What it takes to be rid of an app. */
export const removeEdit = (before: App): AppEdit => ({
  appId: before.id,
  before,
  after: undefined,
  retire: retireNone,
});

function isUnfinished(world: World, appId: AppId, force: boolean): boolean {
  if (isLeaving(world, appId)) return true;
  const progress = world.progress.get(appId);
  if (progress === undefined) return false;
  // Without a deployment, what merely does not serve is seen to anyway; only what is outdated stays so.
  return world.jobs.has(appId) ? force && progress.unsettled.size > 0 : hasOutdated(progress);
}
