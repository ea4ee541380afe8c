import type {
  SchedulerCall,
  SchedulerCallMessage,
  SchedulerCallShutdown,
} from '../../../../proto/mesos.gen.ts';
import { accept } from './master-accept.ts';
import { removeFramework } from './master-frameworks.ts';
import { decline, revive, suppress } from './master-offers.ts';
import { kill, reconcile } from './master-reconcile.ts';
import { count, type Framework, type MasterContext } from './master-state.ts';
import { acknowledge } from './master-tasks.ts';

/** Carries out a call of a subscribed framework. The call was checked: the message of its type is there. */
export function handleCall(context: MasterContext, framework: Framework, call: SchedulerCall): void {
  const { type = 'UNKNOWN' } = call;
  const { counters } = context.state;
  count(framework.counters, 'calls');
  count(framework.counters, `calls/${type.toLowerCase()}`);
  switch (type) {
    case 'TEARDOWN':
      return removeFramework(context, framework);
    case 'ACCEPT':
      count(counters, 'messages_launch_tasks');
      return call.accept && accept(context, framework, call.accept);
    case 'DECLINE':
      count(counters, 'messages_decline_offers');
      return call.decline && decline(context, framework, call.decline);
    case 'REVIVE':
      count(counters, 'messages_revive_offers');
      return revive(context, framework, call.revive?.roles);
    case 'SUPPRESS':
      count(counters, 'messages_suppress_offers');
      return suppress(context, framework, call.suppress?.roles);
    case 'KILL':
      count(counters, 'messages_kill_task');
      return call.kill && kill(context, framework, call.kill);
    case 'SHUTDOWN':
      return call.shutdown && shutdown(context, framework, call.shutdown);
    case 'ACKNOWLEDGE':
      count(counters, 'messages_status_update_acknowledgement');
      return call.acknowledge && acknowledge(context, framework, call.acknowledge);
    case 'RECONCILE':
      count(counters, 'messages_reconcile_tasks');
      return call.reconcile && reconcile(context, framework, call.reconcile);
    case 'MESSAGE':
      count(counters, 'messages_framework_to_executor');
      return call.message && message(context, framework, call.message);
    // No maintenance, no operations and no requests here: nothing comes of these in a real cluster either then.
    case 'REQUEST':
    case 'ACCEPT_INVERSE_OFFERS':
    case 'DECLINE_INVERSE_OFFERS':
    case 'ACKNOWLEDGE_OPERATION_STATUS':
    case 'RECONCILE_OPERATIONS':
    case 'UPDATE_FRAMEWORK':
    case 'SUBSCRIBE':
    case 'UNKNOWN':
  }
}

function message(context: MasterContext, framework: Framework, call: SchedulerCallMessage): void {
  const connection = context.state.agents.get(call.agent_id.value)?.connection;
  count(context.state.counters, `${connection ? '' : 'in'}valid_framework_to_executor_messages`);
  connection?.send({
    kind: 'framework-message',
    frameworkId: framework.id,
    executorId: call.executor_id.value,
    data: call.data,
  });
}

function shutdown(context: MasterContext, framework: Framework, call: SchedulerCallShutdown): void {
  const agent = context.state.agents.get(call.agent_id.value);
  const executorId = call.executor_id.value;
  agent?.connection?.send({ kind: 'shutdown-executor', frameworkId: framework.id, executorId });
}
