import type { EndedDeployment } from '../../src/model/deployment.ts';
import type { AppVersion, DeploymentId } from '../../src/model/ids.ts';
import type { Instance } from '../../src/model/instance.ts';
import { watchDeadline } from './deployments/deployments.ts';
import type { FrameBuilder } from './frame.ts';
import { settle } from './settle.ts';

/** Rebuilds what is derived from the records: progress, wanted launches and the times at which to look again. */
export function prime(frame: FrameBuilder): void {
  const { world } = frame;
  world.primed = true;
  for (const versions of world.versions.values()) sortByVersion(versions);
  sortByVersion(world.revisions);
  sortByEnd(world.endedDeployments);
  for (const deployment of world.deployments.values()) watchDeadline(frame, deployment);
  for (const instance of world.instances.values()) setTimers(frame, instance);
  for (const slot of world.slots.values()) frame.touchSlot(slot.appId, slot.id);
  for (const app of world.apps.keys()) frame.touchApp(app);
  for (const app of world.jobs.keys()) frame.touchApp(app);
  settle(frame);
}

function sortByVersion<T>(versions: Map<AppVersion, T>): void {
  const sorted = [...versions].sort(([a], [b]) => (a < b ? -1 : 1));
  versions.clear();
  for (const [version, value] of sorted) versions.set(version, value);
}

function sortByEnd(ended: Map<DeploymentId, EndedDeployment>): void {
  const sorted = [...ended.values()].sort((one, other) => one.endedAt - other.endedAt);
  ended.clear();
  for (const deployment of sorted) ended.set(deployment.id, deployment);
}

function setTimers(frame: FrameBuilder, { taskId, condition, goal }: Instance): void {
  const { timers } = frame.world;
  if (condition === 'unreachable') timers.set({ kind: 'unreachable', taskId }, frame.now);
  else if (goal === 'stop') timers.set({ kind: 'kill', taskId, attempt: 0 }, frame.now);
  else if (condition !== 'running') timers.set({ kind: 'launch', taskId }, frame.now);
}
