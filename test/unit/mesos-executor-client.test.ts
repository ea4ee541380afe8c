import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { ExecutorEvent, TaskInfo, TaskStatus } from '../../proto/mesos.gen.ts';
import type { AgentEvent } from '../../src/mesos/events.ts';
import { ExecutorClient, type ExecutorClientOptions } from '../../src/mesos/executor-client.ts';
import { readExecutorEnvironment, type ExecutorEnvironment } from '../../src/mesos/executor-environment.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { FakeMesos, FakeStream, answer } from '../support/fake-mesos.ts';
import { Inbox } from '../support/inbox.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const subscribed: ExecutorEvent = {
  type: 'SUBSCRIBED',
  subscribed: {
    executor_info: { executor_id: { value: 'E' } },
    framework_info: { user: 'root', name: 'f' },
    agent_info: { hostname: 'h' },
  },
};
const task: TaskInfo = { name: 't', task_id: { value: 't' }, agent_id: { value: 'A' } };
const running = (): TaskStatus => ({
  task_id: { value: 't' },
  state: 'TASK_RUNNING',
  timestamp: 1,
  uuid: newUuid(),
});

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function agent(socketPath?: string): Promise<FakeMesos<'ExecutorCall'>> {
  const fake = await FakeMesos.start('ExecutorCall', socketPath);
  opened.push(() => fake.close());
  return fake;
}

function environment(address: string, extra: Partial<ExecutorEnvironment> = {}): ExecutorEnvironment {
  const variables = {
    MESOS_FRAMEWORK_ID: 'F',
    MESOS_EXECUTOR_ID: 'E',
    MESOS_SLAVE_ID: 'A',
    MESOS_AGENT_ENDPOINT: address,
    MESOS_SANDBOX: '/sandbox',
    MESOS_CHECKPOINT: '1',
    MESOS_SUBSCRIPTION_BACKOFF_MAX: '50ms',
  };
  return { ...readExecutorEnvironment(variables), ...extra };
}

function client(env: ExecutorEnvironment, options: Partial<ExecutorClientOptions> = {}) {
  const events = new Inbox<AgentEvent>();
  const losses = new Inbox<string>();
  const executor = new ExecutorClient({
    environment: env,
    log: recordingLogger(),
    unacknowledged: () => ({ tasks: [], updates: [] }),
    onEvent: events.put,
    onDisconnected: losses.put,
    ...options,
  });
  const outcome = executor.run();
  opened.push(async () => {
    executor.stop();
    await outcome.catch(() => undefined);
  });
  return { executor, events, losses, outcome };
}

async function accepted(fake: FakeMesos<'ExecutorCall'>): Promise<FakeStream> {
  const request = await fake.requests.next();
  expect(request.call.type).toBe('SUBSCRIBE');
  const stream = new FakeStream(request, 'ExecutorEvent');
  stream.send(subscribed);
  return stream;
}

