import type { TaskSpec } from '../../../src/model/task-spec.ts';
import { switchNetworkSpec } from '../../../src/fabric/network-spec.ts';
import { serviceAddress } from '../../../src/fabric/gateways.ts';
import { containerHostname } from '../../../src/fabric/names.ts';
import type { ViewNetwork } from '../../../src/fabric/view.ts';
import type { App } from '../../../src/model/app.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import type { Launch } from '../../core/effects.ts';
import { taskSecrets, type SecretReader } from './task-secrets.ts';
import { checkSpecs, readinessSpec } from './check-specs.ts';
import { taskEnvironment } from '../../core/offers/task-env.ts';

/** How an executor gets to the scheduler. */
export interface SchedulerReach {
  readonly url: string;
  /** By which the executor on this agent shows whose it is. */
  readonly tokenOf: (host: AgentId) => string;
  /** PEM of the authority to trust, where it is not one that everybody trusts. */
  readonly authority: string | undefined;
}

/** What tasks get besides what their apps say. */
export interface TaskSurroundings {
  readonly secrets: SecretReader;
  /** Goes before the names of host and ports in the environment. */
  readonly envVarsPrefix: string;
}

/** Mesos's own default for a task that says nothing. */
const defaultKillGraceMs = 3_000;

/** How long the task may take to end after SIGTERM, milliseconds. */
const killGraceMs = ({ app }: Launch): number =>
  app.taskKillGracePeriodSeconds === undefined
    ? defaultKillGraceMs
    : Math.round(app.taskKillGracePeriodSeconds * 1000);

/**
 * What the executor gets to run a launch. `network` is the lease's; undefined for apps on the host's network.
 * @throws PatchpanelError `invalid` when a slot with a lease comes without its network
 */
export function taskSpec(
  launch: Launch,
  network: ViewNetwork | undefined,
  reach: SchedulerReach,
  { secrets, envVarsPrefix }: TaskSurroundings,
): TaskSpec {
  const { app, instance, slot } = launch;
  const { env, ...secret } = taskSecrets(app, secrets);
  return {
    schema: 1,
    taskId: instance.taskId,
    appId: app.id,
    slot: slot.id,
    slotIndex: slot.index,
    epoch: instance.epoch,
    appVersion: app.version,
    image: app.container.image,
    forcePullImage: app.container.forcePullImage,
    privileged: app.container.privileged,
    parameters: app.container.parameters.map(({ key, value }) => ({ key, value })),
    ...(app.cmd === undefined ? {} : { cmd: app.cmd }),
    args: [...app.args],
    ...(app.user === undefined ? {} : { user: app.user }),
    env: { ...taskEnvironment(app, instance, slot, network?.domain, envVarsPrefix), ...env },
    ...secret,
    fetch: app.fetch.map((item) => ({ ...item })),
    tty: app.tty ?? false,
    limits: limitsOf(app),
    labels: { ...app.labels },
    volumes: app.container.volumes.flatMap((volume) => ('hostPath' in volume ? [{ ...volume }] : [])),
    cpus: app.cpus,
    memMib: app.mem,
    killGraceMs: killGraceMs(launch),
    healthChecks: checkSpecs(app, instance),
    ...readinessSpec(app, instance),
    network: networkSpec(launch, network),
    schedulerUrl: reach.url,
    schedulerAccess: {
      token: reach.tokenOf(instance.agentId),
      ...(reach.authority === undefined ? {} : { authority: reach.authority }),
    },
  };
}

function limitsOf({ resourceLimits: { cpus, mem } = {} }: App): TaskSpec['limits'] {
  return {
    ...(cpus === undefined || cpus === 'unlimited' ? {} : { cpus }),
    ...(mem === undefined ? {} : { memMib: mem }),
  };
}

function networkSpec({ slot }: Launch, network: ViewNetwork | undefined): TaskSpec['network'] {
  if (slot.lease === undefined) return { mode: 'host' };
  if (network === undefined) {
    throw new PatchpanelError('invalid', `the network ${slot.lease.network} of ${slot.id} does not exist`);
  }
  const { ip, mac } = slot.lease;
  const hostname = containerHostname(slot.appId, slot.index);
  return switchNetworkSpec({ ip, mac, hostname }, network, [serviceAddress(network)]);
}
