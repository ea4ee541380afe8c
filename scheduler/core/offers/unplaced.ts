import type { AgentId, AppId } from '../../../src/model/ids.ts';
import type { Offer } from '../events.ts';
import type { UnplacedReason, UnusedOffer, World } from '../world.ts';

/** Offers that are remembered of each app that waits: the newest of as many agents. */
const maxLastOffers = 100;

/**
 * Marathon's reasons in the order in which an offer meets them: it counts against the first that it fails
 * (Marathon 1.11, OfferMatchResult).
 */
const funnel = [
  'UnfulfilledRole',
  'UnfulfilledConstraint',
  'NoCorrespondingReservationFound',
  'AgentMaintenance',
  // Ours: the executor cannot serve the host.
  'HostUnfit',
  // Ours: the host found that its switch carries no traffic.
  'NetworkSelfTestFailed',
  'InsufficientCpus',
  'InsufficientMemory',
  'InsufficientDisk',
  'InsufficientGpus',
  'InsufficientPorts',
  'DeclinedScarceResources',
] as const;

/** How many offers met a reason, and how many of these failed it. */
export interface Rejection {
  readonly reason: string;
  readonly processed: number;
  readonly declined: number;
}

/** Notes whether an app used offers, `launched`, and those that it could not use, by agent. */
export function noteOffers(
  world: World,
  appId: AppId,
  launched: boolean,
  refused: ReadonlyMap<AgentId, { readonly offer: Offer; readonly reason: string }>,
  now: number,
): void {
  if (refused.size === 0 && !launched) return;
  const known = launched ? undefined : world.unplaced.get(appId);
  const lastUsedAt = launched ? now : known?.lastUsedAt;
  const reasons: Record<string, number> = { ...known?.reasons };
  const lastOffers = known?.lastOffers ?? new Map<AgentId, UnusedOffer>();
  for (const [agentId, { offer, reason }] of refused) {
    reasons[reason] = (reasons[reason] ?? 0) + 1;
    // Put behind the others, so that the oldest goes first.
    lastOffers.delete(agentId);
    lastOffers.set(agentId, { offer, reason, at: now });
  }
  for (const oldest of lastOffers.keys()) {
    if (lastOffers.size <= maxLastOffers) break;
    lastOffers.delete(oldest);
  }
  const processed = (known?.processed ?? 0) + refused.size;
  world.unplaced.set(appId, {
    since: known?.since ?? now,
    ...(lastUsedAt === undefined ? {} : { lastUsedAt }),
    processed,
    reasons,
    lastOffers,
  });
}

/** Counts by reason as a funnel: what fails one reason does not come to the next. */
export function rejectionFunnel(counts: Readonly<Record<string, number>>): Rejection[] {
  const others = Object.keys(counts).filter((reason) => !funnel.some((known) => known === reason));
  let left = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return [...funnel, ...others].map((reason) => {
    const declined = counts[reason] ?? 0;
    const processed = left;
    left -= declined;
    return { reason, declined, processed };
  });
}

/** The reasons of the newest unused offer of each agent, counted. */
export function lastReasons({ lastOffers }: UnplacedReason): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { reason } of lastOffers.values()) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}
