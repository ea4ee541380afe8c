import type { ExecutorInfo, Resource } from '../proto/mesos.gen.ts';
import { reservedRoles, totalAmounts } from '../src/mesos/resources.ts';
import { toMilli } from '../src/model/resources.ts';
import { advertiseUrl, type Config } from './config.ts';
import type { Settings } from './core/world.ts';
import { defaultNetwork } from './driver/configured-networks.ts';
import type { ExecutorBundle } from './driver/executor-bundle.ts';
import { executorInfo } from './driver/mesos/executor-info.ts';
import type { FrameworkOptions } from './driver/mesos/framework-info.ts';
import type { FrameworkId, OfferId } from '../src/model/ids.ts';

/** Time that an executor has to stop its tasks and to clean up, at a shutdown by Mesos. */
const executorShutdownGraceMs = 60_000;

/** Cpus and memory in thousandths. */
export interface ExecutorNeed {
  readonly cpus: number;
  readonly mem: number;
}

/** The core's constants, from the configuration. `takeForExecutor` gives an executor's part of these offers. */
export function coreSettings(
  config: Config,
  bundle: ExecutorBundle,
  frameworkId: FrameworkId,
  takeForExecutor: (need: ExecutorNeed, offers: readonly OfferId[]) => readonly Resource[],
): Settings {
  const executorResources = { cpus: toMilli(config.executorCpus), mem: toMilli(config.executorMem) };
  return {
    role: config.role,
    rules: { forbidden: config.forbid, allowedParameters: new Set(config.allowDockerParameter) },
    maxVersions: config.maxVersions,
    maxRevisions: config.maxRevisions,
    maxRunningDeployments: config.maxRunningDeployments,
    maxEndedDeployments: config.maxEndedDeployments,
    deploymentDeadlineMs: config.deploymentDeadline === 0 ? undefined : config.deploymentDeadline * 1000,
    executorResources,
    placement: config.placement,
    acceptedByDefault: config.acceptedResourceRolesDefaultBehavior,
    launchTokens: config.launchTokens,
    launchTokenIntervalMs: config.launchTokenInterval * 1000,
    maxInstancesPerOffer: config.maxInstancesPerOffer,
    drainingMs: config.drainingSeconds * 1000,
    declineSeconds: config.declineSeconds,
    minReviveIntervalMs: config.minReviveInterval * 1000,
    killRetryMs: config.killRetry * 1000,
    launchTimeoutMs: config.launchTimeout * 1000,
    reconcileIntervalMs: config.reconcileInterval * 1000,
    flipDeadlineMs: config.flipDeadline * 1000,
    unreachableKeepMs: config.unreachableKeep * 1000,
    defaultNetwork: defaultNetwork.name,
    api: { hostname: config.hostname, ports: config.listen.map(({ port }) => port) },
    interconnect: { mode: config.interconnect, encapsulation: config.encapsulation },
    executorBuild: bundle.build,
    buildExecutorInfo: (executorId, offers) =>
      executorInfo(
        {
          frameworkId,
          bundleUrl: `${advertiseUrl(config)}/executor/${bundle.file}`,
          user: config.user,
          resources: takeForExecutor(executorResources, offers),
          shutdownGraceMs: executorShutdownGraceMs,
        },
        executorId,
      ),
    // What is stored is what executorInfo() made.
    isOfOurRole: (info) => isAllocatedTo(config.role, (info as ExecutorInfo).resources ?? []),
    reservedOfExecutor: (info) => reservedScalars((info as ExecutorInfo).resources ?? []),
  };
}

/** Mesos refuses a task whose resources were offered to another role than its executor's. */
const isAllocatedTo = (role: string, resources: readonly Resource[]): boolean =>
  resources.every(({ allocation_info: allocation }) => (allocation?.role ?? role) === role);

function reservedScalars(resources: readonly Resource[]): ExecutorNeed {
  const { cpus, mem } = totalAmounts(resources, reservedRoles(resources)).scalars;
  return { cpus, mem };
}

/** How we introduce ourselves to Mesos, from the configuration. */
export function frameworkOptions(config: Config): FrameworkOptions {
  return {
    user: config.user,
    frameworkName: config.frameworkName,
    role: config.role,
    hostname: config.hostname,
    webUiUrl: config.webuiUrl ?? advertiseUrl(config),
    failoverTimeoutSeconds: config.failoverTimeout,
    ...(config.principal === undefined ? {} : { principal: config.principal }),
  };
}
