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
