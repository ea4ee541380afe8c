import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { ExecutorCall, SchedulerEvent } from '../../proto/mesos.gen.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';

const id = fc.string({ minLength: 1, unit: 'grapheme' }).map((value) => ({ value }));
const bytes = fc.uint8Array({ maxLength: 40 });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const status = fc.record(
  {
    task_id: id,
    state: fc.constantFrom('TASK_STARTING' as const, 'TASK_RUNNING' as const, 'TASK_UNKNOWN' as const),
    reason: fc.constantFrom('REASON_COMMAND_EXECUTOR_FAILED' as const, 'REASON_AGENT_DRAINING' as const),
    source: fc.constantFrom('SOURCE_MASTER' as const, 'SOURCE_EXECUTOR' as const),
    uuid: bytes,
    data: bytes,
    message: fc.string({ unit: 'binary' }),
    timestamp: finite,
    healthy: fc.boolean(),
    unreachable_time: fc.record({ nanoseconds: fc.maxSafeInteger() }),
  },
  { requiredKeys: ['task_id', 'state'] },
);
const encodings = fc.constantFrom('protobuf' as const, 'json' as const);

test('an event is read as it was written, in both encodings', () => {
  fc.assert(
    fc.property(status, encodings, (update, encoding) => {
      const event: SchedulerEvent = { type: 'UPDATE', update: { status: update } };
      const written = mesosCodec.encode('SchedulerEvent', event, encoding);
      expect(mesosCodec.decode('SchedulerEvent', written, encoding)).toEqual(event);
    }),
  );
});

test('a call with lists is read as it was written', () => {
  const updates = fc.array(status, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(id, id, updates, encodings, (executor, framework, list, encoding) => {
      const call: ExecutorCall = {
        executor_id: executor,
        framework_id: framework,
        type: 'SUBSCRIBE',
        subscribe: { unacknowledged_updates: list.map((entry) => ({ status: entry })) },
      };
      const written = mesosCodec.encode('ExecutorCall', call, encoding);
      expect(mesosCodec.decode('ExecutorCall', written, encoding)).toEqual(call);
    }),
  );
});

test('any bytes are a message or an error with code protocol', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), encodings, (garbage, encoding) => {
      try {
        mesosCodec.decode('SchedulerEvent', garbage, encoding);
      } catch (error) {
        expect(error).toMatchObject({ code: 'protocol' });
      }
    }),
  );
});
