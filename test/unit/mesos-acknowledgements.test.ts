import { afterEach, expect, test } from '@jest/globals';
import { agentId, taskId } from '../../src/model/ids.ts';
import { acknowledge, revive, subscribe } from '../../src/mesos/calls.ts';
import { SchedulerClient, type SchedulerTiming } from '../../src/mesos/scheduler-client.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { answer, FakeMesos, FakeStream, type FakeRequest } from '../support/fake-mesos.ts';
import { Inbox } from '../support/inbox.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function accepted(fake: FakeMesos<'SchedulerCall'>, streamId = 'S1'): Promise<FakeStream> {
  const stream = new FakeStream(await fake.requests.next(), 'SchedulerEvent', streamId);
  stream.send({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'F' } } });
  return stream;
}

/** `user` stands before the address, with an @. */
async function subscribedClient(timing: Partial<SchedulerTiming> = {}, user = '') {
  const fake = await FakeMesos.start('SchedulerCall');
  opened.push(() => fake.close());
  const events = new Inbox<string>();
  const losses = new Inbox<string>();
  const scheduler = new SchedulerClient({
    masters: [`http://${user}${fake.address}`],
    log: recordingLogger(),
    subscribe: () => subscribe({ user: 'root', name: 'test', id: { value: 'F' } }),
    onEvent: ({ type }) => events.put(type),
    onDisconnected: losses.put,
    timing: { retryBaseMs: 5, retryMaxMs: 20, ...timing },
  });
  const outcome = scheduler.run();
  opened.push(async () => {
    scheduler.stop();
    await outcome;
  });
  const stream = await accepted(fake);
  await events.next();
  return { fake, stream, scheduler, events, losses };
}

const acknowledgement = (task: string) => acknowledge(taskId(task), agentId('A'), newUuid());
const taskOf = ({ call }: FakeRequest<'SchedulerCall'>) => call.acknowledge?.task_id.value;

test('acknowledgements leave in order without waiting for answers, and wait for no call of another kind', async () => {
  const { fake, scheduler } = await subscribedClient();
  const other = scheduler.call(revive());
  const revived = await fake.requests.next();
  const names = ['t1', 't2', 't3'];
  const outcomes = names.map((name) => scheduler.call(acknowledgement(name)));
  const requests = [await fake.requests.next(), await fake.requests.next(), await fake.requests.next()];
  expect(requests.map(taskOf)).toEqual(names);
  expect(requests.map(({ headers }) => headers['mesos-stream-id'])).toEqual(['S1', 'S1', 'S1']);
  expect(requests[0]!.headers).toMatchObject({
    host: fake.address,
    'content-type': 'application/x-protobuf',
  });
  for (const request of requests.toReversed()) answer(request, 202);
  expect(await Promise.all(outcomes)).toEqual(names.map(() => ({ kind: 'accepted' })));
  answer(revived, 202);
  expect(await other).toEqual({ kind: 'accepted' });
});

test('more of them than may be on their way follow as answers come', async () => {
  const { fake, scheduler } = await subscribedClient();
  const outcomes = Array.from({ length: 600 }, (_, n) => scheduler.call(acknowledgement(`t${n}`)));
  const seen: (string | undefined)[] = [];
  while (seen.length < outcomes.length) {
    const request = await fake.requests.next();
    expect(fake.requests.waiting.length).toBeLessThan(256);
    seen.push(taskOf(request));
    answer(request, 202);
  }
  expect(seen).toEqual(outcomes.map((_, n) => `t${n}`));
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toEqual({ kind: 'accepted' });
});

test('one that is refused does not keep those after it', async () => {
  const { fake, scheduler } = await subscribedClient();
  const outcomes = [scheduler.call(acknowledgement('t1')), scheduler.call(acknowledgement('t2'))];
  answer(await fake.requests.next(), 400, 'wrong');
  answer(await fake.requests.next(), 202);
  expect(await Promise.all(outcomes)).toEqual([
    { kind: 'refused', status: 400, message: 'wrong' },
    { kind: 'accepted' },
  ]);
  expect(scheduler.subscribed).toBe(true);
});

test('an answer that shows the subscription to be gone leads to a new one, and nothing is sent again', async () => {
  const { fake, scheduler, losses, events } = await subscribedClient();
  const outcomes = [scheduler.call(acknowledgement('t1')), scheduler.call(acknowledgement('t2'))];
  const first = await fake.requests.next();
  await fake.requests.next();
  answer(first, 403, 'Framework is not subscribed');
  expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['refused', 'unknown']);
  await losses.next();
  await accepted(fake, 'S2');
  await events.next();
  const third = scheduler.call(acknowledgement('t3'));
  const request = await fake.requests.next();
  expect([taskOf(request), request.headers['mesos-stream-id']]).toEqual(['t3', 'S2']);
  answer(request, 202);
  expect(await third).toEqual({ kind: 'accepted' });
});

