import type { App } from '../../src/model/app.ts';
import type { AppId, AppVersion, DeploymentId, SlotId } from '../../src/model/ids.ts';
import type { Slot } from '../../src/model/instance.ts';
import { isProblem, LeasePlan } from './addresses.ts';
import type { AddressProblem } from './addresses.ts';
import { beginDeployment, dependenciesOf } from './deployments.ts';
import type { PlannedAction } from './deployments.ts';
import { dropDeployment } from './drop-deployment.ts';
import type { ChangeResult } from './events.ts';
import { exposureProblem } from './exposures.ts';
import type { FrameBuilder } from './frame.ts';
import { publishHealthChecks } from './publications.ts';
import { planSlots, retireAll } from './slot-table.ts';
import type { World } from './world.ts';

/** What a change makes of one app. */
export interface AppEdit {
  readonly appId: AppId;
  readonly before: App | undefined;
  /** The stamped definition; undefined: the app goes. */
  readonly after: App | undefined;
  /** Slots that have to go before others when the app shrinks. */
  readonly retire: ReadonlySet<SlotId>;
}

const lockedMessage =
  "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'.";

/** The refusal of a change of apps that a running deployment holds, or undefined. */
export function lockedBy(world: World, apps: readonly AppId[]): ChangeResult | undefined {
  const deployments = deploymentsOf(world, apps);
  return deployments.length > 0 ? { kind: 'conflict', message: lockedMessage, deployments } : undefined;
}

/**
 * Carries a change of apps out: checks the lock and every address first and refuses without a trace, then ends the
 * deployments in the way (`force`), stores definitions and slots, and begins the deployment.
 */
export function deploy(
  frame: FrameBuilder,
  edits: readonly AppEdit[],
  version: AppVersion,
  force: boolean,
): ChangeResult {
  const { world } = frame;
  const apps = edits.map(({ appId }) => appId);
  const locked = force ? undefined : lockedBy(world, apps);
  if (locked !== undefined) return locked;
  const leases = new LeasePlan(world);
  const unpublishable = exposureProblem(world, edits);
  if (unpublishable !== undefined) return invalid(unpublishable);
  const slots = planAll(frame, leases, edits);
  if (!Array.isArray(slots)) return slots;
  const dropped = deploymentsOf(world, apps).flatMap((id) => world.deployments.get(id) ?? []);
  for (const deployment of dropped) slots.push(...dropDeployment(frame, deployment, leases, new Set(apps)));
  const actions = edits.flatMap((edit) => actionOf(world, edit) ?? []);
  leases.commit();
  for (const { before, after } of edits)
    if (after !== undefined && after !== before) storeApp(frame, before, after);
  for (const slot of slots) frame.putSlot(slot);
  const original = Object.fromEntries(edits.map(({ appId, before }) => [appId, before ?? null]));
  const deploymentId = beginDeployment(frame, actions, version, original);
  return { kind: 'accepted', deploymentId, version };
}

function planAll(frame: FrameBuilder, leases: LeasePlan, edits: readonly AppEdit[]): Slot[] | ChangeResult {
  const slots: Slot[] = [];
  for (const { appId, after, retire } of edits) {
    const planned =
      after === undefined
        ? retireAll(frame.world, appId, frame.now)
        : planSlots(frame.world, leases, after, retire, frame.now);
    if (isProblemOrSlots(planned)) return invalid(planned);
    slots.push(...planned);
  }
  return slots;
}

const invalid = ({ path, error }: AddressProblem): ChangeResult => ({
  kind: 'invalid',
  details: [{ path, errors: [error] }],
});

const isProblemOrSlots = (
  planned: ReturnType<typeof planSlots>,
): planned is Exclude<typeof planned, Slot[]> => !Array.isArray(planned) && isProblem(planned);

function storeApp(frame: FrameBuilder, before: App | undefined, after: App): void {
  if (before !== undefined) frame.putVersion(before);
  frame.putApp(after);
  const { clientIp = '', uri = `/v2/apps${after.id}` } = frame.request.origin ?? {};
  frame.publish('api_post_event', { clientIp, uri, app: after });
  publishHealthChecks(frame, after.id, before, after);
}

function actionOf(world: World, { appId, before, after }: AppEdit): PlannedAction | undefined {
  const dependencies = dependenciesOf(after);
  if (after === undefined) return { app: appId, action: 'StopApplication', isNew: false, dependencies };
  if (before === undefined) return { app: appId, action: 'ScaleApplication', isNew: true, dependencies };
  if (before.versionInfo.lastConfigChangeAt !== after.versionInfo.lastConfigChangeAt) {
    return { app: appId, action: 'RestartApplication', isNew: false, dependencies };
  }
  const unfinished = (world.progress.get(appId)?.unsettled.size ?? 0) > 0;
  if (before.instances === after.instances && !unfinished) return undefined;
  return { app: appId, action: 'ScaleApplication', isNew: false, dependencies };
}

function deploymentsOf(world: World, apps: readonly AppId[]): DeploymentId[] {
  return [...new Set(apps.flatMap((app) => world.jobs.get(app)?.deploymentId ?? []))];
}
