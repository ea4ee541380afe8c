import type { Deployment, DeploymentAction, DeploymentStep } from '../../src/model/deployment.ts';
import { deploymentId } from '../../src/model/ids.ts';
import type { AppId, DeploymentId } from '../../src/model/ids.ts';
import { resetDelays } from './backoff.ts';
import type { FrameBuilder } from './frame.ts';
import { publishHealthChecks } from './publications.ts';
import type { World } from './world.ts';

/** What a change does with one app. */
export interface PlannedAction {
  readonly app: AppId;
  readonly action: DeploymentAction;
  /** Whether the app has to be started first: it is new. */
  readonly isNew: boolean;
}

/** Marathon's order: what stops, what is new, then layer by layer what waits for the layers before. */
export function planSteps(
  actions: readonly PlannedAction[],
  layers: ReadonlyMap<AppId, number>,
): DeploymentStep[] {
  const stops = actions.filter(({ action }) => action === 'StopApplication');
  const starts = actions.filter(({ isNew }) => isNew);
  const work = new Map<number, PlannedAction[]>();
  for (const planned of actions) {
    if (planned.action === 'StopApplication') continue;
    const layer = layers.get(planned.app) ?? 0;
    const together = work.get(layer);
    if (together === undefined) work.set(layer, [planned]);
    else together.push(planned);
  }
  const steps: DeploymentStep[] = [
    { actions: stops.map(({ app, action }) => ({ action, app })) },
    { actions: starts.map(({ app }) => ({ action: 'StartApplication', app })) },
    ...[...work]
      .sort(([one], [other]) => one - other)
      .map(([, layer]) => ({ actions: layer.map(({ app, action }) => ({ action, app })) })),
  ];
  return steps.filter((step) => step.actions.length > 0);
}

/** Stores a deployment and begins its first step. One without steps has ended before it began. */
export function beginDeployment(
  frame: FrameBuilder,
  plan: Pick<Deployment, 'steps' | 'version' | 'original' | 'originalGroups'>,
): DeploymentId {
  const deployment: Deployment = {
    ...plan,
    id: deploymentId(frame.uuid()),
    affectedApps: [...new Set(plan.steps.flatMap(({ actions }) => actions.map(({ app }) => app)))],
    currentStep: 0,
    startedAt: frame.now,
  };
  for (const app of deployment.affectedApps) {
    const definition = frame.world.apps.get(app);
    if (definition !== undefined) resetDelays(frame, definition);
  }
  if (deployment.steps.length === 0) {
    publishEnd(frame, deployment);
  } else {
    frame.putDeployment(deployment);
    publishStep(frame, 'deployment_info', deployment);
  }
  return deployment.id;
}

/** Moves the deployment of an app on as far as its steps are done. */
export function advanceDeployment(frame: FrameBuilder, appId: AppId): void {
  const job = frame.world.jobs.get(appId);
  const deployment = job === undefined ? undefined : frame.world.deployments.get(job.deploymentId);
  const step = deployment?.steps[deployment.currentStep];
  if (deployment === undefined || step === undefined) return;
  if (!step.actions.every(({ action, app }) => isDone(frame.world, action, app))) return;
  for (const { action, app } of step.actions) if (action === 'StopApplication') removeApp(frame, app);
  publishStep(frame, 'deployment_step_success', deployment);
  const next: Deployment = { ...deployment, currentStep: deployment.currentStep + 1 };
  if (next.currentStep < next.steps.length) {
    frame.putDeployment(next);
    publishStep(frame, 'deployment_info', next);
  } else {
    frame.deleteDeployment(deployment);
    publishEnd(frame, deployment);
  }
}

function isDone(world: World, action: DeploymentAction, appId: AppId): boolean {
  if (action === 'StartApplication') return true;
  const progress = world.progress.get(appId);
  const app = world.apps.get(appId);
  const settled = (progress?.unsettled.size ?? 0) === 0;
  if (action === 'StopApplication' || app === undefined) return settled;
  return settled && (progress?.inService ?? 0) === app.instances;
}

function removeApp(frame: FrameBuilder, appId: AppId): void {
  const app = frame.world.apps.get(appId);
  if (app === undefined) return;
  resetDelays(frame, app);
  frame.world.lastFailures.delete(appId);
  frame.deleteApp(appId);
  publishHealthChecks(frame, appId, app, undefined);
  frame.publish('app_terminated_event', { appId });
}

function publishStep(frame: FrameBuilder, type: string, deployment: Deployment): void {
  frame.publish(
    type,
    { plan: deployment, currentStep: deployment.steps[deployment.currentStep] },
    deployment.id,
  );
}

function publishEnd(frame: FrameBuilder, deployment: Deployment): void {
  frame.publish('deployment_success', { id: deployment.id, plan: deployment }, deployment.id);
}
