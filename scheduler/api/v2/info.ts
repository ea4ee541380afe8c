import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';

/** `/v2/info`, `/v2/leader`, `/ping`, `/metrics` and the empty lists that Marathon's clients ask for. */
export function infoRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const leader = new URL(deps.info.advertiseUrl).host;

  server.get('/ping', { config: { access: 'open' } }, (request, reply) => {
    if (request.headers.accept === 'application/json') return reply.type('application/json').send('"pong"');
    return reply.type('text/plain; charset=utf-8').send('pong');
  });

  server.get('/v2/leader', () => ({ leader }));

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
      ha: false,
      hostname: deps.info.hostname,
      local_port_min: 10_000,
      local_port_max: 20_000,
      master: deps.info.master,
      mesos_role: deps.info.role,
      mesos_user: deps.info.user,
      webui_url: deps.info.advertiseUrl,
    },
    zookeeper_config: {},
    http_config: { http_port: deps.info.httpPort, https_port: null },
  }));

  server.get('/v2/pods', () => []);
  server.get('/v2/plugins', () => ({ plugins: [] }));

  server.get('/metrics', async (_request, reply) =>
    reply.type('text/plain; version=0.0.4').send(await deps.metrics()),
  );
}
