import type { FastifyInstance } from 'fastify';
import { agentId } from '../../../src/model/ids.ts';
import { hostBody } from './body.ts';
import type { HostRouteDeps } from './routes.ts';
import { decodeCounters } from './wire.ts';

/** POST /v1/hosts/:agentId/counters: what a host's switch dropped and delivered; rows that changed. */
export function countersRoute(server: FastifyInstance, deps: HostRouteDeps): void {
  const options = { config: { access: 'host' } } as const;
  server.post<{ Params: { agentId: string } }>(
    '/v1/hosts/:agentId/counters',
    options,
    async (request, reply) => {
      const host = agentId(request.params.agentId);
      if (!deps.expectsHost(host)) {
        return reply.code(404).send({ message: `no task of ours was placed on the agent ${host}` });
      }
      const body = hostBody(request, decodeCounters);
      if (body.kind === 'refused') return reply.code(body.status).send({ message: body.message });
      deps.counted(host, body.value);
      return reply.code(202).send();
    },
  );
}
