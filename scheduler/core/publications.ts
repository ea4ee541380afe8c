import { instanceIdOf } from '../../src/model/ids.ts';
import type { Condition, Instance } from '../../src/model/instance.ts';
import type { FrameBuilder } from './frame.ts';

/** Mesos's name of a condition, `TASK_RUNNING`. */
export const taskStateOf = (condition: Condition): string =>
  condition === 'provisioned' ? 'TASK_STAGING' : `TASK_${condition.toUpperCase().replaceAll('-', '_')}`;

/** Tells observers that a task's state changed: Marathon's `status_update_event` with Mesos's reason. */
export function publishStatus(
  frame: FrameBuilder,
  instance: Instance,
  status: { readonly message?: string; readonly reason?: string } = instance,
): void {
  frame.publish('status_update_event', {
    slaveId: instance.agentId,
    taskId: instance.taskId,
    taskStatus: taskStateOf(instance.condition),
    message: status.message ?? '',
    ...(status.reason === undefined ? {} : { reason: status.reason }),
    appId: instance.appId,
    slot: instance.slotId,
    host: instance.hostname,
    ipAddresses: instance.lease === undefined ? [] : [{ ipAddress: instance.lease.ip, protocol: 'IPv4' }],
    ports: instance.hostPorts,
    version: instance.version,
  });
}

/** Tells observers what an update changed about an instance's health: Marathon's three events. */
export function publishHealth(frame: FrameBuilder, before: Instance, after: Instance): void {
  const instanceId = instanceIdOf(after.taskId);
  const { appId, version, healthy } = after;
  const checks = frame.world.apps.get(appId)?.healthChecks ?? [];
  for (const [index, result] of (after.checkResults ?? []).entries()) {
    const failures = before.checkResults?.[index]?.consecutiveFailures ?? 0;
    if (result === null || result.consecutiveFailures <= failures) continue;
    frame.publish('failed_health_check_event', { appId, taskId: instanceId, healthCheck: checks[index] });
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
