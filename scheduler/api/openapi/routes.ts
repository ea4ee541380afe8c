import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { openApiDocument } from './document.ts';
import { helpPage, helpPagePolicy } from './help-page.ts';
import { appOperations } from './operations/apps.ts';
import { clusterOperations } from './operations/cluster.ts';
import { fabricOperations } from './operations/fabric.ts';
import { groupOperations } from './operations/groups.ts';
import { networkOperations } from './operations/networks.ts';
import { workOperations } from './operations/work.ts';

/** Everything that people and their programs can ask for. */
export const operations = [
  ...appOperations,
  ...groupOperations,
  ...workOperations,
  ...clusterOperations,
  ...networkOperations,
  ...fabricOperations,
];

/** The API's description: `/v2/openapi.json` for programs, `/help` for people. Made once, when first asked for. */
export function descriptionRoutes(server: FastifyInstance, deps: ApiDeps): void {
  let made: { readonly json: string; readonly page: string } | undefined;
  const description = () => {
    if (made === undefined) {
      const document = openApiDocument(operations, deps.info.version);
      made = { json: JSON.stringify(document), page: helpPage(document) };
    }
    return made;
  };

  server.get('/v2/openapi.json', (_request, reply) =>
    reply.type('application/json; charset=utf-8').send(description().json),
  );

  // Where Marathon has its page.
  server.get('/', (_request, reply) => reply.redirect('/help', 302));

  server.get('/help', (_request, reply) =>
    reply
      .header('Content-Security-Policy', helpPagePolicy)
      .type('text/html; charset=utf-8')
      .send(description().page),
  );
}
