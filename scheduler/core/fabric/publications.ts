import type { App } from '../../../src/model/app.ts';
import { instanceIdOf, type AppId } from '../../../src/model/ids.ts';
import type { Condition, Instance } from '../../../src/model/instance.ts';
import { isDeepEqual, launchedFrom } from '../changes/app-versions.ts';
import type { StatusSource } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';

/** Mesos's name of a condition, `TASK_RUNNING`. */
export const taskStateOf = (condition: Condition): string =>
  condition === 'provisioned' ? 'TASK_STAGING' : `TASK_${condition.toUpperCase().replaceAll('-', '_')}`;

/**
 * Tells observers what is new about a task: Marathon's `status_update_event` with Mesos's reason and source, and
 * `instance_changed_event` unless the condition is the old one.
 */
export function publishStatus(
  frame: FrameBuilder,
  instance: Instance,
  status: {
    readonly message?: string;
    readonly reason?: string;
    readonly source?: StatusSource;
  } = instance,
  isNewCondition = true,
): void {
  frame.publish('status_update_event', {
    slaveId: instance.agentId,
    taskId: instance.taskId,
    taskStatus: taskStateOf(instance.condition),
    message: status.message ?? '',
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    ...(status.source === undefined ? {} : { source: status.source }),
    appId: instance.appId,
    slot: instance.slotId,
    host: instance.hostname,
    ipAddresses: instance.lease === undefined ? [] : [{ ipAddress: instance.lease.ip, protocol: 'IPv4' }],
    ports: instance.hostPorts,
    version: instance.version,
  });
  if (!isNewCondition) return;
  frame.publish('instance_changed_event', {
    instanceId: instanceIdOf(instance.taskId),
    condition: instance.condition,
    runSpecId: instance.appId,
    agentId: instance.agentId,
    host: instance.hostname,
    runSpecVersion: instance.version,
  });
}

/** Tells observers what a new definition changes about an app's health checks: Marathon's two events. */
export function publishHealthChecks(
  frame: FrameBuilder,
  appId: AppId,
  before: App | undefined,
  after: App | undefined,
): void {
  if (isDeepEqual(before?.healthChecks ?? [], after?.healthChecks ?? [])) return;
  before?.healthChecks.forEach(() => frame.publish('remove_health_check_event', { appId }));
  for (const healthCheck of after?.healthChecks ?? []) {
    frame.publish('add_health_check_event', { appId, version: after?.version, healthCheck });
  }
}

/**
 * Tells observers what an update changed about an instance's health: Marathon's three events. A check that failed is the one that
 * the instance was launched with, which the app may have changed since; it is left out where that is not kept any more.
 */
export function publishHealth(frame: FrameBuilder, before: Instance, after: Instance): void {
  const instanceId = instanceIdOf(after.taskId);
  const { appId, version, healthy } = after;
  const checks = launchedFrom(frame.world, after)?.healthChecks ?? [];
  for (const [index, result] of (after.checkResults ?? []).entries()) {
    const failures = before.checkResults?.[index]?.consecutiveFailures ?? 0;
    if (result === null || result.consecutiveFailures <= failures) continue;
    const healthCheck = checks[index];
    frame.publish('failed_health_check_event', {
      appId,
      taskId: instanceId,
      ...(healthCheck === undefined ? {} : { healthCheck }),
    });
  }
  if (healthy === before.healthy || healthy === undefined) return;
  frame.publish('health_status_changed_event', { appId, instanceId, version, alive: healthy });
  frame.publish('instance_health_changed_event', {
    instanceId,
    runSpecId: appId,
    runSpecVersion: version,
    healthy,
  });
}

/** Tells observers that an instance is ended for its bad health. */
export function publishHealthKill(frame: FrameBuilder, instance: Instance, reason: string): void {
  const instanceId = instanceIdOf(instance.taskId);
  frame.publish('unhealthy_instance_kill_event', {
    appId: instance.appId,
    taskId: instance.taskId,
    instanceId,
    version: instance.version,
    reason,
    host: instance.hostname,
    slaveId: instance.agentId,
  });
}

/** Tells observers that a request made, changed or removed an app. */
export function publishPost(frame: FrameBuilder, app: App): void {
  const { clientIp = '', uri = `/v2/apps${app.id}` } = frame.request.origin ?? {};
  frame.publish('api_post_event', { clientIp, uri, app });
}
