import accepts from '@fastify/accepts';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { Logger } from '../../../src/runtime/logger.ts';
import { sendPlainJsonType } from '../http/json-type.ts';
import { behindPrefix } from '../http/path-prefix.ts';
import { bundleRoutes, type BundleFiles } from '../hosts/bundle.ts';
import { HttpProblem } from '../problems.ts';
import { guard, type Security } from '../security/guard.ts';
import { leaderRoute, pingRoute } from '../v2/leader.ts';
import { forwardRoutes, leaderFor, type ForwardDeps } from './forward.ts';

export interface StandbyDeps extends ForwardDeps {
  readonly bundle: BundleFiles;
  /** Prometheus text about this process. */
  readonly metrics: () => Promise<string>;
  readonly security: Security;
  /** As of the leader's API. */
  readonly pathPrefix: string;
  readonly log: Logger;
}

/**
 * The API of a scheduler that does not lead: it answers for itself whether it lives, who leads and how it does, hands out
 * the executor's bundle, sends executors to the leader and passes everything else on.
 */
export function createStandbyServer(deps: StandbyDeps): FastifyInstance {
  const server = Fastify({
    logger: false,
    forceCloseConnections: true,
    ...behindPrefix(deps.pathPrefix),
  });
  sendPlainJsonType(server);
  server.addHook('onRequest', (_request, reply, done) => {
    const leader = deps.leader();
    reply.header('Cache-Control', 'no-cache, no-store, must-revalidate');
    if (leader !== undefined) reply.header('X-Marathon-Leader', leader.url);
    done();
  });
  void server.register(accepts);
  guard(server, deps.security);
  server.setErrorHandler<FastifyError | HttpProblem>((error, request, reply) => {
    if (error instanceof HttpProblem) return reply.code(error.status).send(error.body);
    const status = error.statusCode ?? 500;
    if (status >= 500) {
      deps.log.error('a request failed', { method: request.method, url: request.url, error });
    }
    return reply.code(status).send({ message: error.message });
  });
  pingRoute(server);
  leaderRoute(server, { leader: () => deps.leader()?.id });
  bundleRoutes(server, deps.bundle);
  server.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await deps.metrics()),
  );
  executorRoutes(server, deps);
  void server.register((passed) => forwardRoutes(passed, deps));
  return server;
}

/** Executors have a token that is for the leader alone, and their streams never end: they are told to go there. */
function executorRoutes(server: FastifyInstance, deps: StandbyDeps): void {
  server.route({
    method: ['GET', 'POST'],
    url: '/v1/hosts/:agentId/*',
    config: { access: 'open' },
    handler: (request, reply) => reply.redirect(`${leaderFor(deps, request).url}${request.url}`, 307),
  });
}
