import type { AppId, SlotId, TaskId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { AppEdit } from './app-edits.ts';
import { nextVersion, stamp } from './app-versions.ts';
import { deploy, lockedBy } from '../deployments/deploy.ts';
import type { Change, ChangeResult } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { finishInstance } from '../slots/endings.ts';
import { stopInstance } from '../slots/kills.ts';

/**
 * Kills tasks; ids that are not known are ignored. Each is replaced in its slot, with `wipe` also one that cannot be
 * reached; with `scale` its slot goes instead and the app shrinks by one, which the app's lock may forbid.
 */
export function killTasks(
  frame: FrameBuilder,
  change: Extract<Change, { kind: 'kill-tasks' }>,
): ChangeResult {
  const { taskIds, scale, wipe = false, force } = change;
  const instances = taskIds.flatMap((id) => frame.world.instances.get(id) ?? []);
  if (!scale) {
    for (const instance of instances) {
      if (wipe && instance.condition === 'unreachable') giveUp(frame, instance);
      else stopInstance(frame, instance);
    }
    return { kind: 'accepted' };
  }
  const slotsOfApp = slotsByApp(frame, instances);
  const apps = [...slotsOfApp.keys()];
  const locked = force ? undefined : lockedBy(frame.world, apps);
  if (locked !== undefined) return locked;
  const version = nextVersion(frame.world, frame.now);
  const edited = [...slotsOfApp].flatMap(([appId, retire]): AppEdit[] => {
    const before = frame.world.apps.get(appId);
    if (before === undefined) return [];
    const smaller = { ...before, instances: Math.max(0, before.instances - retire.size) };
    return [{ appId, before, after: stamp(before, smaller, version), retire }];
  });
  const result = deploy(frame, { apps: edited, version, force });
  // Also when the deployment waits for another step first: a person asked for these to end.
  if (result.kind === 'accepted') for (const { taskId } of instances) stopCurrent(frame, taskId);
  return result;
}

/**
 * Its slot goes on without it at once, whatever the app's strategy is. It is in no view, being unreachable, and out of
 * the books it comes into none again: on its return it is killed as a task that nobody knows.
 */
function giveUp(frame: FrameBuilder, instance: Instance): void {
  const ending = { condition: 'lost', message: 'unreachable, and given up on request' } as const;
  finishInstance(frame, { ...instance, goal: 'stop' }, ending);
}

function stopCurrent(frame: FrameBuilder, taskId: TaskId): void {
  const instance = frame.world.instances.get(taskId);
  if (instance !== undefined) stopInstance(frame, instance);
}

/** The slots in service that the instances occupy. */
function slotsByApp(frame: FrameBuilder, instances: readonly Instance[]): Map<AppId, Set<SlotId>> {
  const slots = new Map<AppId, Set<SlotId>>();
  for (const { appId, slotId } of instances) {
    const slot = frame.world.slots.get(slotId);
    if (slot === undefined || slot.quarantinedUntil !== undefined) continue;
    slots.set(appId, (slots.get(appId) ?? new Set<SlotId>()).add(slotId));
  }
  return slots;
}
