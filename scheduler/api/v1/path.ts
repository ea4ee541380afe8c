import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { codeOf, messageOf } from '../../../src/runtime/errors.ts';
import { pathEnd, type PathAddress, type PathEnd, type PathEndpoint } from '../../core/fabric/path-ends.ts';
import type { PathReport } from '../../driver/paths/path-report.ts';
import type { ApiDeps } from '../deps.ts';
import { HttpProblem, notFound, notValid } from '../problems.ts';
import { checked } from '../request.ts';

/** What GET /v1/path is asked. */
export const pathQuery = z.object({
  from: z.string().min(1),
  to: z.string().min(1),
  protocol: z.enum(['tcp', 'udp', 'icmp']).default('tcp'),
  port: z.coerce.number().int().min(1).max(65_535).optional(),
});

/** `/v1/path?from=&to=&protocol=&port=`: what the switches would do with a packet, decision by decision. */
export function pathRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v1/path', async (request, reply): Promise<PathReport> => {
    const { from, to, protocol, port } = checked(pathQuery, request.query, request, reply);
    if (port !== undefined && protocol === 'icmp') {
      throw notValid([{ path: '/port', errors: ['icmp has no ports: leave it out'] }]);
    }
    const source = endOf(pathEnd(deps.world(), from), '/from');
    const destination = endOf(pathEnd(deps.world(), to), '/to');
    if (source.kind === 'address') {
      const errors = [`${source.ip} is the address of no slot: a path begins at a slot or a task`];
      throw notValid([{ path: '/from', errors }]);
    }
    if (destination.kind === 'endpoint' && destination.instance.taskId === source.instance.taskId) {
      throw notValid([{ path: '/to', errors: ['it is the same instance as from'] }]);
    }
    const traffic = { protocol, ...(port === undefined ? {} : { port }) };
    return deps.findPath(source, destination, traffic).catch((error: unknown) => {
      throw answerOf(error);
    });
  });
}

function endOf(end: PathEnd, path: string): PathEndpoint | PathAddress {
  switch (end.kind) {
    case 'unknown':
      throw notFound(`${path.slice(1)}: ${end.message}`);
    case 'unfit':
      throw notValid([{ path, errors: [end.message] }]);
    case 'endpoint':
    case 'address':
      return end;
  }
}

/** A host that does not answer is a gateway that does not: 504; one that cannot tell: 502. */
function answerOf(error: unknown): unknown {
  const code = codeOf(error);
  if (code === 'deadline' || code === 'unavailable') return new HttpProblem(504, messageOf(error));
  return code === 'external' ? new HttpProblem(502, messageOf(error)) : error;
}
