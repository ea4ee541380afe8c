import { servicePortsOf } from '../../../src/model/app.ts';
import { instanceIdOf, isoTime } from '../../../src/model/ids.ts';
import type { Condition, Instance, Lease } from '../../../src/model/instance.ts';
import { shownState } from '../../core/fabric/fabric-view.ts';
import type { World } from '../../core/world.ts';

const states: Readonly<Record<Condition, string>> = {
  provisioned: 'TASK_STAGING',
  staging: 'TASK_STAGING',
  starting: 'TASK_STARTING',
  running: 'TASK_RUNNING',
  killing: 'TASK_KILLING',
  unreachable: 'TASK_UNREACHABLE',
  finished: 'TASK_FINISHED',
  failed: 'TASK_FAILED',
  killed: 'TASK_KILLED',
  error: 'TASK_ERROR',
  lost: 'TASK_LOST',
  dropped: 'TASK_DROPPED',
  gone: 'TASK_GONE',
  'gone-by-operator': 'TASK_GONE_BY_OPERATOR',
  unknown: 'TASK_UNKNOWN',
};

/** Mesos's name of a condition, `TASK_RUNNING`. */
export const taskState = (condition: Condition): string => states[condition];

/** A task in Marathon's JSON; `extended`: with its slot under one namespaced key. */
export function presentTask(world: World, instance: Instance, extended: boolean): Record<string, unknown> {
  const lease = world.slots.get(instance.slotId)?.lease;
  return {
    id: instance.taskId,
    appId: instance.appId,
    host: instance.hostname,
    slaveId: instance.agentId,
    state: taskState(instance.condition),
    ports: instance.hostPorts,
    ipAddresses: lease === undefined ? [] : [{ ipAddress: lease.ip, protocol: 'IPv4' }],
    stagedAt: isoTime(instance.stagedAt),
    ...(instance.startedAt === undefined ? {} : { startedAt: isoTime(instance.startedAt) }),
    version: instance.version,
    ...healthResults(instance),
    localVolumes: [],
    ...(instance.region === undefined ? {} : { region: instance.region }),
    ...(instance.zone === undefined ? {} : { zone: instance.zone }),
    role: world.apps.get(instance.appId)?.role ?? '*',
    ...(extended ? { patchpanel: presentPlace(world, instance) } : {}),
  };
}

/** What Marathon does not have: the slot, its address, and which of its incarnations this is. */
function presentPlace(world: World, instance: Instance): Record<string, unknown> {
  const slot = world.slots.get(instance.slotId);
  const lease = slot?.lease;
  return {
    slot: slot?.index ?? null,
    epoch: instance.epoch,
    endpoint: endpointState(world, instance),
    ...(lease === undefined
      ? {}
      : { network: lease.network, ip: lease.ip, mac: lease.mac, hostname: fullName(world, lease) }),
    ...(instance.message === undefined ? {} : { message: instance.message }),
  };
}

/** Marathon's `healthCheckResults`: one for each check that has a result. */
function healthResults({ taskId, checkResults = [] }: Instance): Record<string, unknown> {
  const time = (name: string, ms: number | undefined) => (ms === undefined ? {} : { [name]: isoTime(ms) });
  const results = checkResults
    .filter((result) => result !== null)
    .map(({ alive, consecutiveFailures, firstSuccess, lastSuccess, lastFailure, lastFailureCause }) => ({
      alive,
      consecutiveFailures,
      ...time('firstSuccess', firstSuccess),
      ...time('lastSuccess', lastSuccess),
      ...time('lastFailure', lastFailure),
      ...(lastFailureCause === undefined ? {} : { lastFailureCause }),
      instanceId: instanceIdOf(taskId),
    }));
  return results.length === 0 ? {} : { healthCheckResults: results };
}

/** As presentTask, with the service ports that the task lists of Marathon carry. */
export function presentTaskWithPorts(
  world: World,
  instance: Instance,
  extended: boolean,
): Record<string, unknown> {
  const app = world.apps.get(instance.appId);
  return {
    ...presentTask(world, instance, extended),
    servicePorts: app === undefined ? [] : servicePortsOf(app),
  };
}

/** As views show it: standby, anchored, active or draining. `fenced`: it may still run, but no other host talks to it. */
function endpointState(world: World, instance: Instance): string {
  const slot = world.slots.get(instance.slotId);
  if (slot?.lease === undefined) return 'none';
  return shownState(slot, instance) ?? 'fenced';
}

function fullName(world: World, { hostname, network }: Lease): string {
  const domain = world.networks.get(network)?.domain;
  return domain === undefined ? hostname : `${hostname}.${domain}`;
}
