import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { acknowledge, subscribe } from '../../src/mesos/calls.ts';
import { agentId, taskId } from '../../src/model/ids.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import { ExecutorClient } from '../../src/mesos/executor-client.ts';
import { readExecutorEnvironment } from '../../src/mesos/executor-environment.ts';
import { SchedulerClient } from '../../src/mesos/scheduler-client.ts';
import { loadTls, readMesosTls } from '../../src/mesos/tls.ts';
import { makeCertificates, type Certificates } from '../support/certificates.ts';
import { answer, FakeMesos, FakeStream } from '../support/fake-mesos.ts';
import { Inbox } from '../support/inbox.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let directory: string;
let files: Certificates;
let pems: { cert: string; key: string };
const opened: (() => Promise<void>)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(`${tmpdir()}/pp-tls-`);
  files = await makeCertificates(directory);
  pems = { cert: await readFile(files.cert, 'utf8'), key: await readFile(files.key, 'utf8') };
});

afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

afterAll(() => rm(directory, { recursive: true, force: true }));

function own<Fake extends { close(): Promise<void> }>(fake: Fake): Fake {
  opened.push(() => fake.close());
  return fake;
}

test('a master without a scheme in its address is spoken to over TLS where libprocess does', async () => {
  const fake = own(await FakeMesos.start('SchedulerCall', undefined, pems));
  const types = new Inbox<string>();
  const tls = readMesosTls({ LIBPROCESS_SSL_ENABLED: 'true', LIBPROCESS_SSL_CA_FILE: files.ca })!;
  const scheduler = new SchedulerClient({
    masters: [fake.address],
    tls,
    log: recordingLogger(),
    subscribe: () => subscribe({ user: 'root', name: 'f', id: { value: 'F' } }),
    onEvent: ({ type }) => types.put(type),
    onDisconnected: () => undefined,
  });
  const outcome = scheduler.run();
  opened.push(async () => {
    scheduler.stop();
    await outcome;
  });
  new FakeStream(await fake.requests.next(), 'SchedulerEvent', 'S').send({
    type: 'SUBSCRIBED',
    subscribed: { framework_id: { value: 'F' } },
  });
  expect(await types.next()).toBe('SUBSCRIBED');
  const acknowledged = scheduler.call(acknowledge(taskId('t'), agentId('A'), newUuid()));
  answer(await fake.requests.next(), 202);
  expect(await acknowledged).toEqual({ kind: 'accepted' });
});

function executor(
  address: string,
  tls: Readonly<Record<string, string>>,
  firstSubscriptionTimeoutMs = 10_000,
) {
  const log = recordingLogger();
  const types = new Inbox<string>();
  const client = new ExecutorClient({
    environment: readExecutorEnvironment({
      MESOS_FRAMEWORK_ID: 'F',
      MESOS_EXECUTOR_ID: 'E',
      MESOS_SLAVE_ID: 'A',
      MESOS_AGENT_ENDPOINT: address,
      MESOS_SANDBOX: '/sandbox',
      MESOS_SUBSCRIPTION_BACKOFF_MAX: '50ms',
      LIBPROCESS_SSL_ENABLED: '1',
      ...tls,
    }),
    log,
    unacknowledged: () => ({ tasks: [], updates: [] }),
    onEvent: ({ type }) => types.put(type),
    onDisconnected: () => undefined,
    timing: { firstSubscriptionTimeoutMs },
  });
  const outcome = client.run();
  opened.push(async () => {
    client.stop();
    await outcome;
  });
  return { log, types, outcome };
}

let agent: FakeMesos<'ExecutorCall'>;

beforeEach(async () => {
  agent = own(await FakeMesos.start('ExecutorCall', undefined, pems));
});

test.each([
  ['that is signed by the authority which is named', () => ({ LIBPROCESS_SSL_CA_FILE: files.ca })],
  ['that nobody is to look at', () => ({ LIBPROCESS_SSL_VERIFY_SERVER_CERT: 'false' })],
])('an executor takes an agent with a certificate %s', async (_what, variables) => {
  const { types } = executor(agent.address, variables());
  new FakeStream(await agent.requests.next(), 'ExecutorEvent').send({
    type: 'SUBSCRIBED',
    subscribed: {
      executor_info: { executor_id: { value: 'E' } },
      framework_info: { user: 'root', name: 'f' },
      agent_info: { hostname: 'h' },
    },
  });
  expect(await types.next()).toBe('SUBSCRIBED');
});

test('an executor does not speak to an agent whose certificate nobody vouches for', async () => {
  const { log, outcome } = executor(agent.address, {}, 300);
  expect(await outcome).toEqual({ kind: 'agent-lost', afterMs: 300 });
  expect(log.lines).toContain('cannot subscribe');
});

test('a file that cannot be read is named', () => {
  const tls = readMesosTls({ LIBPROCESS_SSL_ENABLED: '1', LIBPROCESS_SSL_KEY_FILE: '/no/such/key' })!;
  expect(() => loadTls(tls)).toThrow('LIBPROCESS_SSL_KEY_FILE: cannot read /no/such/key');
});
