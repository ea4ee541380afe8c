import type { SchedulerCall } from '../../../../proto/mesos.gen.ts';
import { isUuid } from '../../../mesos/uuid.ts';

/**
 * What is wrong with a scheduler's call in itself, in Mesos's words; undefined when it is well-formed. `principal`
 * is the authenticated one.
 */
export function checkSchedulerCall(call: SchedulerCall, principal?: string): string | undefined {
  const { type } = call;
  if (type === undefined) return "Expecting 'type' to be present";
  if (type === 'SUBSCRIBE') return checkSubscribe(call, principal);
  if (call.framework_id === undefined) return "Expecting 'framework_id' to be present";
  switch (type) {
    case 'ACCEPT':
      return present(call.accept, 'accept');
    case 'DECLINE':
      return present(call.decline, 'decline');
    case 'KILL':
      return present(call.kill, 'kill');
    case 'SHUTDOWN':
      return present(call.shutdown, 'shutdown');
    case 'RECONCILE':
      return present(call.reconcile, 'reconcile');
    case 'MESSAGE':
      return present(call.message, 'message');
    case 'ACKNOWLEDGE':
      if (call.acknowledge === undefined) return present(undefined, 'acknowledge');
      return isUuid(call.acknowledge.uuid) ? undefined : 'Not a valid UUID';
    case 'ACCEPT_INVERSE_OFFERS':
      return present(call.accept_inverse_offers, 'accept_inverse_offers');
    case 'DECLINE_INVERSE_OFFERS':
      return present(call.decline_inverse_offers, 'decline_inverse_offers');
    case 'TEARDOWN':
    case 'REVIVE':
    case 'SUPPRESS':
    case 'REQUEST':
    case 'ACKNOWLEDGE_OPERATION_STATUS':
    case 'RECONCILE_OPERATIONS':
    case 'UPDATE_FRAMEWORK':
    case 'UNKNOWN':
      return undefined;
  }
}

function checkSubscribe(call: SchedulerCall, principal: string | undefined): string | undefined {
  if (call.subscribe === undefined) return present(undefined, 'subscribe');
  const info = call.subscribe.framework_info;
  if (info.id?.value !== call.framework_id?.value) {
    return "'framework_id' differs from 'subscribe.framework_info.id'";
  }
  if (principal === undefined || info.principal === undefined || info.principal === principal)
    return undefined;
  return `Authenticated principal '${principal}' does not match principal '${info.principal}' set in \`FrameworkInfo\``;
}

function present(part: object | undefined, name: string): string | undefined {
  return part === undefined ? `Expecting '${name}' to be present` : undefined;
}
