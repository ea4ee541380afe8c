import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { abdicateRoute, leaderRoute, pingRoute } from './leader.ts';

/** `/v2/info`, `/v2/leader`, `/ping`, `/metrics` and the empty lists that Marathon's clients ask for. */
export function infoRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const leader = new URL(deps.info.advertiseUrl).host;

  pingRoute(server);
  leaderRoute(server, { leader: () => leader });
  abdicateRoute(server, deps.abdicate);

  server.get('/v2/info', () => ({
    name: deps.info.frameworkName,
    version: deps.info.version,
    elected: true,
    leader,
    frameworkId: deps.world().frameworkId,
    marathon_config: {
      checkpoint: true,
      default_network_name: deps.info.defaultNetwork,
      failover_timeout: deps.info.failoverTimeoutSeconds,
      framework_name: deps.info.frameworkName,
      ha: deps.abdicate !== undefined,
      hostname: deps.info.hostname,
      local_port_min: 10_000,
      local_port_max: 20_000,
      master: deps.info.master,
      mesos_role: deps.info.role,
      mesos_user: deps.info.user,
      webui_url: deps.info.advertiseUrl,
    },
    zookeeper_config: deps.info.zk === undefined ? {} : { zk: deps.info.zk },
    http_config: { http_port: deps.info.httpPort, https_port: null },
  }));

  server.get('/v2/pods', () => []);
  server.get('/v2/plugins', () => ({ plugins: [] }));

  server.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await deps.metrics()),
  );
}
