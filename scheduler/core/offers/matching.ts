import type { AppId } from '../../../src/model/ids.ts';
import { AppMatcher } from './app-matcher.ts';
import { launchableFrom } from './backoff.ts';
import type { Offer } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import { agentSeen } from '../fabric/hosts.ts';
import { countLaunches, launchAllowance } from './launch-rate.ts';
import { poolOffers } from './offer-pool.ts';
import type { AgentPool } from './offer-pool.ts';
import { notePlaces } from './places.ts';

/** Offers that something wants but may not use yet come back after this long. */
const shortDeclineSeconds = 5;

/**
 * Launches what wants to be launched on these offers and declines the rest; no offer is kept. The apps take turns,
 * one launch each, the one that was served longest ago first.
 */
export function matchOffers(frame: FrameBuilder, offers: readonly Offer[]): void {
  const pools = poolOffers(offers);
  for (const { agentId } of pools) agentSeen(frame, agentId);
  notePlaces(frame, offers);
  launchOn(frame, pools);
  answerOffers(frame, pools);
}

function launchOn(frame: FrameBuilder, pools: readonly AgentPool[]): void {
  const allowed = launchAllowance(frame);
  if (allowed === 0) return;
  const all = waitingApps(frame).map((appId) => new AppMatcher(frame, appId, pools));
  let launched = 0;
  for (let waiting = all; waiting.length > 0;) {
    const again: AppMatcher[] = [];
    for (const matcher of waiting) {
      if (launched === allowed || !matcher.launchOne()) continue;
      launched++;
      again.push(matcher);
    }
    waiting = again;
  }
  countLaunches(frame, launched);
  for (const matcher of all) matcher.finish();
}

function waitingApps(frame: FrameBuilder): AppId[] {
  return [...frame.world.wanting].filter((appId) => {
    const app = frame.world.apps.get(appId);
    return app !== undefined && launchableFrom(frame.world, app) <= frame.now;
  });
}

function answerOffers(frame: FrameBuilder, pools: readonly AgentPool[]): void {
  const unused: AgentPool[] = [];
  for (const pool of pools) {
    if (pool.launches.length === 0) unused.push(pool);
    else
      frame.emit({ kind: 'accept', offerIds: pool.offerIds, agentId: pool.agentId, launches: pool.launches });
  }
  if (unused.length === 0) return;
  const refuseSeconds = hasDelayed(frame) ? shortDeclineSeconds : frame.settings.declineSeconds;
  frame.emit({ kind: 'decline', offerIds: unused.flatMap(({ offerIds }) => offerIds), refuseSeconds });
}

/** Whether something will be launched as soon as its delay, or the interval of the launch rate, is over. */
function hasDelayed(frame: FrameBuilder): boolean {
  if (frame.world.wanting.size > 0 && launchAllowance(frame) === 0) return true;
  for (const appId of frame.world.wanting) {
    const app = frame.world.apps.get(appId);
    if (app !== undefined && launchableFrom(frame.world, app) > frame.now) return true;
  }
  return false;
}
