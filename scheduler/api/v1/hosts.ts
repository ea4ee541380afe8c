import type { FastifyInstance } from 'fastify';
import { isoTime } from '../../../src/model/ids.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { ApiDeps } from '../deps.ts';

/**
 * `/v1/hosts`: every host that an executor reported from, with its switch and its view; and those, whether any reported
 * or not, whose executor could not serve them.
 */
export function hostListRoutes(server: FastifyInstance, deps: ApiDeps): void {
  server.get('/v1/hosts', () => {
    const world = deps.world();
    return {
      hosts: [...world.hosts.values()].map(({ facts, reachable, seenAt }) => {
        const stream = deps.hostStatus(facts.agentId);
        const instances = [...(world.instancesOfAgent.get(facts.agentId) ?? [])];
        return {
          ...facts,
          reachable,
          seenAt: isoTime(seenAt),
          tasks: instances.filter((id) => !isTerminal(world.instances.get(id)?.condition ?? 'gone')).length,
          view: {
            connected: stream?.connected ?? false,
            applied: stream?.applied ?? null,
            lag: stream?.lag ?? 0,
            problem: stream?.problem ?? null,
          },
        };
      }),
      unfit: [...world.unfitHosts.values()].map(({ agentId, hostname, problem, since, until }) => ({
        agentId,
        hostname,
        problem,
        since: isoTime(since),
        until: isoTime(until),
      })),
    };
  });
}
