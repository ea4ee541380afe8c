import { describe, expect, test } from '@jest/globals';
import type { SchedulerEvent } from '../../proto/mesos.gen.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { agentEvent, masterEvent } from '../../src/mesos/events.ts';
import { readExecutorEnvironment } from '../../src/mesos/executor-environment.ts';
import { RecordDecoder, encodeRecord } from '../../src/mesos/recordio.ts';
import { take, totalAmounts } from '../../src/mesos/resources.ts';
import { outcomeOf, resolveLocation } from '../../src/mesos/subscription.ts';
import { isUuid } from '../../src/mesos/uuid.ts';
import { captures, readCaptured, type Capture, type CapturedStream } from '../support/mesos-captures.ts';

/** Sent on purpose as no message at all. */
const malformed = new Set([
  '01-ERR-empty-call.request',
  '02-ERR-bad-json.request',
  '03-ERR-bad-content-type.request',
  '06-ERR-get.request',
]);

const callName = (capture: Capture) => (capture.side === 'executor' ? 'ExecutorCall' : 'SchedulerCall');
const eventName = (capture: Capture) => (capture.side === 'executor' ? 'ExecutorEvent' : 'SchedulerEvent');

const found = (name: string): Capture => captures.find((capture) => capture.name === name)!;

function recordsOf(stream: CapturedStream): Buffer[] {
  const decoder = new RecordDecoder();
  const sizes = stream.chunks.length === 0 ? [stream.bytes.length] : stream.chunks;
  let at = 0;
  const records = sizes.flatMap((size) => {
    at += size;
    return decoder.push(stream.bytes.subarray(at - size, at));
  });
  expect(at).toBe(stream.bytes.length);
  decoder.end();
  return records;
}

function eventsOf<Event = SchedulerEvent>(capture: Capture, stream: CapturedStream): Event[] {
  return recordsOf(stream).map(
    (record) => mesosCodec.decode(eventName(capture), record, capture.encoding) as Event,
  );
}

/** Mesos writes empty lists in JSON; they mean the same as nothing. */
function withoutEmptyLists(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
    Array.isArray(member) && member.length === 0 ? undefined : member,
  ) as unknown;
}

function asJson(capture: Capture, name: 'SchedulerEvent' | 'ExecutorEvent', event: object): unknown {
  return JSON.parse(mesosCodec.encode(name, event, 'json').toString('utf8'));
}

describe.each(captures)('$name', (capture) => {
  const wellFormed = capture.requests.filter(({ file }) => !malformed.has(file));

  test.each(wellFormed)('$file is read and written again as it was', ({ body }) => {
    const call = mesosCodec.decode(callName(capture), body, capture.encoding);
    const written = mesosCodec.encode(callName(capture), call, capture.encoding);
    if (capture.encoding === 'protobuf') expect(written.toString('hex')).toBe(body.toString('hex'));
    else {
      const sent: unknown = JSON.parse(body.toString('utf8'));
      expect(JSON.parse(written.toString('utf8'))).toEqual(withoutEmptyLists(sent));
    }
  });

  test('its streams are the events that were noted down', () => {
    const events = capture.streams.flatMap((stream) => eventsOf(capture, stream));
    expect(events.map((event) => asJson(capture, eventName(capture), event))).toEqual(
      withoutEmptyLists(capture.events),
    );
  });

  test('everything says the same in the other encoding', () => {
    const other = capture.encoding === 'json' ? 'protobuf' : 'json';
    const same = (
      name: 'SchedulerEvent' | 'ExecutorEvent' | 'SchedulerCall' | 'ExecutorCall',
      bytes: Buffer,
    ) => {
      const message = mesosCodec.decode(name, bytes, capture.encoding);
      const written = mesosCodec.encode(name, message, other);
      expect(mesosCodec.decode(name, written, other)).toEqual(message);
    };
    for (const { body } of wellFormed) same(callName(capture), body);
    for (const stream of capture.streams)
      for (const record of recordsOf(stream)) same(eventName(capture), record);
  });

  test('every event is of a kind that the clients know', () => {
    const known = (event: object): boolean =>
      capture.side === 'executor' ? agentEvent(event) !== undefined : masterEvent(event) !== undefined;
    const events = capture.streams.flatMap((stream) => eventsOf<object>(capture, stream));
    expect(events.filter((event) => !known(event))).toEqual([]);
  });

  test('records and protobuf events are written as Mesos writes them', () => {
    for (const stream of capture.streams) {
      const records = recordsOf(stream);
      expect(Buffer.concat(records.map(encodeRecord)).equals(stream.bytes)).toBe(true);
      if (capture.encoding === 'json') continue;
      for (const record of records) {
        const event = mesosCodec.decode(eventName(capture), record, 'protobuf');
        const again = mesosCodec.encode(eventName(capture), event, 'protobuf');
        expect(mesosCodec.decode(eventName(capture), again, 'protobuf')).toEqual(event);
      }
    }
  });
});

