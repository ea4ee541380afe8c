import { afterEach, describe, expect, test } from '@jest/globals';
import type { SchedulerEvent } from '../../proto/mesos.gen.ts';
import { agentId, offerId, taskId } from '../../src/model/ids.ts';
import { decline, kill, revive, subscribe } from '../../src/mesos/calls.ts';
import type { MasterEvent } from '../../src/mesos/events.ts';
import { encodeRecord } from '../../src/mesos/recordio.ts';
import {
  SchedulerClient,
  type SchedulerClientOptions,
  type SchedulerTiming,
} from '../../src/mesos/scheduler-client.ts';
import { FakeMesos, FakeStream, answer } from '../support/fake-mesos.ts';
import { Inbox } from '../support/inbox.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const framework = { user: 'root', name: 'test', id: { value: 'F' } };
const subscribed: SchedulerEvent = {
  type: 'SUBSCRIBED',
  subscribed: { framework_id: { value: 'F' }, heartbeat_interval_seconds: 15 },
};
const offers = (...ids: readonly string[]): SchedulerEvent => ({
  type: 'OFFERS',
  offers: {
    offers: ids.map((value) => ({
      id: { value },
      framework_id: { value: 'F' },
      agent_id: { value: 'A' },
      hostname: 'h',
    })),
  },
});
const quick: Partial<SchedulerTiming> = {
  retryBaseMs: 5,
  retryMaxMs: 20,
  refusedRetryBaseMs: 5,
  refusedRetryMaxMs: 20,
};

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function master(): Promise<FakeMesos<'SchedulerCall'>> {
  const fake = await FakeMesos.start('SchedulerCall');
  opened.push(() => fake.close());
  return fake;
}

function client(masters: readonly string[], options: Partial<SchedulerClientOptions> = {}) {
  const events = new Inbox<MasterEvent>();
  const losses = new Inbox<string>();
  const log = recordingLogger();
  const scheduler = new SchedulerClient({
    masters,
    log,
    subscribe: () => subscribe(framework),
    onEvent: events.put,
    onDisconnected: losses.put,
    ...options,
    timing: { ...quick, ...options.timing },
  });
  const outcome = scheduler.run();
  opened.push(async () => {
    scheduler.stop();
    await outcome.catch(() => undefined);
  });
  return { scheduler, events, losses, outcome, log };
}

/** Accepts the next SUBSCRIBE. */
async function accepted(fake: FakeMesos<'SchedulerCall'>, streamId = 'S1'): Promise<FakeStream> {
  const request = await fake.requests.next();
  expect(request.call.type).toBe('SUBSCRIBE');
  const stream = new FakeStream(request, 'SchedulerEvent', streamId);
  stream.send(subscribed);
  return stream;
}

