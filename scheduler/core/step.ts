import { applyChange } from './changes/changes.ts';
import type { Frame } from './effects.ts';
import type { ChangeResult, Context, Event } from './events.ts';
import { FrameBuilder } from './frame.ts';
import { hostFacts, hostsConnected } from './fabric/hosts.ts';
import { answerInverseOffers } from './offers/inverse-offers.ts';
import { regulateOffers } from './offers/offer-flow.ts';
import { matchOffers } from './offers/matching.ts';
import { prime } from './prime.ts';
import { agentLost, disconnected, executorLost, launchUnknown, subscribed } from './slots/recovery.ts';
import { settle } from './settle.ts';
import { applyStatus } from './slots/statuses.ts';
import { tick } from './tick.ts';
import { converged, drained } from './slots/handover.ts';
import type { Settings, World } from './world.ts';

/**
 * The scheduler's whole reaction to one event. Changes the world in place and returns what must be stored and done;
 * the caller makes the writes durable before any effect. A refused change leaves the world as it was. If this
 * throws, the world is unusable: the process must start again from the store.
 */
export function step(world: World, settings: Settings, event: Event, context: Context): Frame {
  const frame = new FrameBuilder(world, settings, context);
  if (!world.primed) prime(frame);
  const result = react(frame, event);
  settle(frame);
  regulateOffers(frame);
  return frame.build(result);
}

function react(frame: FrameBuilder, event: Event): ChangeResult | undefined {
  switch (event.kind) {
    case 'change':
      return applyChange(frame, event.change, event.request);
    case 'subscribed':
      subscribed(frame, event.frameworkId);
      return undefined;
    case 'disconnected':
      disconnected(frame);
      return undefined;
    case 'offers':
      matchOffers(frame, event.offers);
      return undefined;
    case 'inverse-offers':
      answerInverseOffers(frame, event.inverseOffers);
      return undefined;
    case 'status':
      applyStatus(frame, event.status);
      return undefined;
    case 'agent-lost':
      agentLost(frame, event.agentId);
      return undefined;
    case 'executor-lost':
      executorLost(frame, event.agentId, event.executorId);
      return undefined;
    case 'launch-unknown':
      launchUnknown(frame, event.taskIds);
      return undefined;
    case 'host-facts':
      hostFacts(frame, event.facts);
      return undefined;
    case 'hosts-connected':
      hostsConnected(frame, event.agentIds);
      return undefined;
    case 'converged':
      converged(frame, event.slotId, event.epoch);
      return undefined;
    case 'drained':
      drained(frame, event);
      return undefined;
    case 'tick':
      tick(frame);
      return undefined;
  }
}
