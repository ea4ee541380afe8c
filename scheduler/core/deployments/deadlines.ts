import type { Deployment } from '../../../src/model/deployment.ts';
import type { AppId, DeploymentId } from '../../../src/model/ids.ts';
import { dropAndKeep, takeBack } from '../changes/deployments.ts';
import { reasonOf } from './deploy.ts';
import { isDone } from './deployments.ts';
import type { FrameBuilder } from '../frame.ts';
import type { World } from '../world.ts';

/** At most this many apps are named as what a deployment waits for. */
const maxNamed = 5;

/** A deployment that is not done by its deadline has failed: it is taken back where that was asked for, or it ends. */
export function deadlineDue(frame: FrameBuilder, id: DeploymentId): void {
  const deployment = frame.world.deployments.get(id);
  if (deployment?.deadline === undefined) return;
  const seconds = Math.round((frame.now - deployment.startedAt) / 1000);
  const reason = `not done after ${seconds} s: waits for ${waitsFor(frame.world, deployment)}`;
  if (deployment.rollsBack !== true) return dropAndKeep(frame, deployment, { outcome: 'failed', reason });
  const result = takeBack(frame, deployment, { outcome: 'failed', reason });
  if (result.kind === 'accepted') return;
  const why = reasonOf(result);
  dropAndKeep(frame, deployment, { outcome: 'failed', reason: `${reason}; it cannot be taken back: ${why}` });
}

/** The apps of the step under way that are not done, with how far each is and what failed last. */
function waitsFor(world: World, deployment: Deployment): string {
  const step = deployment.steps[deployment.currentStep]?.actions ?? [];
  const open = step.filter(({ action, app }) => !isDone(world, action, app)).map(({ app }) => app);
  const named = open.slice(0, maxNamed).map((app) => stateOf(world, app, deployment.startedAt));
  return [...named, ...(open.length > maxNamed ? [`${open.length - maxNamed} more`] : [])].join(', ');
}

function stateOf(world: World, appId: AppId, since: number): string {
  const app = world.apps.get(appId);
  const progress = world.progress.get(appId);
  const count = `${progress?.ready ?? 0} of ${app?.instances ?? 0} serve, ${progress?.unsettled.size ?? 0} not done`;
  const failure = world.lastFailures.get(appId);
  if (failure === undefined || failure.timestamp < since) return `${appId} (${count})`;
  return `${appId} (${count}; ${failure.state} on ${failure.host}: ${failure.message})`;
}
