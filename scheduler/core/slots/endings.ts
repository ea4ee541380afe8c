import type { App } from '../../../src/model/app.ts';
import type { Condition, Instance } from '../../../src/model/instance.ts';
import { countFailure } from '../offers/backoff.ts';
import type { Failure } from '../offers/backoff.ts';
import type { StatusSource } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { hostUnfit } from '../fabric/unfit-hosts.ts';
import { publishStatus } from '../fabric/publications.ts';
import { noteLastFailure } from './last-failure.ts';
import { quarantineEnd } from './slot-table.ts';

/** How a task ended. */
export interface Ending {
  readonly condition: Condition;
  readonly source?: StatusSource;
  readonly reason?: string;
  readonly message?: string;
  /** The executor refused the task because it cannot serve its host. */
  readonly hostUnfit?: true;
}

/**
 * Reasons of master and agent that say that the executor is not there any more: the next task needs one with a new
 * id. From the executor itself they are about the task's own container, and it lives on.
 */
const executorIsGone: ReadonlySet<string> = new Set([
  'REASON_EXECUTOR_TERMINATED',
  'REASON_EXECUTOR_REGISTRATION_TIMEOUT',
  'REASON_EXECUTOR_REREGISTRATION_TIMEOUT',
  'REASON_CONTAINER_LAUNCH_FAILED',
  'REASON_CONTAINER_LIMITATION',
  'REASON_CONTAINER_LIMITATION_MEMORY',
  'REASON_CONTAINER_LIMITATION_DISK',
  'REASON_CONTAINER_UPDATE_FAILED',
  'REASON_CONTAINER_PREEMPTED',
]);

/**
 * Whether Mesos refused a task for its executor: it knows another one by that id. It would refuse all that follow, too,
 * and tells the cause by its words alone.
 */
const blamesExecutor = ({ reason, message = '' }: Ending): boolean =>
  reason === 'REASON_TASK_INVALID' && message.includes('ExecutorInfo');

/**
 * An instance has ended: its record goes, its failure counts against the app, and the slot is looked at again. What
 * comes about the task later finds no record and is handled as unknown.
 */
export function finishInstance(frame: FrameBuilder, instance: Instance, ending: Ending): void {
  const { world } = frame;
  frame.deleteInstance(instance);
  for (const kind of ['launch', 'kill', 'unreachable', 'unknown'] as const) {
    world.timers.cancel({ kind, taskId: instance.taskId });
  }
  world.reconciling.delete(instance.taskId);
  world.unknownSince.delete(instance.taskId);
  forgetExecutor(frame, instance, ending);
  extendQuarantine(frame, instance);
  if (ending.hostUnfit === true) hostUnfit(frame, instance, ending.message ?? '');
  const app = world.apps.get(instance.appId);
  if (app !== undefined) noteFailure(frame, app, instance, ending);
  publishStatus(frame, { ...instance, condition: ending.condition }, ending);
}

function forgetExecutor(frame: FrameBuilder, instance: Instance, ending: Ending): void {
  const { reason, source } = ending;
  const record = frame.world.executors.get(instance.agentId);
  if (reason === 'REASON_AGENT_DRAINING') endDrained(frame, instance);
  if (source === 'executor' || reason === undefined) return;
  if (!executorIsGone.has(reason) && !blamesExecutor(ending)) return;
  if (record?.executorId === instance.executorId) frame.deleteExecutor(instance.agentId);
}

/**
 * An agent that drains is done only when no executor is left on it, and until then refuses every launch, also after
 * it was taken back into service: the last task takes the executor along.
 */
function endDrained(frame: FrameBuilder, { agentId, executorId }: Instance): void {
  for (const taskId of frame.world.instancesOfAgent.get(agentId) ?? []) {
    if (frame.world.instances.get(taskId)?.executorId === executorId) return;
  }
  if (frame.world.executors.get(agentId)?.executorId === executorId) frame.deleteExecutor(agentId);
  frame.emit({ kind: 'shutdown-executor', executorId, agentId });
}

/** The address of a slot that was scaled away is kept from others from the end of the last one that used it. */
function extendQuarantine(frame: FrameBuilder, { slotId }: Instance): void {
  const slot = frame.world.slots.get(slotId);
  if (slot?.quarantinedUntil === undefined || frame.world.instancesOfSlot.has(slotId)) return;
  frame.putSlot({ ...slot, quarantinedUntil: quarantineEnd(frame.world, slot, frame.now) });
}

function noteFailure(frame: FrameBuilder, app: App, instance: Instance, ending: Ending): void {
  const failure = failureOf(instance, ending);
  if (failure === undefined) return;
  // A host that is unfit is left out for a while: the app need not wait, too.
  if (ending.hostUnfit !== true) countFailure(frame, app, instance.configVersion, failure);
  if (ending.condition === 'finished') return;
  noteLastFailure(frame, instance, ending.condition, ending.message ?? ending.reason ?? '');
}

/** How an ending counts against the app's launch delay; undefined: not at all. */
function failureOf(instance: Instance, ending: Ending): Failure | undefined {
  const { condition, reason } = ending;
  if (instance.goal === 'stop' || reason === 'REASON_AGENT_DRAINING') return undefined;
  switch (condition) {
    case 'finished':
    case 'failed':
    case 'gone':
    case 'lost':
      // Never started, as far as anybody knows: nothing that the app did.
      return instance.condition === 'provisioned' && condition !== 'failed' ? 'dropped' : 'ended';
    case 'error':
      return blamesExecutor(ending) ? 'dropped' : 'invalid-task';
    case 'dropped':
      return 'dropped';
    case 'killed':
    case 'gone-by-operator':
    case 'provisioned':
    case 'staging':
    case 'starting':
    case 'running':
    case 'killing':
    case 'unreachable':
    case 'unknown':
      return undefined;
  }
}