test('a connection that breaks leaves them unknown and leads to a new subscription', async () => {
  const { fake, scheduler, losses } = await subscribedClient();
  const outcomes = [scheduler.call(acknowledgement('t1')), scheduler.call(acknowledgement('t2'))];
  (await fake.requests.next()).response.destroy();
  expect((await Promise.all(outcomes)).map(({ kind }) => kind)).toEqual(['unknown', 'unknown']);
  await losses.next();
  await accepted(fake, 'S2');
});

test('a server that closes the connection after an answer is connected to anew, and keeps the subscription', async () => {
  const { fake, scheduler } = await subscribedClient();
  const first = scheduler.call(acknowledgement('t1'));
  answer(await fake.requests.next(), 202, '', { Connection: 'close' });
  expect(await first).toEqual({ kind: 'accepted' });
  const second = scheduler.call(acknowledgement('t2'));
  answer(await fake.requests.next(), 202);
  expect(await second).toEqual({ kind: 'accepted' });
  expect(scheduler.subscribed).toBe(true);
});

test('those on a connection that the server closes after an answer follow on the next, under the same subscription', async () => {
  const { fake, scheduler } = await subscribedClient();
  const names = ['t1', 't2', 't3'];
  const outcomes = names.map((name) => scheduler.call(acknowledgement(name)));
  const [first] = [await fake.requests.next(), await fake.requests.next(), await fake.requests.next()];
  answer(first, 202, '', { Connection: 'close' });
  for (const name of ['t2', 't3']) {
    const again = await fake.requests.next();
    expect([taskOf(again), again.headers['mesos-stream-id']]).toEqual([name, 'S1']);
    answer(again, 202);
  }
  for (const outcome of outcomes) expect(await outcome).toEqual({ kind: 'accepted' });
  expect(scheduler.subscribed).toBe(true);
});

test('nothing that waits for a connection leaves under a later subscription', async () => {
  const { fake, stream, scheduler, losses, events } = await subscribedClient();
  const early = Array.from({ length: 300 }, (_, n) => scheduler.call(acknowledgement(`early${n}`)));
  stream.cut();
  await losses.next();
  for (const outcome of early) expect(await outcome).toMatchObject({ kind: 'unknown' });
  const isSubscribe = ({ call }: FakeRequest<'SchedulerCall'>): boolean => call.type === 'SUBSCRIBE';
  let request = await fake.requests.next();
  for (; !isSubscribe(request); request = await fake.requests.next()) {
    expect(request.headers['mesos-stream-id']).toBe('S1');
  }
  new FakeStream(request, 'SchedulerEvent', 'S2').send({
    type: 'SUBSCRIBED',
    subscribed: { framework_id: { value: 'F' } },
  });
  await events.next();
  const late = scheduler.call(acknowledgement('late'));
  const next = await fake.requests.next();
  expect([taskOf(next), next.headers['mesos-stream-id']]).toEqual(['late', 'S2']);
  answer(next, 202);
  expect(await late).toEqual({ kind: 'accepted' });
});

test('no more may wait than the bound', async () => {
  const { fake, scheduler } = await subscribedClient({ maxQueuedCalls: 2 });
  const waiting = [scheduler.call(acknowledgement('t1')), scheduler.call(acknowledgement('t2'))];
  expect(await scheduler.call(acknowledgement('t3'))).toEqual({
    kind: 'not-sent',
    reason: '2 calls wait already',
  });
  for (const _ of waiting) answer(await fake.requests.next(), 202);
  expect(await Promise.all(waiting)).toEqual([{ kind: 'accepted' }, { kind: 'accepted' }]);
});

test('an answer of more than 64 KiB is given up with the subscription', async () => {
  const { fake, scheduler, losses } = await subscribedClient();
  const sent = scheduler.call(acknowledgement('t1'));
  answer(await fake.requests.next(), 400, 'x'.repeat(65 * 1024));
  expect(await sent).toMatchObject({ kind: 'unknown' });
  await losses.next();
});

test('the credentials in an address are sent with them', async () => {
  const { fake, scheduler } = await subscribedClient({}, 'pat:s%3Aecret@');
  const sent = scheduler.call(acknowledgement('t1'));
  const request = await fake.requests.next();
  expect(request.headers.authorization).toBe(`Basic ${Buffer.from('pat:s:ecret').toString('base64')}`);
  answer(request, 202);
  expect(await sent).toEqual({ kind: 'accepted' });
});

test('a server that does not answer in time is given up', async () => {
  const { fake, scheduler, losses } = await subscribedClient({ answerTimeoutMs: 500 });
  const sent = scheduler.call(acknowledgement('t1'));
  await fake.requests.next();
  expect(await sent).toMatchObject({
    kind: 'unknown',
    reason: expect.stringContaining('did not answer in time'),
  });
  await losses.next();
});

test('they are settled when the stream breaks, and not sent without one', async () => {
  const { fake, stream, scheduler, losses } = await subscribedClient();
  const sent = scheduler.call(acknowledgement('t1'));
  await fake.requests.next();
  stream.cut();
  await losses.next();
  expect(await sent).toMatchObject({ kind: 'unknown' });
  expect(await scheduler.call(acknowledgement('t2'))).toMatchObject({ kind: 'not-sent' });
});
