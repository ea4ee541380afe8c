import type { App } from '../../../src/model/app.ts';
import type { Deployment } from '../../../src/model/deployment.ts';
import { deploymentPolicy } from '../../../src/model/deployment-policy.ts';
import { parentOf } from '../../../src/model/group.ts';
import type { Group } from '../../../src/model/group.ts';
import { deploymentId } from '../../../src/model/ids.ts';
import type { AppId, AppVersion, DeploymentId, GroupId } from '../../../src/model/ids.ts';
import type { Slot } from '../../../src/model/instance.ts';
import { isProblem, LeasePlan } from '../slots/addresses.ts';
import type { AddressProblem, AppProblem } from '../slots/addresses.ts';
import { removeEdit } from '../changes/app-edits.ts';
import type { AppEdit } from '../changes/app-edits.ts';
import { isDeepEqual } from '../changes/app-versions.ts';
import { againstRules, beyondBounds } from '../changes/edit-rules.ts';
import { DependencyGraph } from '../changes/dependencies.ts';
import type { UntimelyEnd } from './deployment-ends.ts';
import { beginDeployment, planSteps } from './deployments.ts';
import type { PlannedAction } from './deployments.ts';
import { dropDeployment } from './drop-deployment.ts';
import type { ChangeResult } from '../events.ts';
import { exposureProblem } from '../fabric/exposures.ts';
import type { FrameBuilder } from '../frame.ts';
import { nameClash } from '../fabric/name-clashes.ts';
import { publishHealthChecks, publishPost } from '../fabric/publications.ts';
import { planSlots, retireAll } from '../slots/slot-table.ts';
import { planTarget } from '../changes/target.ts';
import type { GroupEdit, Target } from '../changes/target.ts';
import { isLeaving, Tree } from '../changes/tree.ts';
import type { World } from '../world.ts';
import { underWay } from './under-way.ts';

/** What a change makes of apps and groups. */
export interface Edits {
  readonly apps: readonly AppEdit[];
  readonly groups?: readonly GroupEdit[];
  /** What the change asks for, whether it has to be changed or is so already. */
  readonly about?: Iterable<AppId>;
  /** Of the change: later than any before. */
  readonly version: AppVersion;
  /** Ends deployments that hold one of the apps. */
  readonly force: boolean;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
  /** The deployment that this one undoes, and why. */
  readonly takesBack?: { readonly id: DeploymentId; readonly end: UntimelyEnd };
  /** The group that observers are told of; else those that the apps are in. */
  readonly groupId?: GroupId;
}

/** The refusal of a change of apps that a running deployment holds, or undefined. */
export function lockedBy(world: World, apps: readonly AppId[]): ChangeResult | undefined {
  const deployments = deploymentsOf(world, apps);
  if (deployments.length === 0) return undefined;
  const message = `App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/${deployments[0]}'.`;
  return { kind: 'conflict', message, deployments };
}

/**
 * Carries a change of apps and groups out: checks the result, the lock and every address first and refuses without a
 * trace, then ends the deployments in the way (`force`), stores definitions and slots, and begins the deployment. What
 * changes nothing is answered with the deployment that is at it already.
 */
export function deploy(frame: FrameBuilder, edits: Edits): ChangeResult {
  const present = edits.dryRun === true ? undefined : underWay(frame.world, edits);
  if (present !== undefined) return present;
  const result = tryDeploy(frame, edits);
  if (edits.dryRun === true) return result;
  const reason = reasonOf(result);
  for (const groupId of changedGroups(edits)) {
    const { version } = edits;
    if (reason === undefined) frame.publish('group_change_success', { groupId, version });
    else frame.publish('group_change_failed', { groupId, version, reason });
  }
  return result;
}

