/** The event types that Marathon has: clients get these unless they ask for others by name. */
export const marathonEventTypes: ReadonlySet<string> = new Set([
  'add_health_check_event',
  'api_post_event',
  'app_terminated_event',
  'deployment_failed',
  'deployment_info',
  'deployment_step_failure',
  'deployment_step_success',
  'deployment_success',
  'event_stream_attached',
  'event_stream_detached',
  'failed_health_check_event',
  'framework_message_event',
  'group_change_failed',
  'group_change_success',
  'health_status_changed_event',
  'instance_changed_event',
  'instance_health_changed_event',
  'remove_health_check_event',
  'scheduler_disconnected_event',
  'scheduler_registered_event',
  'scheduler_reregistered_event',
  'status_update_event',
  'unhealthy_instance_kill_event',
  'unknown_instance_terminated_event',
]);

/** Tells a client that came back that events are lost: it must read the state afresh. Never filtered. */
export const missedEventType = 'events_missed_event';

/** What one client wants of the stream. */
export interface EventWish {
  /** Names of types; `*`: every one, our own included. Empty: Marathon's. */
  readonly types: ReadonlySet<string>;
  /** Without the definitions before and after in the plans of deployments. */
  readonly lightPlans: boolean;
}

/** Whether a client with this wish gets events of the type. */
export function isWanted({ types }: EventWish, type: string): boolean {
  if (types.size === 0) return marathonEventTypes.has(type);
  return types.has(type) || types.has('*');
}

/** Clients with the same key get the same text. */
export const wishKey = ({ types, lightPlans }: EventWish): string =>
  `${lightPlans} ${[...types].sort().join(',')}`;
