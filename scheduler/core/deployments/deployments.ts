import type { Deployment, DeploymentAction, DeploymentStep } from '../../../src/model/deployment.ts';
import type { AppId } from '../../../src/model/ids.ts';
import { resetDelays } from '../offers/backoff.ts';
import { endDeployment, publishStep } from './deployment-ends.ts';
import type { FrameBuilder } from '../frame.ts';
import { publishHealthChecks } from '../fabric/publications.ts';
import type { World } from '../world.ts';

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
  plan: Omit<Deployment, 'affectedApps' | 'currentStep' | 'startedAt'>,
): void {
  const deployment: Deployment = {
    ...plan,
    affectedApps: [...new Set(plan.steps.flatMap(({ actions }) => actions.map(({ app }) => app)))],
    currentStep: 0,
    startedAt: frame.now,
  };
  for (const app of deployment.affectedApps) {
    const definition = frame.world.apps.get(app);
    if (definition !== undefined) resetDelays(frame, definition);
  }
  if (deployment.steps.length === 0) return endDeployment(frame, deployment);
  frame.putDeployment(deployment);
  watchDeadline(frame, deployment);
  publishStep(frame, 'deployment_info', deployment);
}

/** Has the deployment looked at when its time is over. */
export function watchDeadline(frame: FrameBuilder, { id, deadline }: Deployment): void {
  if (deadline !== undefined) frame.world.timers.set({ kind: 'deadline', deploymentId: id }, deadline);
}

/** Moves the deployment of an app on as far as its steps are done. */
export function advanceDeployment(frame: FrameBuilder, appId: AppId): void {
  const job = frame.world.jobs.get(appId);
  const deployment = job === undefined ? undefined : frame.world.deployments.get(job.deploymentId);
  const step = deployment?.steps[deployment.currentStep];
  if (job === undefined || deployment === undefined || step === undefined) return;
  // Most apps are asked for while they are still at work: that must not cost a look at all the others.
  if (job.step === deployment.currentStep && !isDone(frame.world, job.action, appId)) return;
  if (!step.actions.every(({ action, app }) => isDone(frame.world, action, app))) return;
  for (const { action, app } of step.actions) if (action === 'StopApplication') removeApp(frame, app);
  publishStep(frame, 'deployment_step_success', deployment);
  const next: Deployment = { ...deployment, currentStep: deployment.currentStep + 1 };
  if (next.currentStep < next.steps.length) {
    frame.putDeployment(next);
    publishStep(frame, 'deployment_info', next);
  } else {
    endDeployment(frame, deployment);
  }
}

/** True when nothing of an action is left to be done. */
export function isDone(world: World, action: DeploymentAction, appId: AppId): boolean {
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
  frame.deleteApp(appId);
  publishHealthChecks(frame, appId, app, undefined);
  frame.publish('app_terminated_event', { appId });
}
