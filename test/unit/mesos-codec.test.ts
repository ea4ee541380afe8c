import { describe, expect, test } from '@jest/globals';
import { viewDescriptor, viewTypeNames, type ViewMessages, type ViewRecord } from '../../proto/view.gen.ts';
import { createCodec, encodingOf, mesosCodec } from '../../src/mesos/codec.ts';

const status = { task_id: { value: 't' }, state: 'TASK_STARTING' as const };
const decodeJson = (text: string) => mesosCodec.decode('TaskStatus', Buffer.from(text), 'json');

describe('encode', () => {
  test('enum values of number 0 are written', () => {
    const message = { ...status, source: 'SOURCE_MASTER' as const, healthy: false };
    const written = mesosCodec.encode('TaskStatus', message, 'protobuf');
    expect(written.toString('hex')).toBe('0a030a0174100040004800');
  });

  test('bytes are base64 in JSON and fields that are undefined are left out', () => {
    const message = { ...status, data: new Uint8Array([1, 2, 255]), message: undefined };
    expect(mesosCodec.encode('TaskStatus', message, 'json').toString()).toBe(
      '{"task_id":{"value":"t"},"state":"TASK_STARTING","data":"AQL/"}',
    );
  });

  test('half of a character is written as one that cannot be read', () => {
    const message = { ...status, message: 'cut \u{1f600}'.slice(0, -1) };
    for (const encoding of ['protobuf', 'json'] as const) {
      const written = mesosCodec.encode('TaskStatus', message, encoding);
      expect(written.includes(Buffer.from('cut \ufffd'))).toBe(true);
      expect(mesosCodec.decode('TaskStatus', written, encoding).message).toBe('cut \ufffd');
    }
  });

  test('moments in nanoseconds survive as exactly as a double can hold them', () => {
    const message = { ...status, unreachable_time: { nanoseconds: 1_700_000_000_123_456_768 } };
    for (const encoding of ['protobuf', 'json'] as const) {
      const written = mesosCodec.encode('TaskStatus', message, encoding);
      expect(mesosCodec.decode('TaskStatus', written, encoding)).toEqual(message);
    }
  });

  test.each([
    [{ task_id: {} }, 'TaskStatus.task_id.value is required'],
    [{ state: undefined }, 'TaskStatus.state is required'],
    [{ state: 'RUNNING' }, 'TaskStatus.state must be one of TASK_STARTING, TASK_RUNNING'],
    [{ timestamp: Number.NaN }, 'TaskStatus.timestamp must be a finite number'],
    [{ healthy: 1 }, 'TaskStatus.healthy must be true or false, not a value of type number'],
    [{ uuid: 'abc' }, 'TaskStatus.uuid must be a Uint8Array, not a value of type string'],
    [{ taskId: 'x' }, 'TaskStatus.taskId is not a field of TaskStatus'],
    [
      { container_status: { executor_pid: 1.5 } },
      'TaskStatus.container_status.executor_pid must be an integer',
    ],
    [{ labels: { labels: [{ key: 'a' }, {}] } }, 'TaskStatus.labels.labels[1].key is required'],
    [{ labels: { labels: {} } }, 'TaskStatus.labels.labels must be a list'],
    [{ labels: [] }, 'TaskStatus.labels must be a message (Labels), not a list'],
  ])('%j is refused with its place', (wrong, message) => {
    for (const encoding of ['protobuf', 'json'] as const) {
      expect(() => mesosCodec.encode('TaskStatus', { ...status, ...wrong } as never, encoding)).toThrow(
        message,
      );
    }
  });
});

describe('decode', () => {
  test('fields and enum values that are not known are left out', () => {
    const text =
      '{"task_id":{"value":"t","x":1},"state":"TASK_RUNNING","reason":"REASON_OF_MESOS_9","new":{"a":[1]}}';
    expect(decodeJson(text)).toEqual({ task_id: { value: 't' }, state: 'TASK_RUNNING' });
    // Field 10 (reason) with 99, field 100 with 1.
    const binary = Buffer.from('0a030a017410015063a00601', 'hex');
    expect(mesosCodec.decode('TaskStatus', binary, 'protobuf')).toEqual(decodeJson(text));
  });

  test('a required enum value that is not known is an error', () => {
    expect(() => decodeJson('{"task_id":{"value":"t"},"state":"TASK_PONDERING"}')).toThrow(
      'cannot read a TaskStatus (json): TaskStatus.state is required',
    );
    expect(() => mesosCodec.decode('TaskStatus', Buffer.from('0a030a01741063', 'hex'), 'protobuf')).toThrow(
      "missing required 'state'",
    );
  });

  test('null is nothing, numbers may be text, empty lists are nothing', () => {
    const text =
      '{"task_id":{"value":"t"},"state":"TASK_RUNNING","message":null,"timestamp":"1.5","labels":{"labels":[]}}';
    expect(decodeJson(text)).toEqual({
      task_id: { value: 't' },
      state: 'TASK_RUNNING',
      timestamp: 1.5,
      labels: {},
    });
  });

  test.each(['', '[]', 'null', '{"task_id":"t","state":"TASK_RUNNING"}', '{"state":"TASK_RUNNING"'])(
    '%j is an error with code protocol',
    (text) => {
      expect(() => decodeJson(text)).toThrow(expect.objectContaining({ code: 'protocol' }));
    },
  );

  test('decoded bytes do not hold on to the record', () => {
    const data = new Uint8Array([7]);
    const record = mesosCodec.encode('TaskStatus', { ...status, data }, 'protobuf');
    const decoded = mesosCodec.decode('TaskStatus', record, 'protobuf');
    record.fill(0);
    expect(decoded.data).toEqual(data);
  });
});

test('media types are compared to the letter', () => {
  expect(encodingOf('application/x-protobuf')).toBe('protobuf');
  expect(encodingOf('application/json')).toBe('json');
  expect(encodingOf('application/json; charset=utf-8')).toBeUndefined();
  expect(encodingOf(undefined)).toBeUndefined();
});

test('the same codec serves the stream of views', () => {
  const codec = createCodec<ViewMessages>(viewDescriptor, viewTypeNames);
  const record: ViewRecord = {
    converged: { endpoint: { slot: '/web#0', epoch: 3 }, state: 'ACTIVE' },
  };
  for (const encoding of ['protobuf', 'json'] as const) {
    expect(codec.decode('ViewRecord', codec.encode('ViewRecord', record, encoding), encoding)).toEqual(
      record,
    );
    expect(codec.decode('ViewRecord', codec.encode('ViewRecord', {}, encoding), encoding)).toEqual({});
  }
});
