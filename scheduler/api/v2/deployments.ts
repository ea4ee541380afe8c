import type { FastifyInstance } from 'fastify';
import type { Deployment } from '../../../src/model/deployment.ts';
import { deploymentId, type AppId } from '../../../src/model/ids.ts';
import { accept, deploymentBody } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { listingOf, pageOf, picked } from '../http/listing.ts';
import { flag } from '../request.ts';
import type { World } from '../../core/world.ts';
import { instancesOf } from './present-app.ts';
import { presentReadiness } from './readiness-checks.ts';

/** `/v2/deployments` (Marathon v2): a bare array of what is under way. */
export function deploymentRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/deployments', (request, reply) => {
    const world = deps.world();
    const listing = listingOf(request);
    return pageOf([...world.deployments.values()], listing, reply).map((deployment) =>
      picked(presentDeployment(world, deployment), listing),
    );
  });

  server.delete<{ Params: { id: string } }>('/v2/deployments/:id', async (request, reply) => {
    const { id } = request.params;
    const force = flag(request, 'force');
    const result = await accept(
      deps,
      { kind: 'cancel-deployment', deploymentId: deploymentId(id), force },
      reply,
    );
    return force ? reply.code(202).send() : deploymentBody(result);
  });
}

/** A deployment in Marathon's JSON; currentStep counts from 1. */
export function presentDeployment(world: World, deployment: Deployment): Record<string, unknown> {
  const current = deployment.steps[deployment.currentStep];
  return {
    id: deployment.id,
    version: deployment.version,
    affectedApps: deployment.affectedApps,
    affectedPods: [],
    steps: deployment.steps,
    currentActions: (current?.actions ?? []).map((action) => ({
      ...action,
      readinessCheckResults: readinessOf(world, action.app),
    })),
    currentStep: Math.min(deployment.currentStep + 1, deployment.steps.length),
    totalSteps: deployment.steps.length,
  };
}

function readinessOf(world: World, appId: AppId): Record<string, unknown>[] {
  const app = world.apps.get(appId);
  // Deployments are polled, and most apps have many instances and no such check.
  if (app === undefined || app.readinessChecks.length === 0) return [];
  return presentReadiness(app, instancesOf(world, appId));
}
