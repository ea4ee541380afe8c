import type { AgentId } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { FrameBuilder } from '../frame.ts';

/** How long nothing is launched on a host after its executor said that it cannot serve it; each time twice as long. */
const firstPauseMs = 30_000;
const longestPauseMs = 600_000;

/**
 * The executor of the instance's host refused it because it cannot serve the host (Docker or the switch is down). Such
 * a host looks like the best one, empty and unused, so it would get every launch: it is left out for a while, longer
 * each time until a task runs there.
 */
export function hostUnfit(frame: FrameBuilder, { agentId, hostname }: Instance, problem: string): void {
  const { world, now } = frame;
  const known = world.unfitHosts.get(agentId);
  // What was launched together is refused together.
  if (known !== undefined && now < known.until) return;
  const pauseMs = known === undefined ? firstPauseMs : Math.min(known.pauseMs * 2, longestPauseMs);
  const until = now + pauseMs;
  world.unfitHosts.set(agentId, { agentId, hostname, problem, since: known?.since ?? now, pauseMs, until });
  world.timers.set({ kind: 'unfit', agentId }, until);
}

/** Whether nothing is to be launched on the agent for now. */
export function isUnfit({ world, now }: FrameBuilder, agentId: AgentId): boolean {
  const unfit = world.unfitHosts.get(agentId);
  return unfit !== undefined && now < unfit.until;
}

/** A task runs on the agent, or the agent is gone: what was said of it does not hold any more. */
export function forgetUnfit(frame: FrameBuilder, agentId: AgentId): void {
  if (!frame.world.unfitHosts.delete(agentId)) return;
  frame.world.timers.cancel({ kind: 'unfit', agentId });
  frame.newWork = true;
}

/** The host may be tried again. One that nothing was launched on for long after that is forgotten. */
export function unfitDue(frame: FrameBuilder, agentId: AgentId): void {
  const unfit = frame.world.unfitHosts.get(agentId);
  if (unfit === undefined) return;
  const forgetAt = unfit.until + longestPauseMs;
  if (frame.now >= forgetAt) return forgetUnfit(frame, agentId);
  frame.world.timers.set({ kind: 'unfit', agentId }, forgetAt);
  // Its offers were declined for long.
  frame.newWork = true;
}
