import accepts from '@fastify/accepts';
import compress from '@fastify/compress';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import type { ApiDeps } from './deps.ts';
import { allowCrossOrigin } from './http/cross-origin.ts';
import { sendPlainJsonType } from './http/json-type.ts';
import { answerOtherMethods } from './http/methods.ts';
import { behindPrefix, prefixLocations } from './http/path-prefix.ts';
import { HttpProblem } from './problems.ts';
import { descriptionRoutes } from './openapi/routes.ts';
import { guard } from './security/guard.ts';
import { counterRoutes } from './v1/counters.ts';
import { endedDeploymentRoutes } from './v1/deployments.ts';
import { hostListRoutes } from './v1/hosts.ts';
import { networkRoutes } from './v1/networks.ts';
import { reservationRoutes } from './v1/reservations.ts';
import { pathRoutes } from './v1/path.ts';
import { appRoutes } from './v2/apps.ts';
import { deploymentRoutes } from './v2/deployments.ts';
import { eventRoutes } from './v2/events/events.ts';
import { absentRoutes } from './v2/absent.ts';
import { groupRoutes } from './v2/groups.ts';
import { infoRoutes } from './v2/info.ts';
import { metricRoutes } from './v2/metrics.ts';
import { queueRoutes } from './v2/queue.ts';
import { taskRoutes } from './v2/tasks.ts';

const bodyLimitBytes = 4 * 1024 * 1024;
const tooLarge =
  `The body is larger than ${bodyLimitBytes} bytes: change fewer apps with each request, and put large texts into ` +
  'images or into files that tasks fetch.';

/** The scheduler's HTTP API: Marathon v2 for people and tools, v1 for what Marathon does not have. */
export function createServer(deps: ApiDeps): FastifyInstance {
  const server = Fastify({
    logger: false,
    bodyLimit: bodyLimitBytes,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 2048 },
    // The one that there is: what cannot be decoded in a URL.
    frameworkErrors: ({ message }, _request, reply: FastifyReply) => void reply.code(400).send({ message }),
    ...behindPrefix(deps.info.pathPrefix),
  });
  sendPlainJsonType(server);
  prefixLocations(server, deps.info.pathPrefix);
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers({
      'Cache-Control': 'no-cache, no-store, must-revalidate',
      Pragma: 'no-cache',
      Expires: '0',
      'X-Marathon-Leader': deps.info.advertiseUrl,
      'X-Frame-Options': 'DENY',
      'X-XSS-Protection': '1; mode=block',
    });
    if (deps.isStale?.() === true) markStale(reply);
    done();
  });
  allowCrossOrigin(server, deps.allowedOrigins);
  void server.register(accepts);
  // Level 1: a long list shrinks to a tenth by it, and more costs more time than it saves.
  void server.register(compress, {
    encodings: ['gzip', 'deflate'],
    threshold: 1024,
    zlibOptions: { level: 1 },
  });
  server.after(() => guard(server, deps.security));
  const answerRest = answerOtherMethods(server);
  server.setNotFoundHandler((request, reply) =>
    reply.code(404).send({ message: `URI not found: ${request.url.replace(/\?.*/s, '')}` }),
  );
  server.setErrorHandler<FastifyError | HttpProblem>((error, request, reply) => {
    if (error instanceof HttpProblem) return reply.code(error.status).send(error.body);
    const status = error.statusCode ?? 500;
    if (status === 413) return reply.code(status).send({ message: tooLarge });
    if (status < 500) return reply.code(status).send({ message: error.message });
    deps.log.error('a request failed', { method: request.method, url: request.url, error });
    return reply.code(status).send({ message: `Internal error: ${error.message}` });
  });
  void server.register(deps.hostRoutes);
  void server.register((people, _options, done) => {
    acceptAnyContentType(people);
    descriptionRoutes(people, deps);
    infoRoutes(people, deps);
    metricRoutes(people, deps);
    absentRoutes(people);
    eventRoutes(people, deps);
    appRoutes(people, deps);
    groupRoutes(people, deps);
    deploymentRoutes(people, deps);
    endedDeploymentRoutes(people, deps);
    taskRoutes(people, deps);
    queueRoutes(people, deps);
    networkRoutes(people, deps);
    reservationRoutes(people, deps);
    hostListRoutes(people, deps);
    pathRoutes(people, deps);
    counterRoutes(people, deps);
    done();
  });
  server.after(answerRest);
  return server;
}

/** RFC 7234 §5.5.1 has the warning's number; the other header is for those who do not want to parse it. */
const markStale = (reply: FastifyReply): FastifyReply =>
  reply.headers({ 'X-Patchpanel-Stale': 'true', Warning: '110 patchpanel "Response is Stale"' });

/** Bodies are read as text and parsed as JSON whatever their content type says, as Marathon does. */
function acceptAnyContentType(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
}
