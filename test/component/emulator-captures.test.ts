import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mesosCodec, type Encoding } from '../../src/mesos/codec.ts';
import { Replay, shapesOf, withoutIds, type RecordedCall } from '../support/emulator-replay.ts';
import { request, statusesOf, type Reply } from '../support/emulator-scheduler.ts';
import { readCaptured } from '../support/mesos-captures.ts';

describe.each<Encoding>(['json', 'protobuf'])('the recorded life of a framework in %s', (encoding) => {
  let replay: Replay;

  beforeAll(async () => {
    replay = await Replay.start(`scheduler-${encoding}`, { updateRetryMs: 2_500 });
  });

  afterAll(() => replay.close());

  const recordedOf = (id: string): RecordedCall => replay.calls.find((call) => call.id === id)!;

  async function sayRaw(id: string, headers: Record<string, string> = {}): Promise<void> {
    const recorded = recordedOf(id);
    const sent = recorded.request_headers ?? {};
    const method = recorded.name === 'ERR-get' ? 'GET' : 'POST';
    const hasIds = /wrong-stream|no-stream|after-teardown/.test(recorded.name);
    const body = hasIds
      ? mesosCodec.encode('SchedulerCall', replay.adapted(id), encoding)
      : replay.bodyOf(id);
    const reply = await request(replay.scheduler.url, {
      method,
      body: method === 'GET' ? new Uint8Array() : body,
      headers: { 'Content-Type': String(sent['content-type']), Accept: String(sent['accept']), ...headers },
    });
    expectLike(reply, recorded);
  }

  async function say(id: string, offerId?: string): Promise<void> {
    expectLike(await replay.scheduler.call(replay.adapted(id, offerId)), recordedOf(id));
  }

  async function open(name: string): Promise<void> {
    const stream = await replay.open(name);
    const recorded = replay.calls.find((one) => one.name === `SUBSCRIBE ${name.replace('stream-', '')}`)!;
    expect({ name, status: stream.status, headers: namesOf(stream.headers) }).toEqual({
      name,
      status: recorded.status,
      headers: namesOf(recorded.response_headers ?? {}),
    });
  }

  test('malformed calls are answered as recorded', async () => {
    for (const id of ['01', '02', '03', '04', '05', '06']) await sayRaw(id);
  });

  test('the subscription is answered as recorded, calls with a wrong or no stream id are refused', async () => {
    await open('stream-1-first');
    await sayRaw('07', { 'Mesos-Stream-Id': 'wrong-stream-id' });
    await sayRaw('08');
  });

  test('tasks are launched, updated and acknowledged as recorded', async () => {
    await say('09', await replay.nextOffer());
    await replay.launchTasks('10');
  });

  test('launches that break a rule are refused as recorded', async () => {
    const { scheduler } = replay;
    const used = await replay.nextOffer(3.7);
    await say('20', used);
    await scheduler.see('bad-resources', ({ state }) => state === 'TASK_ERROR');
    await say('21', used);
    await scheduler.see('bad-offer-reused', ({ state }) => state === 'TASK_DROPPED');
    await say('22', await replay.nextOffer());
    await scheduler.see('bad-executor-differs', ({ state }) => state === 'TASK_ERROR');
    await say('23', await replay.nextOffer());
    await scheduler.stream!.next('the refusal', (events) =>
      statusesOf(events, 't1-run').find(({ state }) => state === 'TASK_ERROR'),
    );
  });

  test('the update that was left out comes again, messages pass both ways', async () => {
    const { scheduler } = replay;
    const repeated = await scheduler.stream!.next(
      'a repetition',
      (events) => statusesOf(events, 't2-run').filter(({ state }) => state === 'TASK_RUNNING')[1],
    );
    await scheduler.acknowledge(repeated);
    await say('25');
    const { data } = await scheduler.stream!.next('a message', (events) =>
      events.flatMap(({ message }) => message ?? []).at(0),
    );
    expect(Buffer.from(data).toString()).toBe('hello scheduler');
  });

  test('reconciliation, suppression and kills are answered as recorded', async () => {
    const { scheduler } = replay;
    await replay.nextOffer();
    await say('26');
    await scheduler.see('unknown-no-agent', () => true);
    await say('27');
    await scheduler.stream!.next('the second answer', (events) =>
      statusesOf(events, 't1-run')
        .filter(({ reason }) => reason === 'REASON_RECONCILIATION')
        .at(1),
    );
    await say('28');
    await say('29');
    await say('30');
    await scheduler.see('t1-run', ({ state }) => state === 'TASK_KILLED');
    await say('33');
    await scheduler.see('no-such-task', () => true);
  });

  test('a second subscription ends the first, a dropped stream can be taken up again', async () => {
    const first = replay.scheduler.stream!;
    await open('stream-2-failover');
    const error = await first.next('the error', (events) => events.find(({ type }) => type === 'ERROR'));
    expect(error.error).toEqual({ message: 'Framework failed over' });
    await first.next('the end', () => first.ended || undefined);
    replay.scheduler.stream!.drop();
    await replay.mesos.waitFor('the disconnection', (state) => !state.frameworks[0]!.connected, 5_000);
    await open('stream-3-reconnect');
    await replay.nextOffer();
  });

  test('the pages of the master have the recorded fields', async () => {
    const { url } = replay.mesos;
    for (const page of ['state', 'slaves', 'tasks', 'frameworks', 'roles', 'version']) {
      for (const prefix of ['', '/master']) {
        const reply = await request(`${url}${prefix}/${page}`, { method: 'GET' });
        expect(reply.headers['content-type']).toBe('application/json');
        const missing = missingFrom(JSON.parse(reply.body), readCaptured(`master-${page}.json`));
        expect({ page, missing }).toEqual({ page, missing: [] });
      }
    }
    expect(await request(`${url}/health`, { method: 'GET' })).toMatchObject({ status: 200, body: '' });
    const redirect = await request(`${url}/redirect`, { method: 'GET' });
    expect(redirect).toMatchObject({ status: 307, headers: { location: url.replace('http:', '') } });
  });

  test('the metrics that are given have recorded names and are numbers', async () => {
    const reply = await request(`${replay.mesos.url}/metrics/snapshot`, { method: 'GET' });
    const own = JSON.parse(reply.body) as Record<string, unknown>;
    const recorded = readCaptured('master-metrics-snapshot.json') as Record<string, number>;
    const names = new Set(Object.keys(recorded).map(withoutIds));
    // A cause of failure is named only when it has occurred.
    const strange = Object.keys(own).filter(
      (name) => !names.has(withoutIds(name)) && !/\/task_\w+\//.test(name),
    );
    expect(strange).toEqual([]);
    expect(Object.values(own).filter((value) => typeof value !== 'number')).toEqual([]);
    for (const name of [
      'master/tasks_running',
      'master/tasks_killed',
      'master/cpus_used',
      'master/tasks_error',
    ]) {
      expect({ name, value: own[name] }).toEqual({ name, value: recorded[name] });
    }
  });

  test('the end of the executor and of the framework are as recorded', async () => {
    const { scheduler } = replay;
    await say('34');
    await scheduler.see('t2-run', ({ state }) => state === 'TASK_FAILED');
    const stream = scheduler.stream!;
    await stream.next('the failure', (events) => events.find(({ type }) => type === 'FAILURE'));
    await say('36');
    await stream.next('the end', () => stream.ended || undefined);
    await sayRaw('37', { 'Mesos-Stream-Id': stream.id });
    const again = await scheduler.open(replay.adapted('38'));
    await again.next('the end', () => again.ended || undefined);
    expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });

  test('all statuses of each task had the recorded states, reasons, sources, messages and fields', () => {
    const tasks = new Set(replay.recorded.flatMap(({ update }) => update?.status.task_id.value ?? []));
    expect(tasks.size).toBe(10);
    for (const task of tasks) {
      const statuses = shapesOf(replay.recorded, task);
      expect({ task, statuses: shapesOf(replay.events, task) }).toEqual({ task, statuses });
    }
  });

  test('events had the recorded fields', () => {
    for (const type of ['SUBSCRIBED', 'OFFERS', 'FAILURE', 'ERROR', 'HEARTBEAT'] as const) {
      const own = replay.events.find((event) => event.type === type);
      const recorded = replay.recorded.find((event) => event.type === type);
      expect({ type, missing: missingFrom(own, recorded) }).toEqual({ type, missing: [] });
    }
  });
});

