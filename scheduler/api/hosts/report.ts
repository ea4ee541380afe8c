import type { FastifyInstance } from 'fastify';
import { tryParseIpv4 } from '../../../src/fabric/ipv4.ts';
import type { HostReport } from '../../../src/fabric/view-wire.ts';
import { agentId, type AgentId } from '../../../src/model/ids.ts';
import { hostBody } from './body.ts';
import type { HostRouteDeps } from './routes.ts';
import { decodeReport } from './wire.ts';

/** POST /v1/hosts/:agentId/report: what a host has to say; 202 when its facts are durable. */
export function reportRoute(server: FastifyInstance, deps: HostRouteDeps): void {
  const options = { config: { access: 'host' } } as const;
  server.post<{ Params: { agentId: string } }>(
    '/v1/hosts/:agentId/report',
    options,
    async (request, reply) => {
      const host = agentId(request.params.agentId);
      if (!deps.expectsHost(host)) {
        return reply.code(404).send({ message: `no task of ours was placed on the agent ${host}` });
      }
      const body = hostBody(request, decodeReport, (report) => factsProblem(report, host));
      if (body.kind === 'refused') return reply.code(body.status).send({ message: body.message });
      await deps.report(host, body.value);
      return reply.code(202).send();
    },
  );
}

function factsProblem({ facts }: HostReport, host: AgentId): string | undefined {
  if (facts === undefined) return undefined;
  if (facts.agentId !== host) return `facts.agent_id is ${facts.agentId}, but the path names ${host}`;
  if (tryParseIpv4(facts.underlayIp) === undefined) {
    return `facts.underlay_ip is "${facts.underlayIp}"; it must be an IPv4 address`;
  }
  return undefined;
}
