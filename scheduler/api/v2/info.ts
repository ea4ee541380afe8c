import type { FastifyInstance } from 'fastify';
import type { ApiDeps, ApiInfo } from '../deps.ts';
import { answerTimeoutMs } from '../standby/forward.ts';
import { abdicateRoute, leaderRoute, pingRoute } from './leader.ts';
import { firstServicePort, lastServicePort } from './service-ports.ts';

/** `/ping`, `/v2/info` and `/v2/leader` (Marathon v2). */
export function infoRoutes(server: FastifyInstance, deps: ApiDeps): void {
  const leader = new URL(deps.info.advertiseUrl).host;
  pingRoute(server);
  leaderRoute(server, { leader: () => leader });
  abdicateRoute(server, deps.abdicate);

  server.get('/v2/info', () => ({
    // What clients know this API by; what we call ourselves is `framework_name`.
    name: 'marathon',
    version: deps.info.version,
    buildref: deps.info.build,
    elected: true,
    leader,
    frameworkId: deps.world().frameworkId,
    marathon_config: presentConfig(deps),
    zookeeper_config: presentZooKeeper(deps.info),
    http_config: { http_port: deps.info.httpPort ?? null, https_port: deps.info.httpsPort ?? null },
  }));
}

/** Marathon's settings, times in milliseconds; null: there is nothing of the kind here. */
function presentConfig({ info, allowedOrigins, abdicate }: ApiDeps): Record<string, unknown> {
  return {
    access_control_allow_origin: allowedOrigins.length === 0 ? null : allowedOrigins,
    checkpoint: true,
    decline_offer_duration: info.declineOfferMs,
    default_network_name: info.defaultNetwork,
    env_vars_prefix: info.envVarsPrefix === '' ? null : info.envVarsPrefix,
    executor: '',
    failover_timeout: info.failoverTimeoutSeconds,
    features: ['secrets'],
    framework_name: info.frameworkName,
    ha: abdicate !== undefined,
    hostname: info.hostname,
    launch_token: info.launchTokens,
    launch_token_refresh_interval: info.launchTokenIntervalMs,
    leader_proxy_connection_timeout_ms: answerTimeoutMs,
    leader_proxy_read_timeout_ms: answerTimeoutMs,
    local_port_min: firstServicePort,
    local_port_max: lastServicePort,
    maintenance_mode: true,
    master: info.master,
    max_instances_per_offer: info.maxInstancesPerOffer,
    mesos_bridge_name: null,
    mesos_heartbeat_failure_threshold: null,
    mesos_heartbeat_interval: null,
    mesos_leader_ui_url: null,
    mesos_role: info.role,
    mesos_user: info.user,
    min_revive_offers_interval: info.minReviveIntervalMs,
    new_group_enforce_role: 'off',
    offer_matching_timeout: null,
    on_elected_prepare_timeout: null,
    reconciliation_initial_delay: 0,
    reconciliation_interval: info.reconcileIntervalMs,
    scale_apps_initial_delay: null,
    scale_apps_interval: null,
    store_cache: true,
    task_launch_confirm_timeout: info.launchTimeoutMs,
    task_launch_timeout: info.launchTimeoutMs,
    task_lost_expunge_initial_delay: null,
    task_lost_expunge_interval: null,
    task_reservation_timeout: null,
    webui_url: info.advertiseUrl,
  };
}

/** Where there is no ZooKeeper it has no settings. */
function presentZooKeeper({ zk, zkSessionTimeoutMs, maxVersions }: ApiInfo): Record<string, unknown> {
  const timeout = zk === undefined ? null : zkSessionTimeoutMs;
  return {
    zk: zk ?? null,
    zk_compression: false,
    zk_compression_threshold: null,
    zk_connection_timeout: timeout,
    zk_max_node_size: null,
    zk_max_versions: maxVersions,
    zk_session_timeout: timeout,
    zk_timeout: timeout,
  };
}
