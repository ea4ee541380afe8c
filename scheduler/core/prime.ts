import type { Instance } from '../../src/model/instance.ts';
import type { FrameBuilder } from './frame.ts';
import { settle } from './settle.ts';

/** Rebuilds what is derived from the records: progress, wanted launches and the times at which to look again. */
export function prime(frame: FrameBuilder): void {
  const { world } = frame;
  world.primed = true;
  for (const [app, versions] of world.versions) {
    world.versions.set(app, new Map([...versions].sort(([a], [b]) => (a < b ? -1 : 1))));
  }
  for (const instance of world.instances.values()) setTimers(frame, instance);
  for (const slot of world.slots.values()) frame.touchSlot(slot.appId, slot.id);
  for (const app of world.apps.keys()) frame.touchApp(app);
  for (const app of world.jobs.keys()) frame.touchApp(app);
  settle(frame);
}

function setTimers(frame: FrameBuilder, { taskId, condition, goal }: Instance): void {
  const { timers } = frame.world;
  if (condition === 'unreachable') timers.set({ kind: 'unreachable', taskId }, frame.now);
  else if (goal === 'stop') timers.set({ kind: 'kill', taskId, attempt: 0 }, frame.now);
  else if (condition !== 'running') timers.set({ kind: 'launch', taskId }, frame.now);
}