describe('subscribing', () => {
  test.each(['protobuf', 'json'] as const)('events arrive in order, in %s', async (encoding) => {
    const fake = await master();
    const { events } = client([fake.address], { encoding });
    const request = await fake.requests.next();
    expect(request.path).toBe('/api/v1/scheduler');
    expect(request.headers['accept']).toBe(request.headers['content-type']);
    expect(request.headers['accept-encoding']).toBe('identity');
    expect(request.headers['mesos-stream-id']).toBeUndefined();
    expect(request.call).toMatchObject({
      framework_id: { value: 'F' },
      subscribe: { framework_info: framework },
    });
    new FakeStream(request, 'SchedulerEvent', 'S1').send(
      subscribed,
      { type: 'HEARTBEAT' },
      offers('O1', 'O2'),
      offers('O3'),
    );
    expect(await events.next()).toEqual(subscribed);
    expect(await events.next()).toEqual(offers('O1', 'O2'));
    expect(await events.next()).toEqual(offers('O3'));
  });

  test('a record may arrive byte by byte', async () => {
    const fake = await master();
    const { events } = client([fake.address]);
    const stream = new FakeStream(await fake.requests.next(), 'SchedulerEvent', 'S1');
    for (const byte of Buffer.concat([stream.record(subscribed), stream.record(offers('Ö1'))])) {
      stream.raw(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect(await events.next()).toEqual(subscribed);
    expect(await events.next()).toEqual(offers('Ö1'));
  });

  test('a 307 with a Location without scheme leads to the leader', async () => {
    const [standby, leader] = [await master(), await master()];
    const { events } = client([standby.address]);
    const location = `//${leader.address}/master/api/v1/scheduler`;
    answer(await standby.requests.next(), 307, '', { Location: location });
    const request = await leader.requests.next();
    expect(request.path).toBe('/master/api/v1/scheduler');
    new FakeStream(request, 'SchedulerEvent', 'S1').send(subscribed);
    expect(await events.next()).toEqual(subscribed);
  });

  test('masters that redirect in a circle are left for the next address', async () => {
    const [circle, leader] = [await master(), await master()];
    const { events } = client([circle.address, leader.address]);
    for (let redirects = 0; redirects <= 3; redirects += 1) {
      answer(await circle.requests.next(), 307, '', { Location: `//${circle.address}/api/v1/scheduler` });
    }
    await accepted(leader);
    expect(await events.next()).toEqual(subscribed);
  });

  test('an address where nobody listens and one that has no leader are tried in turn', async () => {
    const [gone, recovering, leader] = [await master(), await master(), await master()];
    const nobody = gone.address;
    await gone.close();
    const { events } = client([nobody, recovering.address, leader.address]);
    answer(await recovering.requests.next(), 503, 'No leader elected');
    await accepted(leader);
    expect(await events.next()).toEqual(subscribed);
  });

  test('a refusal for our configuration is tried again and logged once', async () => {
    const fake = await master();
    const { events, log } = client([fake.address]);
    answer(await fake.requests.next(), 401);
    answer(await fake.requests.next(), 401);
    await accepted(fake);
    expect(await events.next()).toEqual(subscribed);
    expect(log.lines.filter((line) => line === 'cannot subscribe')).toHaveLength(1);
  });

  test('credentials are sent with every request', async () => {
    const fake = await master();
    const { scheduler, events } = client([fake.address], {
      credentials: { kind: 'basic', principal: 'pat', secret: 's:ecret' },
    });
    const request = await fake.requests.next();
    const expected = `Basic ${Buffer.from('pat:s:ecret').toString('base64')}`;
    expect(request.headers.authorization).toBe(expected);
    new FakeStream(request, 'SchedulerEvent', 'S1').send(subscribed);
    await events.next();
    const sent = scheduler.call(revive());
    const call = await fake.requests.next();
    expect(call.headers.authorization).toBe(expected);
    answer(call, 202);
    expect(await sent).toEqual({ kind: 'accepted' });
  });

  test('a bearer token is asked for at each request', async () => {
    const fake = await master();
    let issued = 0;
    client([fake.address], { credentials: { kind: 'bearer', token: () => `t${(issued += 1)}` } });
    const first = await fake.requests.next();
    answer(first, 503);
    const second = await fake.requests.next();
    answer(second, 503);
    expect([first, second].map(({ headers }) => headers.authorization)).toEqual(['Bearer t1', 'Bearer t2']);
  });
});

describe('losing the stream', () => {
  test.each(['end', 'cut'] as const)('the owner is told and it is taken up again after %s', async (how) => {
    const fake = await master();
    const { events, losses, scheduler } = client([fake.address]);
    const stream = await accepted(fake);
    await events.next();
    stream[how]();
    await losses.next();
    await accepted(fake, 'S2');
    expect(await events.next()).toEqual(subscribed);
    expect(scheduler.subscribed).toBe(true);
  });

  test('a stream without heartbeats is dead', async () => {
    const fake = await master();
    const { events, losses } = client([fake.address], { timing: { missedHeartbeats: 3 } });
    const stream = new FakeStream(await fake.requests.next(), 'SchedulerEvent', 'S1');
    stream.send({
      type: 'SUBSCRIBED',
      subscribed: { framework_id: { value: 'F' }, heartbeat_interval_seconds: 0.02 },
    });
    await events.next();
    expect(await losses.next()).toMatch(/nothing came for 60 ms/);
    await accepted(fake, 'S2');
    expect(await events.next()).toEqual(subscribed);
  });

  test('a stream that begins and then says nothing is given up', async () => {
    const fake = await master();
    const { events } = client([fake.address], { timing: { firstEventTimeoutMs: 300 } });
    new FakeStream(await fake.requests.next(), 'SchedulerEvent', 'S1').raw(Buffer.alloc(0));
    await accepted(fake, 'S2');
    expect(await events.next()).toEqual(subscribed);
  });

  test('a request without an answer is given up', async () => {
    const fake = await master();
    const { events } = client([fake.address], { timing: { answerTimeoutMs: 500 } });
    await fake.requests.next();
    await accepted(fake);
    expect(await events.next()).toEqual(subscribed);
  });

  test('garbage on the stream ends it', async () => {
    const fake = await master();
    const { events, losses } = client([fake.address]);
    const stream = await accepted(fake);
    await events.next();
    stream.raw(Buffer.from('<html>'));
    expect(await losses.next()).toMatch(/RecordIO/);
    await accepted(fake, 'S2');
  });
});

describe('events', () => {
  test('one that cannot be decoded and one of an unknown kind are counted and skipped', async () => {
    const fake = await master();
    const { events, scheduler } = client([fake.address], { encoding: 'json' });
    const stream = await accepted(fake);
    stream.raw(encodeRecord(Buffer.from('{"type":')));
    stream.raw(encodeRecord(Buffer.from('{"type":"UPDATE","update":{"status":{"state":"TASK_RUNNING"}}}')));
    stream.raw(encodeRecord(Buffer.from('{"type":"NEW_IN_MESOS_2"}')));
    stream.raw(encodeRecord(Buffer.from('')));
    stream.send(offers('O1'));
    expect(await events.next()).toEqual(subscribed);
    expect(await events.next()).toEqual(offers('O1'));
    expect(scheduler.counts).toEqual({ undecodable: 2, unknown: 1 });
  });

  test('the next event waits for the handler of the one before', async () => {
    const fake = await master();
    const seen: string[] = [];
    const done = new Inbox<string>();
    client([fake.address], {
      onEvent: async (event) => {
        seen.push(`begin ${event.type}`);
        await new Promise((resolve) => setTimeout(resolve, event.type === 'SUBSCRIBED' ? 20 : 0));
        seen.push(`end ${event.type}`);
        done.put(event.type);
      },
    });
    const stream = await accepted(fake);
    stream.send(offers('O1'));
    await done.next();
    await done.next();
    expect(seen).toEqual(['begin SUBSCRIBED', 'end SUBSCRIBED', 'begin OFFERS', 'end OFFERS']);
  });

  test('an error of the owner ends the run with that error', async () => {
    const fake = await master();
    const { outcome } = client([fake.address], {
      onEvent: () => Promise.reject(new Error('the disk is full')),
    });
    await accepted(fake);
    await expect(outcome).rejects.toThrow('the disk is full');
  });

  test.each([
    ['Framework failed over', 'failed-over'],
    ['Framework has been removed', 'removed'],
    ['Invalid role', 'error'],
  ] as const)('ERROR %j ends the subscription as %s', async (message, kind) => {
    const fake = await master();
    const { outcome, scheduler, events } = client([fake.address]);
    const stream = await accepted(fake);
    stream.send({ type: 'ERROR', error: { message } });
    stream.end();
    expect(await outcome).toEqual({ kind, message });
    expect(await events.next()).toEqual(subscribed);
    expect(await events.next()).toMatchObject({ type: 'ERROR' });
    expect(await scheduler.call(revive())).toMatchObject({ kind: 'not-sent' });
    expect(fake.requests.waiting).toEqual([]);
  });
});

describe('calls', () => {
  async function subscribedClient(timing: Partial<SchedulerTiming> = {}) {
    const fake = await master();
    const running = client([fake.address], { timing });
    const stream = await accepted(fake);
    await running.events.next();
    return { fake, stream, ...running };
  }

  test('they leave one after another with the stream id and the framework id', async () => {
    const { fake, scheduler } = await subscribedClient();
    const first = scheduler.call(decline([offerId('O1')], 60));
    const second = scheduler.call(kill(taskId('t'), agentId('A')));
    const request = await fake.requests.next();
    expect(request.call).toMatchObject({ type: 'DECLINE', framework_id: { value: 'F' } });
    expect(request.headers['mesos-stream-id']).toBe('S1');
    expect(fake.requests.waiting).toEqual([]);
    answer(request, 202);
    expect(await first).toEqual({ kind: 'accepted' });
    answer(await fake.requests.next(), 202);
    expect(await second).toEqual({ kind: 'accepted' });
  });

  test('a call that is wrong is refused and the stream stays', async () => {
    const { fake, scheduler } = await subscribedClient();
    const sent = scheduler.call(revive());
    answer(await fake.requests.next(), 400, "Expecting 'revive' to be present");
    expect(await sent).toEqual({ kind: 'refused', status: 400, message: "Expecting 'revive' to be present" });
    expect(scheduler.subscribed).toBe(true);
  });

  test.each([
    [307, ''],
    [403, 'Framework is not subscribed'],
    [503, 'No leader elected'],
    [400, "The stream ID 'S1' included in this request didn't match the stream ID"],
    [400, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"],
    [400, 'Framework cannot be found'],
  ])('the answer %d %s leads to a new subscription, and nothing is sent again', async (status, text) => {
    const { fake, scheduler, losses, events } = await subscribedClient();
    const first = scheduler.call(kill(taskId('t1'), agentId('A')));
    const second = scheduler.call(kill(taskId('t2'), agentId('A')));
    answer(await fake.requests.next(), status, text);
    expect(await first).toMatchObject({ kind: 'refused', status });
    expect(await second).toMatchObject({ kind: 'not-sent' });
    await losses.next();
    await accepted(fake, 'S2');
    await events.next();
    const third = scheduler.call(revive());
    const sent = await fake.requests.next();
    expect(sent.call.type).toBe('REVIVE');
    expect(sent.headers['mesos-stream-id']).toBe('S2');
    answer(sent, 202);
    await third;
  });

  test('a call without an answer has an unknown outcome and leads to a new subscription', async () => {
    const { fake, scheduler, losses } = await subscribedClient();
    const sent = scheduler.call(revive());
    (await fake.requests.next()).response.destroy();
    expect(await sent).toMatchObject({ kind: 'unknown' });
    await losses.next();
    await accepted(fake, 'S2');
  });

  test('calls under way when the stream breaks are settled', async () => {
    const { fake, scheduler, stream, losses } = await subscribedClient();
    const outcomes = [scheduler.call(revive()), scheduler.call(revive())];
    await fake.requests.next();
    stream.cut();
    await losses.next();
    expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['unknown', 'not-sent']);
  });

  test('a call is not sent without a subscription, nor when too many wait', async () => {
    const { fake, scheduler, stream, losses } = await subscribedClient({ maxQueuedCalls: 2 });
    const waiting = [scheduler.call(revive()), scheduler.call(revive())];
    expect(await scheduler.call(revive())).toEqual({ kind: 'not-sent', reason: '2 calls wait already' });
    await fake.requests.next();
    stream.end();
    await losses.next();
    await Promise.all(waiting);
    expect(await scheduler.call(revive())).toMatchObject({ kind: 'not-sent' });
  });

  test('a call that does not fit the protocol is an error at once', async () => {
    const { scheduler } = await subscribedClient();
    expect(() => scheduler.call({ type: 'KILL', kill: { task_id: {} as { value: string } } })).toThrow(
      'Call.kill.task_id.value is required',
    );
  });

  test('stop ends the run and settles what waits', async () => {
    const { fake, scheduler, outcome } = await subscribedClient();
    const sent = scheduler.call(revive());
    await fake.requests.next();
    scheduler.stop();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect(await sent).toMatchObject({ kind: 'unknown' });
  });
});

test('the path of a proxy in front of the masters is kept', async () => {
  const fake = await master();
  client([`http://${fake.address}/mesos/`]);
  const request = await fake.requests.next();
  expect(request.path).toBe('/mesos/api/v1/scheduler');
  answer(request, 503);
});

test('an address that is not one of a master is refused', () => {
  expect(() => client(['zk://10.0.0.1:2181/mesos'])).toThrow('is not the address of a Mesos master');
});