describe('what is easy to get wrong', () => {
  const schedulerRuns = captures.filter(({ name }) => name.startsWith('scheduler-'));
  const executorRuns = captures.filter(({ name }) => name.startsWith('executor-'));

  test.each(executorRuns)('only the updates of $name with a real UUID were accepted', (capture) => {
    const updates = capture.requests.filter(({ file }) => file.includes('UPDATE'));
    const refused = updates.filter(({ body }) => {
      const { uuid } = mesosCodec.decode('ExecutorCall', body, capture.encoding).update!.status;
      return uuid === undefined || !isUuid(uuid);
    });
    expect(refused.map(({ file }) => file)).toEqual([
      '12-ERR-UPDATE-uuid-not-rfc4122.request',
      '13-ERR-UPDATE-no-uuid.request',
    ]);
  });

  test.each(schedulerRuns)('refusals of a launch in $name carry no uuid', (capture) => {
    const statuses = capture.streams
      .flatMap((stream) => eventsOf(capture, stream))
      .flatMap((event) => (event.update === undefined ? [] : [event.update.status]))
      .filter(({ reason }) => reason === 'REASON_TASK_INVALID' || reason === 'REASON_INVALID_OFFERS');
    expect(new Set(statuses.map(({ state }) => state))).toEqual(new Set(['TASK_ERROR', 'TASK_DROPPED']));
    expect(statuses.filter(({ uuid }) => uuid !== undefined)).toEqual([]);
  });

  test.each(schedulerRuns)(
    'the replaced stream of $name ends with ERROR "Framework failed over"',
    (capture) => {
      const last = eventsOf(capture, capture.streams[0]!).at(-1);
      expect(outcomeOf(last?.error?.message ?? '').kind).toBe('failed-over');
    },
  );

  test.each(schedulerRuns)('SUBSCRIBE after TEARDOWN in $name is answered by ERROR', (capture) => {
    const calls = readCaptured(`${capture.name}/calls.json`) as readonly Record<string, unknown>[];
    const after = calls.find(({ name }) => name === 'ERR-subscribe-after-teardown');
    expect(after?.['status']).toBe(200);
    expect(outcomeOf(String(after?.['response_body'])).kind).toBe('removed');
  });

  test('an agent that is lost and returns is told by these events', () => {
    const capture = found('unreachable-json');
    const events = eventsOf(capture, capture.streams[0]!);
    const lost = events.findIndex(({ update }) => update?.status.state === 'TASK_UNREACHABLE');
    expect(events[lost]?.update?.status).toMatchObject({ reason: 'REASON_AGENT_REMOVED' });
    const types = events.slice(lost, lost + 4).map(({ type }) => type);
    expect(types).toEqual(['UPDATE', 'UPDATE', 'RESCIND', 'FAILURE']);
    expect(events[lost + 3]?.failure).toMatchObject({ agent_id: events[lost]?.update?.status.agent_id });
    const back = events.find(({ update }) => update?.status.reason === 'REASON_AGENT_REREGISTERED');
    expect(back?.update?.status).toMatchObject({ state: 'TASK_RUNNING' });
    expect(back?.update?.status.uuid).toBeUndefined();
  });

  test('a standby names the leader without a scheme', () => {
    const calls = readCaptured('master-failover-json/calls.json') as readonly {
      readonly response_headers?: Readonly<Record<string, string>>;
    }[];
    const location = calls.flatMap((call) => call.response_headers?.['location'] ?? [])[0]!;
    expect(location).toMatch(/^\/\//);
    expect(resolveLocation(location, 'https://standby:5060/api/v1/scheduler')).toBe(
      'https://127.0.0.1:5050/master/api/v1/scheduler',
    );
  });

  test('right after a failover a running task may be unknown for a moment', () => {
    const capture = found('master-failover-json');
    const events = eventsOf(capture, capture.streams[1]!);
    const states = events.flatMap(({ update }) => (update === undefined ? [] : [update.status.state]));
    expect(states[0]).toBe('TASK_UNKNOWN');
    expect(states).toContain('TASK_RUNNING');
  });

  test('the executor that came back listed what was not acknowledged', () => {
    const capture = found('agent-restart-executor-json');
    const subscribes = capture.requests
      .filter(({ file }) => file.includes('SUBSCRIBE'))
      .map(({ body }) => mesosCodec.decode('ExecutorCall', body, capture.encoding).subscribe!);
    expect(subscribes.at(-1)?.unacknowledged_updates?.length).toBeGreaterThan(0);
  });

  test.each(captures.filter(({ side }) => side === 'executor'))(
    'the environment of $name is read',
    ({ name }) => {
      const variables = readCaptured(`${name}/environment.json`) as Record<string, string>;
      expect(readExecutorEnvironment(variables)).toMatchObject({
        executorId: 'cap-executor-1',
        agentUrl: 'http://127.0.0.1:5051',
        checkpoint: true,
        recoveryTimeoutMs: 900_000,
        subscriptionBackoffMaxMs: 2000,
        shutdownGraceMs: 3000,
      });
    },
  );

  test.each(schedulerRuns)('a task can be taken out of an offer of $name', (capture) => {
    const offer = eventsOf(capture, capture.streams[0]!).find(({ type }) => type === 'OFFERS')!.offers!
      .offers![0]!;
    expect(totalAmounts(offer.resources!)).toEqual({
      scalars: { cpus: 4000, mem: 4_096_000, disk: 10_240_000, gpus: 0 },
      ports: [{ begin: 31_000, end: 32_000 }],
    });
    const need = {
      scalars: { cpus: 100, mem: 64_000, disk: 0, gpus: 0 },
      ports: [{ begin: 31_005, end: 31_005 }],
    };
    const taken = take(offer.resources!, need)!.taken;
    expect(taken.map(({ name, allocation_info }) => [name, allocation_info])).toEqual([
      ['ports', { role: '*' }],
      ['cpus', { role: '*' }],
      ['mem', { role: '*' }],
    ]);
  });
});
