import type {
  ExecutorEvent,
  ExecutorEventAcknowledged,
  ExecutorEventError,
  ExecutorEventKill,
  ExecutorEventLaunch,
  ExecutorEventLaunchGroup,
  ExecutorEventMessage,
  ExecutorEventSubscribed,
  SchedulerEvent,
  SchedulerEventError,
  SchedulerEventFailure,
  SchedulerEventInverseOffers,
  SchedulerEventMessage,
  SchedulerEventOffers,
  SchedulerEventRescind,
  SchedulerEventRescindInverseOffer,
  SchedulerEventSubscribed,
  SchedulerEventUpdate,
} from '../../proto/mesos.gen.ts';

/** What a master tells a scheduler; each type with its body. */
export type MasterEvent =
  | { readonly type: 'SUBSCRIBED'; readonly subscribed: SchedulerEventSubscribed }
  | { readonly type: 'OFFERS'; readonly offers: SchedulerEventOffers }
  | { readonly type: 'RESCIND'; readonly rescind: SchedulerEventRescind }
  | { readonly type: 'UPDATE'; readonly update: SchedulerEventUpdate }
  | { readonly type: 'MESSAGE'; readonly message: SchedulerEventMessage }
  | { readonly type: 'FAILURE'; readonly failure: SchedulerEventFailure }
  | { readonly type: 'ERROR'; readonly error: SchedulerEventError }
  | { readonly type: 'HEARTBEAT' }
  | { readonly type: 'INVERSE_OFFERS'; readonly inverse_offers: SchedulerEventInverseOffers }
  | {
      readonly type: 'RESCIND_INVERSE_OFFER';
      readonly rescind_inverse_offer: SchedulerEventRescindInverseOffer;
    };

/** What an agent tells an executor; each type with its body. */
export type AgentEvent =
  | { readonly type: 'SUBSCRIBED'; readonly subscribed: ExecutorEventSubscribed }
  | { readonly type: 'LAUNCH'; readonly launch: ExecutorEventLaunch }
  | { readonly type: 'LAUNCH_GROUP'; readonly launch_group: ExecutorEventLaunchGroup }
  | { readonly type: 'KILL'; readonly kill: ExecutorEventKill }
  | { readonly type: 'ACKNOWLEDGED'; readonly acknowledged: ExecutorEventAcknowledged }
  | { readonly type: 'MESSAGE'; readonly message: ExecutorEventMessage }
  | { readonly type: 'ERROR'; readonly error: ExecutorEventError }
  | { readonly type: 'SHUTDOWN' }
  | { readonly type: 'HEARTBEAT' };

/** Which field holds the body of each type; null: it has none. */
const masterBodies: Readonly<Record<MasterEvent['type'], keyof SchedulerEvent | null>> = {
  SUBSCRIBED: 'subscribed',
  OFFERS: 'offers',
  RESCIND: 'rescind',
  UPDATE: 'update',
  MESSAGE: 'message',
  FAILURE: 'failure',
  ERROR: 'error',
  HEARTBEAT: null,
  INVERSE_OFFERS: 'inverse_offers',
  RESCIND_INVERSE_OFFER: 'rescind_inverse_offer',
};

const agentBodies: Readonly<Record<AgentEvent['type'], keyof ExecutorEvent | null>> = {
  SUBSCRIBED: 'subscribed',
  LAUNCH: 'launch',
  LAUNCH_GROUP: 'launch_group',
  KILL: 'kill',
  ACKNOWLEDGED: 'acknowledged',
  MESSAGE: 'message',
  ERROR: 'error',
  SHUTDOWN: null,
  HEARTBEAT: null,
};

/** The event with its body; undefined when its type is not known here or its body is missing. */
export function masterEvent(event: SchedulerEvent): MasterEvent | undefined {
  return isMasterEvent(event) ? event : undefined;
}

/** The event with its body; undefined when its type is not known here or its body is missing. */
export function agentEvent(event: ExecutorEvent): AgentEvent | undefined {
  return isAgentEvent(event) ? event : undefined;
}

function isMasterEvent(event: object): event is MasterEvent {
  return hasBody(event, masterBodies);
}

function isAgentEvent(event: object): event is AgentEvent {
  return hasBody(event, agentBodies);
}

function hasBody(
  event: { readonly type?: string | undefined },
  bodies: Readonly<Record<string, string | null>>,
): boolean {
  const body = event.type === undefined ? undefined : bodies[event.type];
  return body === null || (body !== undefined && Object.hasOwn(event, body));
}