describe('subscribing', () => {
  test.each(['protobuf', 'json'] as const)('SUBSCRIBE always has a body, in %s', async (encoding) => {
    const fake = await agent();
    const { events } = client(environment(fake.address), { encoding });
    const request = await fake.requests.next();
    expect(request.path).toBe('/api/v1/executor');
    expect(request.call).toEqual({
      type: 'SUBSCRIBE',
      executor_id: { value: 'E' },
      framework_id: { value: 'F' },
      subscribe: {},
    });
    const launch: ExecutorEvent = { type: 'LAUNCH', launch: { task } };
    new FakeStream(request, 'ExecutorEvent').send(subscribed, { type: 'HEARTBEAT' }, launch);
    expect(await events.next()).toEqual(subscribed);
    expect(await events.next()).toEqual(launch);
  });

  test('the token goes with every request', async () => {
    const fake = await agent();
    client(environment(fake.address, { authenticationToken: 'jwt' }));
    const request = await fake.requests.next();
    expect(request.headers.authorization).toBe('Bearer jwt');
    answer(request, 503);
  });

  test('the agent can be reached by a Unix socket', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'patchpanel-mesos-'));
    opened.push(() => rm(folder, { recursive: true }));
    const socket = path.join(folder, 'agent.sock');
    const fake = await agent(socket);
    const { events } = client(environment('192.0.2.1:5051', { domainSocket: socket }));
    await accepted(fake);
    expect(await events.next()).toEqual(subscribed);
  });

  test('an agent that recovers is tried again until it answers', async () => {
    const fake = await agent();
    const { events } = client(environment(fake.address));
    for (const status of [503, 404, 400]) answer(await fake.requests.next(), status);
    await accepted(fake);
    expect(await events.next()).toEqual(subscribed);
  });

  test('what is not acknowledged is listed at each SUBSCRIBE', async () => {
    const fake = await agent();
    const status = running();
    const { events, losses } = client(environment(fake.address), {
      unacknowledged: () => ({ tasks: [task], updates: [{ status }] }),
    });
    const stream = await accepted(fake);
    await events.next();
    stream.cut();
    await losses.next();
    const { call } = await fake.requests.next();
    expect(call.subscribe).toEqual({
      unacknowledged_tasks: [task],
      unacknowledged_updates: [
        { status: { ...status, source: 'SOURCE_EXECUTOR', executor_id: { value: 'E' } } },
      ],
    });
  });
});

describe('losing the agent', () => {
  test('the owner is told when it stays away for longer than the recovery timeout', async () => {
    const fake = await agent();
    const env = environment(fake.address, { recoveryTimeoutMs: 100 });
    const { events, outcome, losses } = client(env);
    const stream = await accepted(fake);
    await events.next();
    stream.cut();
    await losses.next();
    expect(await outcome).toEqual({ kind: 'agent-lost', afterMs: 100 });
  });

  test('an agent that is back in time is not lost', async () => {
    const fake = await agent();
    const { events, outcome, executor } = client(environment(fake.address, { recoveryTimeoutMs: 30_000 }));
    const stream = await accepted(fake);
    await events.next();
    stream.cut();
    await accepted(fake);
    await events.next();
    executor.stop();
    expect(await outcome).toEqual({ kind: 'stopped' });
  });

  test('without checkpointing the executor is lost with its agent', async () => {
    const fake = await agent();
    const { events, outcome } = client(environment(fake.address, { checkpoint: false }));
    const stream = await accepted(fake);
    await events.next();
    stream.cut();
    expect(await outcome).toEqual({ kind: 'agent-lost', afterMs: 0 });
  });

  test('an agent that never answers is given up', async () => {
    const fake = await agent();
    const { outcome } = client(environment(fake.address), { timing: { firstSubscriptionTimeoutMs: 60 } });
    expect(await outcome).toEqual({ kind: 'agent-lost', afterMs: 60 });
  });

  test('ERROR ends the subscription', async () => {
    const fake = await agent();
    const { outcome } = client(environment(fake.address));
    (await accepted(fake)).send({ type: 'ERROR', error: { message: 'go away' } });
    expect(await outcome).toEqual({ kind: 'error', message: 'go away' });
  });
});

