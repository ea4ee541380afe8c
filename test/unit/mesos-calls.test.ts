import { describe, expect, test } from '@jest/globals';
import type { SchedulerCall } from '../../proto/mesos.gen.ts';
import { agentId, executorId, offerId, taskId } from '../../src/model/ids.ts';
import * as calls from '../../src/mesos/calls.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { captures } from '../support/mesos-captures.ts';

/** Makes the call again from what is in it. */
function rebuilt(call: SchedulerCall): calls.MasterCall {
  switch (call.type) {
    case 'SUBSCRIBE':
      return calls.subscribe(call.subscribe!.framework_info);
    case 'TEARDOWN':
      return calls.teardown();
    case 'ACCEPT': {
      const { offer_ids: offers, operations, filters } = call.accept!;
      return calls.accept(
        offers!.map(({ value }) => offerId(value)),
        operations![0]!.launch!.task_infos!,
        filters!.refuse_seconds!,
      );
    }
    case 'DECLINE': {
      const { offer_ids: offers, filters } = call.decline!;
      return calls.decline(
        offers!.map(({ value }) => offerId(value)),
        filters!.refuse_seconds!,
      );
    }
    case 'REVIVE':
      return calls.revive(call.revive?.roles);
    case 'SUPPRESS':
      return calls.suppress(call.suppress?.roles);
    case 'KILL':
      return calls.kill(taskId(call.kill!.task_id.value), optionalAgent(call.kill!.agent_id));
    case 'SHUTDOWN': {
      const { executor_id: executor, agent_id: agent } = call.shutdown!;
      return calls.shutdown(executorId(executor.value), agentId(agent.value));
    }
    case 'ACKNOWLEDGE': {
      const { task_id: task, agent_id: agent, uuid } = call.acknowledge!;
      return calls.acknowledge(taskId(task.value), agentId(agent.value), uuid);
    }
    case 'RECONCILE':
      return calls.reconcile(
        (call.reconcile!.tasks ?? []).map(({ task_id: task, agent_id: agent }) => ({
          taskId: taskId(task.value),
          ...(agent === undefined ? {} : { agentId: agentId(agent.value) }),
        })),
      );
    case 'MESSAGE': {
      const { executor_id: executor, agent_id: agent, data } = call.message!;
      return calls.messageToExecutor(executorId(executor.value), agentId(agent.value), data);
    }
    case undefined:
    case 'UNKNOWN':
    case 'REQUEST':
    case 'ACCEPT_INVERSE_OFFERS':
    case 'DECLINE_INVERSE_OFFERS':
    case 'ACKNOWLEDGE_OPERATION_STATUS':
    case 'RECONCILE_OPERATIONS':
    case 'UPDATE_FRAMEWORK':
      throw new Error(`no call of type ${call.type} was expected`);
  }
}

function optionalAgent(id: { readonly value: string } | undefined) {
  return id === undefined ? undefined : agentId(id.value);
}

const { requests } = captures.find(({ name }) => name === 'scheduler-protobuf')!;
const sent = requests
  .filter(({ file }) => !file.includes('ERR-') || file.includes('after-teardown'))
  .map(({ file, body }) => ({ file, call: mesosCodec.decode('SchedulerCall', body, 'protobuf') }));

/** Bodies without content mean the same as none. */
function encoded(call: SchedulerCall): unknown {
  const bytes = mesosCodec.encode('SchedulerCall', call, 'json');
  const { revive, suppress, ...rest } = JSON.parse(bytes.toString('utf8')) as Record<string, object>;
  const filled = Object.entries({ revive, suppress }).filter(
    ([, body]) => Object.keys(body ?? {}).length > 0,
  );
  return { ...rest, ...Object.fromEntries(filled) };
}

test.each(sent)('$file is what the builder of its type makes', ({ call }) => {
  const again = { ...rebuilt(call), framework_id: call.framework_id };
  expect(encoded(again)).toEqual(encoded(call));
});

describe('KILL', () => {
  test('carries the grace period in nanoseconds, 0 included', () => {
    expect(calls.kill(taskId('t'), agentId('a'), 0).kill?.kill_policy).toEqual({
      grace_period: { nanoseconds: 0 },
    });
    expect(calls.kill(taskId('t'), undefined, 1500).kill).toEqual({
      task_id: { value: 't' },
      kill_policy: { grace_period: { nanoseconds: 1_500_000_000 } },
    });
  });
});
