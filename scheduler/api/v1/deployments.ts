import type { FastifyInstance } from 'fastify';
import type { Deployment, EndedDeployment } from '../../../src/model/deployment.ts';
import { deploymentId, isoTime } from '../../../src/model/ids.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound } from '../problems.ts';

/** `/v1/deployments`: what Marathon forgets, deployments that have ended and how. */
export function endedDeploymentRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v1/deployments/history', () => ({
    deployments: [...deps.world().endedDeployments.values()].toReversed().map(presentEnded),
  }));

  server.get<{ Params: { id: string } }>('/v1/deployments/:id', (request) => {
    const id = deploymentId(request.params.id);
    const { deployments, endedDeployments } = deps.world();
    const running = deployments.get(id);
    if (running !== undefined) return presentRunning(running);
    const ended = endedDeployments.get(id);
    if (ended === undefined) throw notFound(`DeploymentPlan ${id} does not exist`);
    return presentEnded(ended);
  });
}

function presentRunning(deployment: Deployment): Record<string, unknown> {
  const { deadline, rollsBack } = deployment;
  return {
    ...presentPlan(deployment),
    state: 'running',
    ...(deadline === undefined ? {} : { deadline: isoTime(deadline) }),
    onFailure: rollsBack === true ? 'rollback' : 'stop',
  };
}

function presentEnded(deployment: EndedDeployment): Record<string, unknown> {
  const { outcome, reason, endedAt, successor } = deployment;
  return {
    ...presentPlan(deployment),
    state: outcome,
    ...(reason === undefined ? {} : { reason }),
    endedAt: isoTime(endedAt),
    ...(successor === undefined ? {} : { successor }),
  };
}

/** `currentStep` counts from 1, as in Marathon's list of deployments. */
function presentPlan(plan: Deployment | EndedDeployment): Record<string, unknown> {
  const { id, version, affectedApps, steps, currentStep, startedAt, takesBack } = plan;
  return {
    id,
    version,
    affectedApps,
    steps,
    currentStep: Math.min(currentStep + 1, steps.length),
    totalSteps: steps.length,
    startedAt: isoTime(startedAt),
    ...(takesBack === undefined ? {} : { takesBack }),
  };
}
