import type { IncomingHttpHeaders } from 'node:http';
import replyFrom from '@fastify/reply-from';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Candidate } from '../../election/candidates.ts';
import { HttpProblem } from '../problems.ts';
import { clientHeader, vouchFor } from '../security/client-address.ts';

/** Who passed a request on, as Marathon says it: `1.1 host:port`, several divided by commas. */
const viaHeader = 'x-marathon-via';

export interface ForwardDeps {
  readonly self: Candidate;
  readonly leader: () => Candidate | undefined;
  /** PEM of the authority of the leader's certificate, where it is not one that everybody trusts. */
  readonly authority: string | undefined;
}

/** Milliseconds: the leader answers a change when it is durable, which takes long only when something is wrong. */
export const answerTimeoutMs = 30_000;

/** Connections to the leader, as many as Marathon's `--leader_proxy_max_open_connections`. */
const maxConnections = 64;

/** Passes on to the leader whatever no other route takes, body and all. */
export async function forwardRoutes(server: FastifyInstance, deps: ForwardDeps): Promise<void> {
  const { authority } = deps;
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  await server.register(replyFrom, {
    disableRequestLogging: true,
    undici: {
      connections: maxConnections,
      headersTimeout: answerTimeoutMs,
      bodyTimeout: answerTimeoutMs,
      ...(authority === undefined ? {} : { connect: { ca: authority } }),
    },
  });
  server.route({
    method: ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'],
    url: '/*',
    // The leader knows who may do what.
    config: { access: 'open' },
    handler: (request, reply) => forward(deps, request, reply),
  });
}

function forward(deps: ForwardDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const leader = leaderFor(deps, request);
  if (isStream(request)) return reply.redirect(`${leader.url}${request.url}`, 302);
  return reply.from(`${leader.url}${request.url}`, {
    rewriteRequestHeaders: (original, headers) => ({
      ...headers,
      [viaHeader]: [headers[viaHeader], `1.1 ${deps.self.id}`].filter(Boolean).join(', '),
      'x-forwarded-for': [headers['x-forwarded-for'], original.ip].filter(Boolean).join(', '),
      [clientHeader]:
        leader.forwardKey === undefined ? undefined : vouchFor(request.clientAddress, leader.forwardKey),
    }),
    rewriteHeaders: (headers) => ({ ...headers, [viaHeader]: `1.1 ${deps.self.id}` }),
    onError: (_reply, { error }) => {
      void reply.code(502).send({ message: `The leader ${leader.id} does not answer: ${error.message}` });
    },
  });
}

/** @throws HttpProblem 502 when nobody is known to lead, or the request has been here already */
export function leaderFor(deps: ForwardDeps, request: FastifyRequest): Candidate {
  if (passedBy(request.headers, deps.self.id)) throw new HttpProblem(502, 'Detected proxying loop.');
  const leader = deps.leader();
  if (leader === undefined) throw new HttpProblem(502, 'Could not determine the current leader');
  return leader;
}

function passedBy(headers: IncomingHttpHeaders, id: string): boolean {
  const via = [headers[viaHeader] ?? []].flat().join(',');
  return via.split(',').some((each) => each.trim().split(/\s+/).at(-1) === id);
}

/** Streams never end: they are for the leader alone, and the client follows there. */
const isStream = (request: FastifyRequest): boolean =>
  /^\/v2\/events\/?(\?|$)/.test(request.url) ||
  request.headers.accept?.includes('text/event-stream') === true;
