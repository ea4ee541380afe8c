import type { FastifyInstance } from 'fastify';
import { isoTime } from '../../../src/model/ids.ts';
import { fromMilli } from '../../../src/model/resources.ts';
import type { App } from '../../../src/model/app.ts';
import { launchableFrom } from '../../core/offers/backoff.ts';
import type { Offer } from '../../core/events.ts';
import { progressOf } from '../../core/deployments/progress.ts';
import { lastReasons, rejectionFunnel } from '../../core/offers/unplaced.ts';
import type { UnplacedReason, World } from '../../core/world.ts';
import { accept } from '../answers.ts';
import type { ApiDeps } from '../deps.ts';
import { wantsExtensions } from '../http/extended.ts';
import { listingOf, pageOf, picked } from '../http/listing.ts';
import { methodNotAllowed } from '../http/methods.ts';
import { notFound } from '../problems.ts';
import { queryValues } from '../request.ts';
import { absolute } from './app-changes.ts';
import { parseAppName } from './app-id.ts';
import { presentApp } from './present-app.ts';

/** `/v2/queue` (Marathon v2): what is still to be launched, and why it is not yet. */
export function queueRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v2/queue', (request, reply) => {
    const world = deps.world();
    const listing = listingOf(request);
    const view: QueueView = {
      now: deps.now(),
      extended: wantsExtensions(request),
      offers: queryValues(request, 'embed').includes('lastUnusedOffers'),
    };
    const waiting = [...world.wanting].flatMap((id) => world.apps.get(id) ?? []);
    const queue = pageOf(waiting, listing, reply).map((app) =>
      picked(presentQueued(world, app, view), listing),
    );
    return { queue };
  });

  server.delete<{ Params: { '*': string } }>('/v2/queue/*', async (request, reply) => {
    const { '*': rest } = request.params;
    if (!/\/delay\/?$/.test(rest)) throw methodNotAllowed();
    const name = absolute(rest.replace(/\/delay\/?$/, ''));
    const parsed = parseAppName(name);
    if ('error' in parsed || !deps.world().wanting.has(parsed.id))
      throw notFound(`Application ${name} not found in tasks queue.`);
    await accept(deps, { kind: 'reset-delay', appId: parsed.id }, reply);
    return reply.code(204).send();
  });
}

/** How the queue is shown. */
interface QueueView {
  readonly now: number;
  readonly extended: boolean;
  /** With the offers that were not used. */
  readonly offers: boolean;
}

function presentQueued(world: World, app: App, view: QueueView): Record<string, unknown> {
  const { vacant, standbys } = progressOf(world, app.id);
  const unplaced = world.unplaced.get(app.id);
  const timeLeftMs = Math.max(0, launchableFrom(world, app) - view.now);
  return {
    app: presentApp(app),
    count: vacant.size + standbys.size,
    ...(view.extended ? { role: app.role } : {}),
    delay: { timeLeftSeconds: Math.ceil(timeLeftMs / 1000), overdue: timeLeftMs === 0 },
    since: isoTime(unplaced?.since ?? Date.parse(app.version)),
    processedOffersSummary: presentSummary(unplaced),
    ...(view.offers ? { lastUnusedOffers: presentUnused(unplaced) } : {}),
  };
}

function presentSummary(unplaced: UnplacedReason | undefined): Record<string, unknown> {
  const newest = [...(unplaced?.lastOffers.values() ?? [])].at(-1);
  return {
    processedOffersCount: unplaced?.processed ?? 0,
    unusedOffersCount: unplaced?.processed ?? 0,
    ...(newest === undefined ? {} : { lastUnusedOfferAt: isoTime(newest.at) }),
    ...(unplaced?.lastUsedAt === undefined ? {} : { lastUsedOfferAt: isoTime(unplaced.lastUsedAt) }),
    rejectSummaryLastOffers: rejectionFunnel(unplaced === undefined ? {} : lastReasons(unplaced)),
    rejectSummaryLaunchAttempt: rejectionFunnel(unplaced?.reasons ?? {}),
  };
}

const presentUnused = (unplaced: UnplacedReason | undefined): Record<string, unknown>[] =>
  [...(unplaced?.lastOffers.values() ?? [])].map(({ offer, reason, at }) => ({
    offer: presentOffer(offer),
    reason: [reason],
    timestamp: isoTime(at),
  }));

/** An offer in Marathon's JSON: what is not reserved has the role `*`. */
function presentOffer({ id, agentId, hostname, scalars, ports, attributes }: Offer): Record<string, unknown> {
  const amounts = Object.entries(scalars).map(([name, milli]) => ({
    name,
    role: '*',
    scalar: fromMilli(milli),
  }));
  return {
    id,
    agentId,
    hostname,
    resources: [...amounts, { name: 'ports', role: '*', ranges: ports }],
    attributes: Object.entries(attributes).map(([name, text]) => ({ name, text })),
  };
}
