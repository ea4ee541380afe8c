import type { FastifyInstance } from 'fastify';
import { tryParseIpv4 } from '../../../src/fabric/ipv4.ts';
import type { HostReport } from '../../../src/fabric/view-wire.ts';
import { encodingOf } from '../../../src/mesos/codec.ts';
import { agentId, type AgentId } from '../../../src/model/ids.ts';
import { codeOf, messageOf } from '../../../src/runtime/errors.ts';
import type { HostRouteDeps } from './routes.ts';
import { decodeReport } from './wire.ts';

type Parsed =
  | { readonly kind: 'report'; readonly report: HostReport }
  | { readonly kind: 'refused'; readonly status: 400 | 415; readonly message: string };

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
      const parsed = parse(request.headers['content-type'], request.body, host);
      if (parsed.kind === 'refused') return reply.code(parsed.status).send({ message: parsed.message });
      await deps.report(host, parsed.report);
      return reply.code(202).send();
    },
  );
}

function parse(contentType: string | undefined, body: unknown, host: AgentId): Parsed {
  const encoding = encodingOf(contentType);
  if (encoding === undefined) {
    return refused(415, 'the content type must be application/x-protobuf or application/json');
  }
  try {
    const report = decodeReport(Buffer.isBuffer(body) ? body : Buffer.alloc(0), encoding);
    const problem = factsProblem(report, host);
    return problem === undefined ? { kind: 'report', report } : refused(400, problem);
  } catch (error) {
    if (codeOf(error) === 'protocol' || codeOf(error) === 'invalid') return refused(400, messageOf(error));
    throw error;
  }
}

function factsProblem({ facts }: HostReport, host: AgentId): string | undefined {
  if (facts === undefined) return undefined;
  if (facts.agentId !== host) return `facts.agent_id is ${facts.agentId}, but the path names ${host}`;
  if (tryParseIpv4(facts.underlayIp) === undefined) {
    return `facts.underlay_ip is "${facts.underlayIp}"; it must be an IPv4 address`;
  }
  return undefined;
}

const refused = (status: 400 | 415, message: string): Parsed => ({ kind: 'refused', status, message });
