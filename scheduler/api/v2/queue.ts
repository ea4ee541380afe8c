import type { FastifyInstance } from 'fastify';
import { isoTime } from '../../../src/model/ids.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { App } from '../../../src/model/app.ts';
import { launchableFrom } from '../../core/backoff.ts';
import type { World } from '../../core/world.ts';
import { accept } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { notFound } from '../problems.ts';
import { requireAppId } from './app-changes.ts';
import { instancesOf, presentApp } from './present-app.ts';

/** `/v2/queue` (Marathon v2): what is still to be launched, and why it is not yet. */
export function queueRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/queue', () => {
    const world = deps.world();
    return { queue: [...world.apps.values()].flatMap((app) => presentQueued(world, app, deps.now()) ?? []) };
  });

  server.delete<{ Params: { '*': string } }>('/v2/queue/*', async (request, reply) => {
    const id = requireAppId(request.params['*'].replace(/\/delay\/?$/, ''));
    if (!deps.world().apps.has(id)) throw notFound(`Application ${id} not found in tasks queue.`);
    await accept(deps, { kind: 'reset-delay', appId: id }, reply);
    return reply.code(204).send();
  });
}

function presentQueued(world: World, app: App, now: number): Record<string, unknown> | undefined {
  const upToDate = instancesOf(world, app.id).filter(
    (instance) =>
      !isTerminal(instance.condition) && instance.configVersion === app.versionInfo.lastConfigChangeAt,
  );
  const count = app.instances - upToDate.length;
  if (count <= 0) return undefined;
  const unplaced = world.unplaced.get(app.id);
  const timeLeftMs = Math.max(0, launchableFrom(world, app) - now);
  return {
    app: presentApp(app),
    count,
    role: app.role,
    delay: { timeLeftSeconds: Math.ceil(timeLeftMs / 1000), overdue: timeLeftMs === 0 },
    since: isoTime(unplaced?.since ?? Date.parse(app.version)),
    processedOffersSummary: {
      processedOffersCount: unplaced?.processed ?? 0,
      unusedOffersCount: unplaced?.processed ?? 0,
      rejectSummaryLastOffers: Object.entries(unplaced?.reasons ?? {}).map(([reason, declined]) => ({
        reason,
        declined,
        processed: unplaced?.processed ?? 0,
      })),
      rejectSummaryLaunchAttempt: [],
    },
  };
}
