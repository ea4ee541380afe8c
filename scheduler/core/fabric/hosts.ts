import type { HostFacts, HostRecord } from '../../../src/model/host.ts';
import type { AgentId, TaskId } from '../../../src/model/ids.ts';
import { askFor } from '../slots/asking.ts';
import { isDeepEqual } from '../changes/app-versions.ts';
import type { FrameBuilder } from '../frame.ts';
import type { World } from '../world.ts';
import { isReserved, reservedOn } from './reservations.ts';

/** How long a host that nothing needs is remembered after it was last heard of. */
const rememberedMs = 7 * 86_400_000;

/** How often it is stored that a host is still there. */
const seenStoredMs = 86_400_000;

/** An executor told of its host: it is there, and what it said is stored if it is new. */
export function hostFacts(frame: FrameBuilder, facts: HostFacts): void {
  const known = frame.world.hosts.get(facts.agentId);
  if (known?.reachable === true && isDeepEqual(known.facts, facts)) return hostSeen(frame, known);
  if (known?.reachable === false) askForLost(frame, facts.agentId);
  frame.putHost({ facts, reachable: true, seenAt: frame.now });
  // Offers of a host that is well again were declined for long.
  if (known?.facts.selfTest?.passed === false && facts.selfTest?.passed !== false) frame.newWork = true;
  touchEndpoints(frame, facts.agentId);
}

/** How long a host that failed its self-test is not tried by a new executor, after the last one has gone. */
const brokenKeptMs = 600_000;

/**
 * Whether nothing that needs the switch is to be placed on the host: its executor found that it does not carry traffic.
 * Without an executor nobody tests it: after a while a task may go there and bring one along.
 */
export function isBroken({ world, now }: FrameBuilder, agentId: AgentId): boolean {
  const host = world.hosts.get(agentId);
  if (host?.facts.selfTest?.passed !== false) return false;
  return world.executors.has(agentId) || now - host.seenAt < brokenKeptMs;
}

/**
 * Mesos spoke of the agent as one that is there. When it was away, each task that was lost with it is asked for: of one
 * whose launch never reached the agent nobody would speak by himself.
 */
export function agentSeen(frame: FrameBuilder, agentId: AgentId): void {
  if (frame.world.hosts.get(agentId)?.reachable !== true) askForLost(frame, agentId);
  setReachable(frame, agentId, true);
}

/**
 * These hosts read their views. Of the others those are forgotten that have been gone for long and that nothing needs:
 * most agents that come back do so under a new id. The executor goes from the books with its host, so that one that is
 * launched there later tells everything anew. One that spoke since the list was made has just been seen.
 */
export function hostsConnected(frame: FrameBuilder, agentIds: readonly AgentId[]): void {
  const { world, now } = frame;
  const connected = new Set(agentIds);
  for (const host of world.hosts.values()) {
    if (connected.has(host.facts.agentId)) hostSeen(frame, host);
    else if (now - host.seenAt >= rememberedMs && !isNeeded(world, host)) {
      forgetHost(frame, host.facts.agentId);
    }
  }
}

function hostSeen(frame: FrameBuilder, host: HostRecord): void {
  if (frame.now - host.seenAt >= seenStoredMs) frame.putHost({ ...host, seenAt: frame.now });
}

function forgetHost(frame: FrameBuilder, agentId: AgentId): void {
  const executor = frame.world.executors.get(agentId);
  if (executor !== undefined) {
    frame.deleteExecutor(agentId);
    frame.emit({ kind: 'shutdown-executor', executorId: executor.executorId, agentId });
  }
  frame.deleteHost(agentId);
  frame.networksChanged();
}

/** Whether networks have to reach the host: Mesos has it, or something of ours is on it. */
export const isPresent = (world: World, host: HostRecord): boolean => host.reachable || isNeeded(world, host);

const isNeeded = (world: World, host: HostRecord): boolean =>
  world.instancesOfAgent.has(host.facts.agentId) || isReserved(world, host);

/** Mesos counts the agent as unreachable: its endpoints leave every view. */
export function agentUnreachable(frame: FrameBuilder, agentId: AgentId): void {
  setReachable(frame, agentId, false);
}

function askForLost(frame: FrameBuilder, agentId: AgentId): void {
  const lost = frame.world.unreachableOfAgent.get(agentId) ?? new Set<TaskId>();
  askFor(
    frame,
    [...lost].flatMap((id) => frame.world.instances.get(id) ?? []),
    0,
  );
}

function setReachable(frame: FrameBuilder, agentId: AgentId, reachable: boolean): void {
  const host = frame.world.hosts.get(agentId);
  if (host === undefined || host.reachable === reachable) return;
  frame.putHost({ ...host, reachable, seenAt: reachable ? frame.now : host.seenAt });
  touchEndpoints(frame, agentId);
}

function touchEndpoints(frame: FrameBuilder, agentId: AgentId): void {
  frame.networksChanged();
  for (const slot of reservedOn(frame.world, agentId)) frame.fabricChanged(slot);
  for (const taskId of frame.world.instancesOfAgent.get(agentId) ?? []) {
    const instance = frame.world.instances.get(taskId);
    if (instance !== undefined) frame.fabricChanged(instance.slotId);
  }
}
