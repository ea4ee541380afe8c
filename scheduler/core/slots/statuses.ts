import { isSameResponse } from '../../../src/model/health.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { Condition, Instance } from '../../../src/model/instance.ts';
import type { StatusUpdate } from '../events.ts';
import { finishInstance } from './endings.ts';
import type { FrameBuilder } from '../frame.ts';
import { agentSeen, agentUnreachable } from '../fabric/hosts.ts';
import { forgetUnfit } from '../fabric/unfit-hosts.ts';
import { fenceInstance, sendKill } from './kills.ts';
import { launchConfirmed } from '../offers/launch-rate.ts';
import { isDeepEqual } from '../changes/app-versions.ts';
import { publishHealth, publishStatus } from '../fabric/publications.ts';
import { answered, taskUnknown } from './recovery.ts';

/** Mesos repeats what was not acknowledged, so an earlier condition may come after a later one. */
const order: Partial<Record<Condition, number>> = {
  provisioned: 0,
  staging: 1,
  starting: 2,
  running: 3,
  killing: 4,
};

/**
 * Takes in what Mesos says about a task. Anything may be repeated, late or about a task that is not known; each is
 * acknowledged in this frame, after its writes.
 */
export function applyStatus(frame: FrameBuilder, status: StatusUpdate): void {
  const instance = frame.world.instances.get(status.taskId);
  if (instance === undefined) applyUnknown(frame, status);
  else applyKnown(frame, instance, status);
  const agentId = status.agentId ?? instance?.agentId;
  if (status.uuid !== undefined && agentId !== undefined) {
    frame.emit({ kind: 'acknowledge', taskId: status.taskId, agentId, uuid: status.uuid });
  }
}

/** A task that is not in the books must not run: killed, each time that it is heard of. */
function applyUnknown(frame: FrameBuilder, status: StatusUpdate): void {
  const { condition, taskId, agentId } = status;
  if (isTerminal(condition) || condition === 'unreachable' || condition === 'unknown') return;
  if (agentId === undefined) return;
  frame.emit({ kind: 'kill', taskId, agentId });
  frame.publish('unknown_instance_terminated_event', { instanceId: taskId, condition, agentId });
}

function applyKnown(frame: FrameBuilder, instance: Instance, status: StatusUpdate): void {
  const { condition } = status;
  answered(frame, instance.taskId);
  if (condition === 'unknown') return taskUnknown(frame, instance);
  frame.world.unknownSince.delete(instance.taskId);
  if (condition === 'unreachable') return becomeUnreachable(frame, instance, status);
  if (isTerminal(condition)) return finishInstance(frame, instance, status);
  agentSeen(frame, instance.agentId);
  becomeLive(frame, instance, status);
}

function becomeUnreachable(frame: FrameBuilder, instance: Instance, status: StatusUpdate): void {
  agentUnreachable(frame, instance.agentId);
  if (instance.condition === 'unreachable') return;
  const lost = withStatus(frame, instance, status);
  frame.putInstance(lost);
  frame.world.timers.cancel({ kind: 'kill', taskId: lost.taskId });
  publishStatus(frame, lost);
  // The slot went on without it already (a flip): its address must not come back with it.
  const active = frame.world.slots.get(lost.slotId)?.activeEpoch ?? 0;
  if (lost.epoch < active) fenceInstance(frame, lost);
  const strategy = frame.world.apps.get(lost.appId)?.unreachableStrategy ?? 'disabled';
  const waitMs =
    strategy === 'disabled' ? frame.settings.unreachableKeepMs : strategy.inactiveAfterSeconds * 1000;
  frame.world.timers.set({ kind: 'unreachable', taskId: lost.taskId }, frame.now + waitMs);
}

function becomeLive(frame: FrameBuilder, instance: Instance, status: StatusUpdate): void {
  const returned = instance.condition === 'unreachable';
  const stale = !returned && (order[status.condition] ?? 0) < (order[instance.condition] ?? 0);
  const changed =
    !stale &&
    (status.condition !== instance.condition ||
      changesHealth(instance, status) ||
      (status.message !== undefined &&
        status.message !== '' &&
        status.message !== instance.message &&
        status.reason !== 'REASON_RECONCILIATION'));
  if (!changed) return;
  const live = withStatus(frame, instance, status);
  frame.putInstance(live);
  if (live.condition === 'running') {
    frame.world.timers.cancel({ kind: 'launch', taskId: live.taskId });
    if (instance.startedAt === undefined) {
      launchConfirmed(frame);
      forgetUnfit(frame, live.agentId);
    }
  }
  if (returned) {
    frame.world.timers.cancel({ kind: 'unreachable', taskId: live.taskId });
    if (live.goal === 'stop') sendKill(frame, live, 0);
    else if (live.condition !== 'running')
      frame.world.timers.set(
        { kind: 'launch', taskId: live.taskId },
        frame.now + frame.settings.launchTimeoutMs,
      );
  }
  publishStatus(frame, live, status, live.condition !== instance.condition);
  publishHealth(frame, instance, live);
}

/** Only the executor knows the results; what the master remembers of them may be older than what is stored. */
const tellsHealth = (status: StatusUpdate): boolean => status.reason !== 'REASON_RECONCILIATION';

const changesHealth = (instance: Instance, status: StatusUpdate): boolean =>
  tellsHealth(status) &&
  ((status.healthy !== undefined && status.healthy !== instance.healthy) ||
    (status.ready === true && instance.ready === false) ||
    (bringsResponse(instance, status) && !isSameResponse(status.lastResponse, instance.lastResponse)) ||
    (status.checkResults !== undefined && !isDeepEqual(status.checkResults, instance.checkResults)));

/** Once it is ready its executor asks no more: what comes then was said before. */
const bringsResponse = (instance: Instance, status: StatusUpdate): boolean =>
  status.lastResponse !== undefined && instance.ready === false;

/** The instance with what a status says. The time of the condition moves only with the condition. */
function withStatus(frame: FrameBuilder, instance: Instance, status: StatusUpdate): Instance {
  const { reason: _reason, ...rest } = instance;
  const startedAt = instance.startedAt ?? (status.condition === 'running' ? frame.now : undefined);
  return {
    ...rest,
    condition: status.condition,
    since: status.condition === instance.condition ? instance.since : frame.now,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(status.healthy === undefined || !tellsHealth(status) ? {} : { healthy: status.healthy }),
    ...(status.checkResults === undefined ? {} : { checkResults: status.checkResults }),
    ...(status.ready === true ? { ready: true } : {}),
    ...(bringsResponse(instance, status) ? { lastResponse: status.lastResponse } : {}),
    ...(status.message === undefined || status.reason === 'REASON_RECONCILIATION'
      ? {}
      : { message: status.message }),
    ...(status.reason === undefined ? {} : { reason: status.reason }),
  };
}