function tryDeploy(frame: FrameBuilder, asked: Edits): ChangeResult {
  const { world } = frame;
  const edits = asked.force ? { ...asked, apps: withDeletions(world, asked.apps) } : asked;
  const ids = edits.apps.map(({ appId }) => appId);
  const locked = edits.force ? undefined : lockedBy(world, ids);
  if (locked !== undefined) return locked;
  const target = planTarget(world, edits.apps, edits.groups ?? [], edits.version);
  if ('errors' in target) return { kind: 'invalid', details: [target] };
  const ambiguous = nameClash(world, edits.apps);
  if (ambiguous !== undefined) return invalid(ambiguous);
  const refused = againstRules(edits.apps, frame.settings.rules);
  if (refused !== undefined) return refused;
  // What was there before can be there again.
  const unbounded = edits.takesBack === undefined ? beyondBounds(edits.apps) : undefined;
  if (unbounded !== undefined) return unbounded;
  const leases = new LeasePlan(world);
  const unpublishable = exposureProblem(frame, edits.apps, edits.takesBack !== undefined);
  if (unpublishable !== undefined) return invalid(unpublishable);
  const slots = planAll(frame, leases, edits.apps);
  if (!Array.isArray(slots)) return slots;
  const actions = edits.apps.flatMap((edit) => actionOf(world, edit) ?? []);
  const steps = planSteps(actions, layersOf(target.tree, actions));
  const inTheWay = deploymentsOf(world, ids);
  if (edits.dryRun === true) return { kind: 'accepted', version: edits.version, steps };
  if (steps.length > 0 && world.deployments.size - inTheWay.length >= frame.settings.maxRunningDeployments)
    return tooMany(frame.settings.maxRunningDeployments);
  const present = new Tree(world);
  const revision = revisionOf(present, edits, target);
  const original = Object.fromEntries(ids.map((appId) => [appId, present.app(appId) ?? null]));
  const id = deploymentId(frame.uuid());
  for (const deployment of inTheWay.flatMap((other) => world.deployments.get(other) ?? []))
    slots.push(...dropDeployment(frame, deployment, leases, new Set(ids), endBy(edits, deployment, id)));
  leases.commit();
  if (revision !== undefined) {
    frame.putRevision(revision);
    storeGroups(frame, target);
  }
  for (const { before, after } of edits.apps)
    if (after !== undefined && after !== before) storeApp(frame, before, after);
  for (const slot of slots) frame.putSlot(slot);
  beginDeployment(frame, {
    id,
    steps,
    version: edits.version,
    original,
    originalGroups: replacedGroups(revision?.groups ?? {}, target),
    ...(edits.takesBack === undefined ? limits(frame, edits) : { takesBack: edits.takesBack.id }),
  });
  return { kind: 'accepted', deploymentId: id, version: edits.version };
}

/** The edits, and those deletions of the deployments in the way that are to go on though these end. */
function withDeletions(world: World, edits: readonly AppEdit[]): readonly AppEdit[] {
  const ids = new Set(edits.map(({ appId }) => appId));
  const actions = deploymentsOf(world, [...ids])
    .flatMap((id) => world.deployments.get(id)?.steps ?? [])
    .flatMap((step) => step.actions);
  const deleted = actions.flatMap(({ action, app }) =>
    action === 'StopApplication' && !ids.has(app) ? (world.apps.get(app) ?? []) : [],
  );
  return [...edits, ...deleted.map(removeEdit)];
}

function endBy({ takesBack }: Edits, deployment: Deployment, successor: DeploymentId): UntimelyEnd {
  if (takesBack?.id === deployment.id) return { ...takesBack.end, successor };
  return { outcome: 'replaced', reason: `replaced by deployment ${successor}`, successor };
}

/** How long the deployment may take and what becomes of it then; what takes another one back has to get done. */
function limits(frame: FrameBuilder, { apps }: Edits): Pick<Deployment, 'deadline' | 'rollsBack'> {
  const definitions = apps.flatMap(({ before, after }) => after ?? before ?? []);
  const { deadlineMs, onFailure } = deploymentPolicy(definitions, frame.settings.deploymentDeadlineMs);
  if (deadlineMs === undefined) return {};
  return { deadline: frame.now + deadlineMs, ...(onFailure === 'rollback' ? { rollsBack: true } : {}) };
}

/** What the change replaces; undefined when that is nothing. */
function revisionOf(present: Tree, { apps, groups = [], version }: Edits, target: Target) {
  // By what was wanted, not by what there is: what was being deleted and is put again has changed.
  const changed = apps.filter(({ appId, after }) => present.app(appId) !== after);
  if (changed.length === 0 && groups.length === 0) return undefined;
  return {
    version,
    apps: Object.fromEntries(changed.map(({ appId }) => [appId, present.app(appId) ?? null])),
    groups: Object.fromEntries([...target.groups.keys()].map((id) => [id, present.group(id) ?? null])),
  };
}