describe('updates', () => {
  async function subscribedClient(options: Partial<ExecutorClientOptions> = {}) {
    const fake = await agent();
    const started = client(environment(fake.address), options);
    const stream = await accepted(fake);
    await started.events.next();
    return { fake, stream, ...started };
  }

  test('they are sent one after another and completed', async () => {
    const { fake, executor } = await subscribedClient();
    const [first, second] = [running(), running()];
    const sent = [executor.update(first), executor.update(second)];
    const request = await fake.requests.next();
    expect(request.call).toEqual({
      type: 'UPDATE',
      executor_id: { value: 'E' },
      framework_id: { value: 'F' },
      update: { status: { ...first, source: 'SOURCE_EXECUTOR', executor_id: { value: 'E' } } },
    });
    expect(fake.requests.waiting).toEqual([]);
    answer(request, 202);
    const next = await fake.requests.next();
    expect(next.call.update?.status.uuid).toEqual(second.uuid);
    answer(next, 202);
    expect(await Promise.all(sent)).toEqual([{ kind: 'accepted' }, { kind: 'accepted' }]);
  });

  test('one that is not accepted is sent again before those after it', async () => {
    const { fake, executor } = await subscribedClient();
    const [first, second] = [running(), running()];
    const sent = [executor.update(first), executor.update(second)];
    answer(await fake.requests.next(), 503);
    (await fake.requests.next()).response.destroy();
    const third = await fake.requests.next();
    expect(third.call.update?.status.uuid).toEqual(first.uuid);
    answer(third, 202);
    answer(await fake.requests.next(), 202);
    expect(await Promise.all(sent)).toEqual([{ kind: 'accepted' }, { kind: 'accepted' }]);
  });

  test('one that was made while disconnected is sent with the next subscription', async () => {
    const { fake, executor, stream, losses } = await subscribedClient();
    stream.cut();
    await losses.next();
    const sent = executor.update(running());
    await accepted(fake);
    const request = await fake.requests.next();
    expect(request.call.type).toBe('UPDATE');
    answer(request, 202);
    expect(await sent).toEqual({ kind: 'accepted' });
  });

  test('one that the SUBSCRIBE carried is not sent again', async () => {
    const updates: { status: TaskStatus }[] = [];
    const { fake, executor, stream, losses } = await subscribedClient({
      unacknowledged: () => ({ tasks: [], updates }),
    });
    stream.cut();
    await losses.next();
    const [listed, later] = [running(), running()];
    const sent = executor.update(listed);
    updates.push({ status: listed });
    const last = executor.update(later);
    await accepted(fake);
    expect(await sent).toEqual({ kind: 'accepted' });
    const request = await fake.requests.next();
    expect(request.call.update?.status.uuid).toEqual(later.uuid);
    answer(request, 202);
    expect(await last).toEqual({ kind: 'accepted' });
  });

  test('a refusal is told and the next one goes out', async () => {
    const { fake, executor } = await subscribedClient();
    const sent = [executor.update(running()), executor.message(Buffer.from('hello'))];
    answer(await fake.requests.next(), 400, 'Failed to validate Executor::Call');
    const next = await fake.requests.next();
    expect(next.call).toMatchObject({ type: 'MESSAGE' });
    expect(Buffer.from(next.call.message?.data ?? []).toString()).toBe('hello');
    answer(next, 202);
    expect((await Promise.all(sent)).map(({ kind }) => kind)).toEqual(['refused', 'accepted']);
  });

  test('403 leads to a new subscription and the update is sent again', async () => {
    const { fake, executor, losses } = await subscribedClient();
    const status = running();
    const sent = executor.update(status);
    answer(await fake.requests.next(), 403, 'Executor is not subscribed');
    await losses.next();
    await accepted(fake);
    const request = await fake.requests.next();
    expect(request.call.update?.status.uuid).toEqual(status.uuid);
    answer(request, 202);
    expect(await sent).toEqual({ kind: 'accepted' });
  });

  test('stop settles what waits', async () => {
    const { fake, executor, outcome } = await subscribedClient();
    const sent = [executor.update(running()), executor.update(running())];
    await fake.requests.next();
    executor.stop();
    expect(await outcome).toEqual({ kind: 'stopped' });
    expect((await Promise.all(sent)).map(({ kind }) => kind)).toEqual(['unknown', 'not-sent']);
    expect(await executor.update(running())).toMatchObject({ kind: 'not-sent' });
  });

  test('a uuid that an agent would refuse is an error at once', async () => {
    const { executor } = await subscribedClient();
    const status = { ...running(), uuid: new Uint8Array(16) };
    expect(() => executor.update(status)).toThrow('the update of t needs a uuid: use newUuid()');
  });

  test('the connection for calls is used now and then', async () => {
    const { fake } = await subscribedClient({ timing: { heartbeatMs: 20 } });
    const first = await fake.requests.next();
    expect(first.call.type).toBe('HEARTBEAT');
    answer(first, 202);
    answer(await fake.requests.next(), 202);
  });
});
