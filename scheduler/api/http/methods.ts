import type { FastifyInstance, RouteOptions } from 'fastify';
import { HttpProblem } from '../problems.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** The methods of each path that does something, as they were before answerOtherMethods() filled the gaps. */
    offeredMethods: ReadonlyMap<string, ReadonlySet<string>>;
  }
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

/**
 * Answers the methods that a known path does not have: OPTIONS by what it has, any other by 405. Call it before the
 * first route is added.
 */
export function answerOtherMethods(server: FastifyInstance): () => void {
  const known = new Map<string, Set<string>>();
  server.addHook('onRoute', ({ url, method }: RouteOptions) => {
    const has = known.get(url) ?? new Set<string>();
    for (const name of [method].flat()) has.add(name);
    known.set(url, has);
  });
  return () => {
    server.decorate('offeredMethods', new Map([...known].map(([url, has]) => [url, new Set(has)])));
    for (const [url, has] of known) if (url !== '*') addOthers(server, url, has);
  };
}

function addOthers(server: FastifyInstance, url: string, has: ReadonlySet<string>): void {
  const allow = methods.filter((name) => has.has(name) || name === 'OPTIONS').join(', ');
  if (!has.has('OPTIONS')) {
    server.options(url, (_request, reply) => reply.header('Allow', allow).send());
  }
  const missing = methods.filter((name) => !has.has(name) && name !== 'OPTIONS');
  if (missing.length === 0) return;
  server.route({
    method: missing,
    url,
    exposeHeadRoute: false,
    handler: (_request, reply) => {
      reply.header('Allow', allow);
      throw methodNotAllowed();
    },
  });
}

/** Marathon's answer to a method that a path does not have. */
export const methodNotAllowed = (): HttpProblem => new HttpProblem(405, 'Method Not Allowed');