/** The groups that are not what they were but for their version. */
function replacedGroups(
  before: Readonly<Record<string, Group | null>>,
  target: Target,
): Readonly<Record<string, Group | null>> {
  const withoutVersion = (group: Group | null | undefined) => group && { ...group, version: undefined };
  return Object.fromEntries(
    Object.entries(before).filter(
      ([id, group]) =>
        !isDeepEqual(withoutVersion(group), withoutVersion(target.groups.get(id as GroupId)) ?? null),
    ),
  );
}

/** What goes first, and of that the innermost first, so that each is empty when its turn comes. */
function storeGroups(frame: FrameBuilder, target: Target): void {
  const removed = [...target.groups].flatMap(([id, group]) => (group === undefined ? [id] : []));
  for (const id of removed.toSorted((a, b) => b.length - a.length)) frame.removeGroup(id);
  for (const group of target.groups.values()) if (group !== undefined) frame.putGroup(group);
}

function planAll(frame: FrameBuilder, leases: LeasePlan, edits: readonly AppEdit[]): Slot[] | ChangeResult {
  const slots: Slot[] = [];
  for (const { appId, after, retire } of edits) {
    const planned =
      after === undefined
        ? retireAll(frame.world, appId, frame.now)
        : planSlots(frame.world, leases, after, retire, frame.now);
    if (isProblemOrSlots(planned)) return invalid({ appId, ...planned });
    slots.push(...planned);
  }
  return slots;
}

const invalid = ({ error, ...place }: AddressProblem | AppProblem): ChangeResult => ({
  kind: 'invalid',
  details: [{ ...place, errors: [error] }],
});

const tooMany = (max: number): ChangeResult => ({
  kind: 'too-many',
  message: `Max number (${max}) of running deployments is achieved. Wait for existing deployments to complete or cancel one using force=true parameter. You can increase max deployment number by using --max-running-deployments parameter but be advised that this can have negative effects on the performance.`,
});

const isProblemOrSlots = (
  planned: ReturnType<typeof planSlots>,
): planned is Exclude<typeof planned, Slot[]> => !Array.isArray(planned) && isProblem(planned);

function storeApp(frame: FrameBuilder, before: App | undefined, after: App): void {
  if (before !== undefined) frame.putVersion(before);
  frame.putApp(after);
  publishPost(frame, after);
  publishHealthChecks(frame, after.id, before, after);
}

function actionOf(world: World, { appId, before, after }: AppEdit): PlannedAction | undefined {
  if (after === undefined) return { app: appId, action: 'StopApplication', isNew: false };
  if (before === undefined) return { app: appId, action: 'ScaleApplication', isNew: true };
  if (before.versionInfo.lastConfigChangeAt !== after.versionInfo.lastConfigChangeAt) {
    return { app: appId, action: 'RestartApplication', isNew: false };
  }
  const unfinished = isLeaving(world, appId) || (world.progress.get(appId)?.unsettled.size ?? 0) > 0;
  if (before.instances === after.instances && !unfinished) return undefined;
  return { app: appId, action: 'ScaleApplication', isNew: false };
}

/** The layer of each app that has to wait for others of the same change. */
function layersOf(tree: Tree, actions: readonly PlannedAction[]): ReadonlyMap<AppId, number> {
  const layers = new Map<AppId, number>();
  if (actions.length < 2) return layers;
  const graph = new DependencyGraph(tree);
  for (const { app } of actions) {
    const definition = tree.app(app);
    if (definition !== undefined) layers.set(app, graph.layerOf(definition));
  }
  return layers;
}

function deploymentsOf(world: World, apps: readonly AppId[]): DeploymentId[] {
  return [...new Set(apps.flatMap((app) => world.jobs.get(app)?.deploymentId ?? []))];
}

function changedGroups({ groupId, apps }: Edits): Iterable<GroupId> {
  return groupId === undefined ? new Set(apps.flatMap(({ appId }) => parentOf(appId) ?? [])) : [groupId];
}

/** Why a change was refused, in one line; undefined when it was not. */
export function reasonOf(result: ChangeResult): string | undefined {
  switch (result.kind) {
    case 'accepted':
      return undefined;
    case 'invalid':
      return result.details
        .flatMap(({ appId, path, errors }) =>
          errors.map((error) => `${appId === undefined ? '' : `app '${appId}' `}${path}: ${error}`),
        )
        .join('; ');
    case 'not-found':
    case 'conflict':
    case 'stale':
    case 'too-many':
      return result.message;
  }
}
