import type { AppId } from '../../../src/model/ids.ts';
import type { World } from '../world.ts';

/**
 * What the scheduler may do with an app now. steady: keep it as it is (restart what fails, end what was scaled
 * away). waiting: its deployment has not come to it: only restart what fails. acting: also replace outdated
 * instances. stopping: it is on its way out.
 */
export type Phase = 'steady' | 'waiting' | 'acting' | 'stopping';

/** The phase of an app, from its part in the running deployment. */
export function phaseOf(world: World, appId: AppId): Phase {
  const job = world.jobs.get(appId);
  const deployment = job === undefined ? undefined : world.deployments.get(job.deploymentId);
  if (job === undefined || deployment === undefined || deployment.currentStep > job.step) return 'steady';
  if (deployment.currentStep < job.step) return 'waiting';
  return job.action === 'StopApplication' ? 'stopping' : 'acting';
}
