import type { AgentId } from '../../../src/model/ids.ts';
import type { Place } from './constraints.ts';
import type { Offer } from '../events.ts';
import type { FrameBuilder } from '../frame.ts';
import type { World } from '../world.ts';
import { isUnfit } from '../fabric/unfit-hosts.ts';

/** An agent that has offered something. */
export interface SeenPlace extends Place {
  /** Milliseconds since 1970. */
  readonly seenAt: number;
  readonly agentPort?: number;
}

/** After a request for offers every agent with something free has been heard of by then, milliseconds. */
export const answerMs = 30_000;

/** Offers are listened to for so long after a request, milliseconds: Mesos allocates once a second unless told otherwise. */
export const listenMs = 5_000;

/**
 * Whether every agent with something free was heard of in this subscription, as far as can be known: offers were asked for
 * and have come. One that joins while they are suppressed is heard of when something is to be launched.
 */
export const hasHeardAll = ({ listeningSince, places }: World, now: number): boolean =>
  listeningSince !== undefined && now >= listeningSince + listenMs && places.size > 0;

/** Notes where offers come from: what groups there are is learned from them, not only from running instances. */
export function notePlaces(frame: FrameBuilder, offers: readonly Offer[]): void {
  for (const { agentId, hostname, attributes, region, zone, agentPort } of offers) {
    frame.world.places.set(agentId, {
      hostname,
      attributes,
      ...(region === undefined ? {} : { region }),
      ...(zone === undefined ? {} : { zone }),
      ...(agentPort === undefined ? {} : { agentPort }),
      seenAt: frame.now,
    });
  }
}

/** Mesos lost the agent. */
export function forgetPlace(frame: FrameBuilder, agentId: AgentId): void {
  frame.world.places.delete(agentId);
}

/**
 * The places that have something to offer: one that did not answer the last request has nothing, or is gone; what an
 * unfit host has is no good.
 */
export function* offeringPlaces(frame: FrameBuilder): Iterable<Place> {
  const { world, now } = frame;
  const askedLongAgo = now >= world.revivedAt + answerMs;
  for (const [agentId, place] of world.places) {
    if (isUnfit(frame, agentId)) continue;
    if (!askedLongAgo || place.seenAt >= world.revivedAt) yield place;
  }
}
