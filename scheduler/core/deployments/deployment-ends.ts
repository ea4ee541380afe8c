import type { Deployment, DeploymentOutcome } from '../../../src/model/deployment.ts';
import type { DeploymentId } from '../../../src/model/ids.ts';
import type { FrameBuilder } from '../frame.ts';

/** How a deployment ends other than by being done. */
export interface UntimelyEnd {
  readonly outcome: Exclude<DeploymentOutcome, 'succeeded'>;
  readonly reason: string;
  /** The deployment that comes in its place. */
  readonly successor?: DeploymentId;
}

/** Ends a deployment: its lock goes, its end is remembered and announced. Without an `end` it is done. */
export function endDeployment(frame: FrameBuilder, deployment: Deployment, end?: UntimelyEnd): void {
  const { id, version, affectedApps, steps, currentStep, startedAt, takesBack } = deployment;
  if (frame.world.deployments.has(id)) frame.deleteDeployment(deployment);
  frame.world.timers.cancel({ kind: 'deadline', deploymentId: id });
  frame.putEndedDeployment({
    id,
    version,
    affectedApps,
    steps,
    currentStep: end === undefined ? steps.length : currentStep,
    startedAt,
    ...(takesBack === undefined ? {} : { takesBack }),
    endedAt: frame.now,
    ...(end ?? { outcome: 'succeeded' }),
  });
  if (end === undefined) return frame.publish('deployment_success', { id, plan: deployment }, id);
  publishStep(frame, 'deployment_step_failure', deployment);
  frame.publish('deployment_failed', { id, plan: deployment, reason: end.reason, outcome: end.outcome }, id);
}

/** Tells observers of the step that a deployment is at. */
export function publishStep(
  frame: FrameBuilder,
  type: 'deployment_info' | 'deployment_step_success' | 'deployment_step_failure',
  deployment: Deployment,
): void {
  const currentStep = deployment.steps[deployment.currentStep];
  frame.publish(type, { plan: deployment, currentStep }, deployment.id);
}
