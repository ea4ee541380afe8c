import type { FastifyInstance } from 'fastify';
import type { ApiDeps } from '../deps.ts';
import { abdicateRoute, leaderRoute, pingRoute } from './leader.ts';

/** `/ping`, `/v2/info` and `/v2/leader` (Marathon v2). */
export function infoRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const leader = new URL(deps.info.advertiseUrl).host;
  pingRoute(server);
  leaderRoute(server, { leader: () => leader });
  abdicateRoute(server, deps.abdicate);

  server.get('/v2/info', () => ({
    name: deps.info.frameworkName,
    version: deps.info.version,
    buildref: deps.info.build,
    elected: true,
    leader,
    frameworkId: deps.world().frameworkId,
    marathon_config: presentConfig(deps),
    zookeeper_config: {
      zk_max_versions: deps.info.maxVersions,
      ...(deps.info.zk === undefined ? {} : { zk: deps.info.zk }),
    },
    http_config: { http_port: deps.info.httpPort ?? null, https_port: deps.info.httpsPort ?? null },
  }));
}

/** What there is of Marathon's settings, times in milliseconds. */
function presentConfig({ info, allowedOrigins, abdicate }: ApiDeps): Record<string, unknown> {
  return {
    access_control_allow_origin: allowedOrigins.length === 0 ? null : allowedOrigins,
    checkpoint: true,
    decline_offer_duration: info.declineOfferMs,
    default_network_name: info.defaultNetwork,
    executor: '',
    failover_timeout: info.failoverTimeoutSeconds,
    features: [],
    framework_name: info.frameworkName,
    ha: abdicate !== undefined,
    hostname: info.hostname,
    local_port_min: 10_000,
    local_port_max: 20_000,
    maintenance_mode: true,
    master: info.master,
    mesos_role: info.role,
    mesos_user: info.user,
    min_revive_offers_interval: info.minReviveIntervalMs,
    reconciliation_interval: info.reconcileIntervalMs,
    task_launch_timeout: info.launchTimeoutMs,
    webui_url: info.advertiseUrl,
  };
}