/** Headers that the connection adds, not the answer. */
const namesOf = (headers: object): string[] =>
  Object.keys(headers)
    .filter((name) => name !== 'connection' && name !== 'keep-alive')
    .sort();

function expectLike(reply: Reply, recorded: RecordedCall): void {
  const compared = (body: string, headers: object) => ({
    name: recorded.name,
    body: withoutIds(body),
    headers: Object.fromEntries(
      namesOf(headers)
        .filter((name) => name !== 'date')
        .map((name) => [name, (headers as Record<string, unknown>)[name]]),
    ),
  });
  expect({ status: reply.status, ...compared(reply.body, reply.headers) }).toEqual({
    status: recorded.status,
    ...compared(recorded.response_body ?? '', recorded.response_headers ?? {}),
  });
}

/** Fault domains of the master, flags of its command line and what only draining shows are not emulated. */
const notEmulated = /^(domain|flags\.|leader_info\.domain|subscribed\.master_info\.domain)|drain/;

/** Paths that `recorded` has and `own` has not, or with a value of another kind; lists by their first entries. */
function missingFrom(own: unknown, recorded: unknown, at = ''): string[] {
  if (notEmulated.test(at)) return [];
  if (Array.isArray(recorded)) {
    if (!Array.isArray(own)) return [at];
    if (recorded.length === 0) return [];
    return own.length === 0 ? [`${at}[]`] : missingFrom(own[0], recorded[0], `${at}[]`);
  }
  if (recorded === null || typeof recorded !== 'object') return typeof own === typeof recorded ? [] : [at];
  if (own === null || typeof own !== 'object') return [at];
  return Object.entries(recorded).flatMap(([key, value]) => {
    const deeper = at === '' ? key : `${at}.${key}`;
    return missingFrom((own as Record<string, unknown>)[key], value, deeper);
  });
}
