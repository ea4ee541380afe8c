import type { FastifyInstance } from 'fastify';
import { agentId } from '../../../src/model/ids.ts';
import { hostBody } from './body.ts';
import type { HostRouteDeps } from './routes.ts';
import { decodeAnswer } from './wire.ts';

/** POST /v1/hosts/:agentId/answer: what a host answers to a question of its view stream; 410 when nobody waits for it. */
export function answerRoute(server: FastifyInstance, deps: HostRouteDeps): void {
  const options = { config: { access: 'host' } } as const;
  server.post<{ Params: { agentId: string } }>(
    '/v1/hosts/:agentId/answer',
    options,
    async (request, reply) => {
      const body = hostBody(request, decodeAnswer);
      if (body.kind === 'refused') return reply.code(body.status).send({ message: body.message });
      if (deps.answered(agentId(request.params.agentId), body.value)) return reply.code(202).send();
      return reply.code(410).send({ message: 'nobody waits for this answer' });
    },
  );
}
