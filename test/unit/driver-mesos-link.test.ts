import { beforeEach, expect, test } from '@jest/globals';
import type { PublishedEvent } from '../../scheduler/core/effects.ts';
import type { Event } from '../../scheduler/core/events.ts';
import { MesosLink, type MesosEffect } from '../../scheduler/driver/mesos/mesos-link.ts';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { taskSpec } from '../../scheduler/driver/mesos/task-spec.ts';
import type { CallOutcome } from '../../src/mesos/call-queue.ts';
import type { MasterCall } from '../../src/mesos/calls.ts';
import { mesosCodec } from '../../src/mesos/codec.ts';
import { masterEvent } from '../../src/mesos/events.ts';
import { agentId, offerId, taskId } from '../../src/model/ids.ts';
import { launchRecord, surroundings, reach } from '../support/core-records.ts';
import { network } from '../support/fabric-views.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let calls: MasterCall[];
let events: Event[];
let published: PublishedEvent[];
let outcome: CallOutcome | Error;
let link: MesosLink;

beforeEach(() => {
  calls = [];
  events = [];
  published = [];
  outcome = { kind: 'accepted' };
  link = new MesosLink({
    call: (call) => {
      calls.push(call);
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    submit: (event) => {
      events.push(event);
      return Promise.resolve();
    },
    publish: (event) => published.push(event),
    prepareLaunch: (launch) => ({
      launch,
      spec: () => taskSpec(launch, network('default', 7, '10.32.0.0/16'), reach, surroundings),
      accepted: 'any',
      executor: { executor_id: { value: launch.executorId } },
    }),
    onSubscribed: () => undefined,
    log: recordingLogger(),
    metrics: new SchedulerMetrics(),
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const offering = <T>(resources: readonly T[]) => ({
  type: 'OFFERS' as const,
  offers: {
    offers: [
      {
        id: { value: 'O1' },
        framework_id: { value: 'F' },
        agent_id: { value: 'S0' },
        hostname: 'h1',
        resources,
      },
    ],
  },
});

const scalar = (name: string, value: number) => ({ name, type: 'SCALAR' as const, scalar: { value } });

const offers = (cpus: number) => link.onEvent(offering([scalar('cpus', cpus), scalar('mem', 512)]));

const accept: MesosEffect = {
  kind: 'accept',
  offerIds: [offerId('O1')],
  agentId: agentId('S0'),
  launches: [launchRecord()],
};

test('an accept launches on what was offered', async () => {
  await offers(1);
  link.prepare(accept)();
  await turn();
  expect(calls).toHaveLength(1);
  expect(calls[0]).toMatchObject({
    type: 'ACCEPT',
    accept: {
      offer_ids: [{ value: 'O1' }],
      operations: [{ type: 'LAUNCH', launch: { task_infos: [{ name: 'web.shop' }] } }],
      filters: { refuse_seconds: 0 },
    },
  });
  expect(events.map(({ kind }) => kind)).toEqual(['offers']);
});

test('nothing is sent before the effect may leave', async () => {
  await offers(1);
  link.prepare(accept);
  await turn();
  expect(calls).toEqual([]);
});

test('a launch that may not have arrived is settled by reconciliation', async () => {
  for (const failure of [
    { kind: 'not-sent', reason: 'not subscribed' },
    { kind: 'unknown', reason: 'reset' },
    { kind: 'refused', status: 400, message: 'no' },
    new Error('does not fit'),
  ] as const) {
    outcome = failure;
    events = [];
    await offers(1);
    link.prepare(accept)();
    await turn();
    expect(events.at(-1)).toEqual({
      kind: 'launch-unknown',
      taskIds: [launchRecord().instance.taskId],
    });
  }
});

test('offers that do not hold what was decided are declined', async () => {
  await offers(0.05);
  link.prepare(accept)();
  await turn();
  expect(calls.map(({ type }) => type)).toEqual(['DECLINE']);
  expect(events.at(-1)?.kind).toBe('launch-unknown');
});

test("a new executor's resources are of the kind that the offers hold", async () => {
  const reserved = {
    name: 'cpus',
    type: 'SCALAR' as const,
    scalar: { value: 1 },
    reservations: [{ role: 'web', type: 'STATIC' as const }],
    allocation_info: { role: 'web' },
  };
  const mem = {
    name: 'mem',
    type: 'SCALAR' as const,
    scalar: { value: 512 },
    allocation_info: { role: 'web' },
  };
  await link.onEvent({
    type: 'OFFERS',
    offers: {
      offers: [
        {
          id: { value: 'O1' },
          framework_id: { value: 'F' },
          agent_id: { value: 'S0' },
          hostname: 'h1',
          resources: [reserved, mem],
        },
      ],
    },
  });
  expect(link.takeForExecutor({ cpus: 100, mem: 128_000 }, [offerId('O1')])).toEqual([
    { ...reserved, scalar: { value: 0.1 } },
    { ...mem, scalar: { value: 128 } },
  ]);
  expect(() => link.takeForExecutor({ cpus: 2_000, mem: 0 }, [offerId('O1')])).toThrow('no room');
});

test('an offer that was answered is forgotten', async () => {
  await offers(1);
  const [event] = events;
  link.release(event?.kind === 'offers' ? event.offers : []);
  link.prepare(accept)();
  expect(calls.map(({ type }) => type)).toEqual(['DECLINE']);
});

test('a lost call other than a launch is left to whoever repeats it', async () => {
  outcome = { kind: 'unknown', reason: 'reset' };
  link.prepare({ kind: 'kill', taskId: taskId('t'), agentId: agentId('S0'), graceMs: 3_000 })();
  await turn();
  expect(calls[0]).toMatchObject({
    type: 'KILL',
    kill: { kill_policy: { grace_period: { nanoseconds: 3_000_000_000 } } },
  });
  expect(events).toEqual([]);
});

test('reading events pauses while too many calls are on their way', async () => {
  const answers: (() => void)[] = [];
  const slow = new MesosLink({
    call: () => new Promise((resolve) => answers.push(() => resolve({ kind: 'accepted' }))),
    submit: () => Promise.resolve(),
    publish: () => undefined,
    prepareLaunch: () => {
      throw new Error('nothing is launched here');
    },
    onSubscribed: () => undefined,
    log: recordingLogger(),
    metrics: new SchedulerMetrics(),
  });
  for (let i = 0; i < 1_001; i += 1) slow.prepare({ kind: 'revive' })();
  let read = false;
  const reading = slow
    .onEvent({ type: 'RESCIND', rescind: { offer_id: { value: 'O1' } } })
    .then(() => (read = true));
  await turn();
  expect(read).toBe(false);
  for (const answer of answers) answer();
  await reading;
});

test('every effect has its call', () => {
  const effects: MesosEffect[] = [
    { kind: 'decline', offerIds: [offerId('O1')], refuseSeconds: 120 },
    { kind: 'acknowledge', taskId: taskId('t'), agentId: agentId('S0'), uuid: new Uint8Array(16) },
    { kind: 'reconcile', tasks: [{ taskId: taskId('t'), agentId: agentId('S0') }] },
    { kind: 'revive' },
    { kind: 'suppress' },
  ];
  for (const effect of effects) link.prepare(effect)();
  expect(calls.map(({ type }) => type)).toEqual([
    'DECLINE',
    'ACKNOWLEDGE',
    'RECONCILE',
    'REVIVE',
    'SUPPRESS',
  ]);
});

test('events reach the core in its own words', async () => {
  await link.onEvent({ type: 'SUBSCRIBED', subscribed: { framework_id: { value: 'F' } } });
  await link.onEvent({
    type: 'UPDATE',
    update: { status: { task_id: { value: 't' }, state: 'TASK_RUNNING' } },
  });
  await link.onEvent({ type: 'FAILURE', failure: { agent_id: { value: 'S0' } } });
  await link.onEvent({
    type: 'FAILURE',
    failure: { agent_id: { value: 'S0' }, executor_id: { value: 'E' }, status: 9 },
  });
  await link.onEvent({ type: 'RESCIND', rescind: { offer_id: { value: 'O1' } } });
  await link.onEvent({ type: 'ERROR', error: { message: 'Framework failed over' } });
  await link.onDisconnected('the stream ended');
  expect(events).toEqual([
    { kind: 'subscribed', frameworkId: 'F' },
    { kind: 'status', status: { taskId: 't', condition: 'running' } },
    { kind: 'agent-lost', agentId: 'S0' },
    { kind: 'executor-lost', agentId: 'S0', executorId: 'E' },
    { kind: 'disconnected' },
  ]);
});

test('a message of an executor goes to observers, unless it is too long for them', async () => {
  const messageOf = (data: Uint8Array) =>
    link.onEvent({
      type: 'MESSAGE',
      message: { agent_id: { value: 'S0' }, executor_id: { value: 'E' }, data },
    });
  await messageOf(Buffer.from('hello world!'));
  await messageOf(new Uint8Array(16 * 1024 + 1));
  expect(published).toEqual([
    {
      type: 'framework_message_event',
      fields: { executorId: 'E', slaveId: 'S0', message: 'aGVsbG8gd29ybGQh' },
    },
  ]);
  expect(events).toEqual([]);
});

test('reserved resources go back without the role that JSON writes beside their reservations', async () => {
  const reserved = (name: string, value: number) => ({
    ...scalar(name, value),
    role: '*',
    reservations: [{ role: 'web', type: 'STATIC' as const }],
    allocation_info: { role: 'web' },
  });
  const body = offering([reserved('cpus', 1), reserved('mem', 512)]);
  const event = mesosCodec.decode('SchedulerEvent', Buffer.from(JSON.stringify(body)), 'json');
  await link.onEvent(masterEvent(event)!);
  const forExecutor = link.takeForExecutor({ cpus: 100, mem: 32_000 }, [offerId('O1')]);
  link.prepare(accept)();
  await turn();
  const infos = calls[0]!.accept!.operations![0]!.launch!.task_infos!;
  const sent = [...forExecutor, ...infos[0]!.resources!];
  expect(sent).toHaveLength(4);
  expect(sent.map(({ role, reservations }) => [role, reservations?.[0]?.role])).toEqual(
    sent.map(() => [undefined, 'web']),
  );
});
