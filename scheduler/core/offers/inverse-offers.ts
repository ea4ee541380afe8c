import type { InverseOffer } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';

/** Mesos asks again after this long about an agent that still runs something of ours. */
const askAgainSeconds = 60;

/**
 * Answers for maintenance: an agent without a task of ours may go, one with tasks not yet. The answers advise the
 * operator and bind nobody; tasks that are ended with the agent are replaced like any others.
 */
export function answerInverseOffers(frame: FrameBuilder, inverseOffers: readonly InverseOffer[]): void {
  const isFree = ({ agentId }: InverseOffer): boolean =>
    agentId === undefined || (frame.world.instancesOfAgent.get(agentId)?.size ?? 0) === 0;
  const accepted = inverseOffers.filter(isFree).map(({ id }) => id);
  const declined = inverseOffers.filter((offer) => !isFree(offer)).map(({ id }) => id);
  if (accepted.length > 0) frame.emit({ kind: 'accept-inverse', offerIds: accepted });
  if (declined.length > 0) {
    frame.emit({ kind: 'decline-inverse', offerIds: declined, refuseSeconds: askAgainSeconds });
  }
}
