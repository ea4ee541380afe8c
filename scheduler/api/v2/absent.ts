import type { FastifyInstance } from 'fastify';
import { notFound, notValid } from '../problems.ts';

/** What Marathon has and Patchpanel does not: empty lists for those who look, a clear refusal for those who want. */
export function absentRoutes(server: FastifyInstance): void {
  server.get('/v2/pods', () => []);
  // Two colons stand for one in a route.
  server.get('/v2/pods/::::status', () => []);
  server.post('/v2/pods', refusePod);
  server.get('/v2/pods/*', noPod);
  server.put('/v2/pods/*', refusePod);
  server.delete('/v2/pods/*', noPod);
  server.get('/v2/plugins', () => ({ plugins: [] }));
}

const refusePod = (): never => {
  throw notValid([
    { path: '/', errors: ['pods are not supported: they need the Mesos containerizer; use an app for each'] },
  ]);
};

const noPod = ({ params }: { readonly params: unknown }): never => {
  const name = (params as { readonly '*': string })['*'].replace(/::.*$/, '');
  throw notFound(`Pod '/${name}' does not exist`);
};
