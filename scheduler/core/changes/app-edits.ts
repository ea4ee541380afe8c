import type { App } from '../../../src/model/app.ts';
import type { AppId, AppVersion, SlotId } from '../../../src/model/ids.ts';
import { isSameDefinition, stamp } from './app-versions.ts';
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
 * What it takes to have these definitions. One that does not change is neither locked nor deployed, unless something
 * of it is still to be done.
 */
export function putEdits(world: World, apps: Iterable<App>, version: AppVersion): AppEdit[] {
  const edits: AppEdit[] = [];
  for (const app of apps) {
    const before = world.apps.get(app.id);
    const same = before !== undefined && isSameDefinition(before, app);
    if (same && !isUnfinished(world, app.id)) continue;
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

const isUnfinished = (world: World, appId: AppId): boolean =>
  world.jobs.has(appId) || (world.progress.get(appId)?.unsettled.size ?? 0) > 0;
