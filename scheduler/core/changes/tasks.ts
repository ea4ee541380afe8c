import type { AppId, SlotId, TaskId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { AppEdit } from './app-edits.ts';
import { nextVersion, stamp } from './app-versions.ts';
import { deploy, lockedBy } from '../deployments/deploy.ts';
import type { ChangeResult } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { stopInstance } from '../slots/kills.ts';

/**
 * Kills tasks; ids that are not known are ignored. Each is replaced in its slot; with `scale` its slot goes instead
 * and the app shrinks by one, which the app's lock may forbid.
 */
export function killTasks(
  frame: FrameBuilder,
  taskIds: readonly TaskId[],
  scale: boolean,
  force: boolean,
): ChangeResult {
  const instances = taskIds.flatMap((id) => frame.world.instances.get(id) ?? []);
  if (!scale) {
    for (const instance of instances) stopInstance(frame, instance);
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
