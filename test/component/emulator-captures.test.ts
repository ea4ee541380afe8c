import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { SchedulerCall, SchedulerEvent, TaskStatus } from '../../proto/mesos.gen.ts';
import { startDevMesos, type DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { mesosCodec, type Encoding } from '../../src/mesos/codec.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { request, statusesOf, TestScheduler, type Reply } from '../support/emulator-scheduler.ts';
import { captures, readCaptured } from '../support/mesos-captures.ts';

const executor = path.resolve(import.meta.dirname, '../support/emulator-executor.mjs');

interface RecordedCall {
  readonly id?: string;
  readonly name: string;
  readonly request_headers?: Readonly<Record<string, string | number>>;
  readonly status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  readonly response_body?: string;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const withoutIds = (text: string): string => text.replaceAll(uuid, 'UUID').replaceAll(/-O\d+/g, '-On');

/** What must be the same of a status: all but ids, times and addresses. */
function shapeOfStatus(status: TaskStatus): object {
  return {
    state: status.state,
    source: status.source,
    reason: status.reason,
    message: withoutIds(status.message?.split('\n')[0] ?? ''),
    fields: Object.keys(status).sort(),
    container: Object.keys(status.container_status ?? {}).sort(),
  };
}

function mapStrings<T>(value: T, change: (text: string) => string): T {
  if (typeof value === 'string') return change(value) as T;
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => mapStrings(item, change)) as T;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)])) as T;
}

describe.each<Encoding>(['json', 'protobuf'])('the recorded life of a framework in %s', (encoding) => {
  const capture = captures.find(({ name }) => name === `scheduler-${encoding}`)!;
  const calls = readCaptured(`scheduler-${encoding}/calls.json`) as readonly RecordedCall[];
  const recordedEvents = capture.streams.length > 0 ? capture.events : [];
  const streams = new Map<string, SchedulerEvent[]>();
  const all: SchedulerEvent[] = [];
  let directory = '';
  let mesos: DevMesos;
  let scheduler: TestScheduler;

  const bodyOf = (id: string): Buffer => capture.requests.find(({ file }) => file.startsWith(id))!.body;
  const recordedOf = (id: string): RecordedCall => calls.find((call) => call.id === id)!;

  /** The recorded call with the ids of this run. */
  function adapted(id: string, offerId = ''): SchedulerCall {
    const recorded = mesosCodec.decode('SchedulerCall', bodyOf(id), encoding);
    const { agentId } = mesos.state().agents[0]!;
    return mapStrings(recorded, (text) => {
      if (/-S\d+$/.test(text)) return agentId;
      if (/-O\d+$/.test(text)) return offerId;
      if (/^[0-9a-f-]{36}-\d{4}$/.test(text)) return scheduler.frameworkId ?? text;
      if (text.startsWith('exec /usr/bin/env node')) return `exec ${process.execPath} ${executor}`;
      return text;
    });
  }

  function expectLike(reply: Reply, recorded: RecordedCall): void {
    const {
      'content-length': length,
      date: _date,
      connection: _connection,
      'keep-alive': _alive,
      ...headers
    } = reply.headers;
    const {
      'content-length': recordedLength,
      date: _recordedDate,
      ...expected
    } = recorded.response_headers ?? {};
    expect({ name: recorded.name, status: reply.status, body: withoutIds(reply.body), headers }).toEqual({
      name: recorded.name,
      status: recorded.status,
      body: withoutIds(recorded.response_body ?? ''),
      headers: expected,
    });
    expect(length).toBe(recordedLength);
  }

  async function replayRaw(id: string, headers: Record<string, string> = {}): Promise<void> {
    const recorded = recordedOf(id);
    const sent = recorded.request_headers ?? {};
    const method = recorded.name === 'ERR-get' ? 'GET' : 'POST';
    const body = /wrong-stream|no-stream|after-teardown/.test(recorded.name)
      ? mesosCodec.encode('SchedulerCall', adapted(id), encoding)
      : bodyOf(id);
    const reply = await request(scheduler.url, {
      method,
      body: method === 'GET' ? new Uint8Array() : body,
      headers: { 'Content-Type': String(sent['content-type']), Accept: String(sent['accept']), ...headers },
    });
    expectLike(reply, recorded);
  }

  async function replay(id: string, offerId?: string): Promise<void> {
    expectLike(await scheduler.call(adapted(id, offerId)), recordedOf(id));
  }

  async function openRecorded(name: string): Promise<void> {
    const body = capture.requests.find(({ file }) => file.startsWith(name))!.body;
    const call = mesosCodec.decode('SchedulerCall', body, encoding);
    const id = scheduler.frameworkId;
    const own = mapStrings(call, (text) => (id !== undefined && /-\d{4}$/.test(text) ? id : text));
    const stream = await scheduler.open(own);
    const recorded = calls.find((one) => one.name === `SUBSCRIBE ${name.replace('stream-', '')}`)!;
    expect({ name, status: stream.status, headers: namesOf(stream.headers) }).toEqual({
      name,
      status: recorded.status,
      headers: namesOf(recorded.response_headers ?? {}),
    });
    streams.set(name, stream.events);
  }

  const namesOf = (headers: object): string[] =>
    Object.keys(headers)
      .filter((name) => name !== 'connection' && name !== 'keep-alive')
      .sort();

  const offerAfter = (count: number): Promise<string> =>
    scheduler.stream!.next(`offer ${count}`, (events) => {
      const offers = events.flatMap(({ offers: event }) => event?.offers ?? []);
      return offers[count]?.id.value;
    });

  beforeAll(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'pp-emulator-'));
    mesos = await startDevMesos({
      log: createLogger('test', 'silent'),
      timings: { allocationIntervalMs: 100, updateRetryMs: 2_500, registrationBackoffMs: 10 },
    });
    scheduler = new TestScheduler(mesos.url, encoding);
    await mesos.addAgent({
      hostname: '127.0.0.1',
      resources: { cpus: 4, mem: 4096, disk: 10240 },
      attributes: { rack: 'r1', ssd: 1.5 },
      region: 'local',
      zone: 'z1',
      workDir: directory,
    });
  });

  afterAll(async () => {
    scheduler.close();
    await mesos.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('malformed calls are answered as recorded', async () => {
    for (const id of ['01', '02', '03', '04', '05', '06']) await replayRaw(id);
  });

  test('the subscription is answered as recorded, calls with a wrong or no stream id are refused', async () => {
    await openRecorded('stream-1-first');
    await replayRaw('07', { 'Mesos-Stream-Id': 'wrong-stream-id' });
    await replayRaw('08');
  });

  test('tasks are launched, updated and acknowledged as recorded', async () => {
    await replay('09', await offerAfter(0));
    await replay('10', await offerAfter(1));
    const skipped = (status: TaskStatus) =>
      status.task_id.value === 't2-run' && status.state === 'TASK_RUNNING';
    const seen = new Set<TaskStatus>();
    while (
      !['t3-finish', 't4-fail'].every((task) => scheduler.statuses(task).length === 3 && lastIsSeen(task))
    ) {
      const status = await scheduler.stream!.next('another update', (events) =>
        events.flatMap(({ update }) => update?.status ?? []).find((one) => !seen.has(one)),
      );
      seen.add(status);
      if (!skipped(status)) await scheduler.acknowledge(status);
    }
    function lastIsSeen(task: string): boolean {
      return seen.has(scheduler.statuses(task).at(-1)!);
    }
  });

  test('launches that break a rule are refused as recorded', async () => {
    const used = await offerAfter(2);
    await replay('20', used);
    await scheduler.see('bad-resources', ({ state }) => state === 'TASK_ERROR');
    await replay('21', used);
    await scheduler.see('bad-offer-reused', ({ state }) => state === 'TASK_DROPPED');
    await replay('22', await offerAfter(3));
    await scheduler.see('bad-executor-differs', ({ state }) => state === 'TASK_ERROR');
    await replay('23', await offerAfter(4));
    await scheduler.stream!.next('the refusal', (events) =>
      statusesOf(events, 't1-run').find(({ state }) => state === 'TASK_ERROR'),
    );
  });

  test('the update that was left out comes again, messages pass both ways', async () => {
    const repeated = await scheduler.stream!.next('a repetition', (events) => {
      const running = statusesOf(events, 't2-run').filter(({ state }) => state === 'TASK_RUNNING');
      return running[1];
    });
    await scheduler.acknowledge(repeated);
    await replay('25');
    const { data } = await scheduler.stream!.next('a message', (events) =>
      events.flatMap(({ message }) => message ?? []).at(0),
    );
    expect(Buffer.from(data).toString()).toBe('hello scheduler');
  });

  test('reconciliation, suppression and kills are answered as recorded', async () => {
    await offerAfter(5);
    await replay('26');
    await scheduler.see('unknown-no-agent', () => true);
    await replay('27');
    await scheduler.stream!.next('the second answer', (events) =>
      statusesOf(events, 't1-run')
        .filter(({ reason }) => reason === 'REASON_RECONCILIATION')
        .at(1),
    );
    await replay('28');
    await replay('29');
    await replay('30');
    await scheduler.see('t1-run', ({ state }) => state === 'TASK_KILLED');
    await replay('33');
    await scheduler.see('no-such-task', () => true);
  });

  test('a second subscription ends the first, a dropped stream can be taken up again', async () => {
    const first = scheduler.stream!;
    await openRecorded('stream-2-failover');
    const error = await first.next('the error', (events) => events.find(({ type }) => type === 'ERROR'));
    expect(error.error).toEqual({ message: 'Framework failed over' });
    await first.next('the end', () => first.ended || undefined);
    scheduler.stream!.drop();
    await mesos.waitFor('the disconnection', (state) => state.frameworks[0]?.connected === false, 5_000);
    await openRecorded('stream-3-reconnect');
    await offerAfter(0);
  });

  test('the pages of the master have the recorded fields', async () => {
    for (const page of ['state', 'slaves', 'tasks', 'frameworks', 'roles', 'version']) {
      for (const prefix of ['', '/master']) {
        const reply = await request(`${mesos.url}${prefix}/${page}`, { method: 'GET' });
        expect(reply.headers['content-type']).toBe('application/json');
        expect({
          page,
          missing: missingFrom(JSON.parse(reply.body), readCaptured(`master-${page}.json`)),
        }).toEqual({
          page,
          missing: [],
        });
      }
    }
    expect(await request(`${mesos.url}/health`, { method: 'GET' })).toMatchObject({ status: 200, body: '' });
    const redirect = await request(`${mesos.url}/redirect`, { method: 'GET' });
    expect(redirect).toMatchObject({ status: 307, headers: { location: mesos.url.replace('http:', '') } });
  });

  test('the end of the executor and of the framework are as recorded', async () => {
    await replay('34');
    await scheduler.see('t2-run', ({ state }) => state === 'TASK_FAILED');
    const stream = scheduler.stream!;
    await stream.next('the failure', (events) => events.find(({ type }) => type === 'FAILURE'));
    await replay('36');
    await stream.next('the end', () => stream.ended || undefined);
    await replayRaw('37', { 'Mesos-Stream-Id': stream.id });
    const again = await scheduler.open(adapted('38'));
    await again.next('the end', () => again.ended || undefined);
    expect(again.events).toEqual([{ type: 'ERROR', error: { message: 'Framework has been removed' } }]);
  });

  test('all statuses of each task had the recorded states, reasons, sources, messages and fields', () => {
    for (const events of streams.values()) all.push(...events);
    const recorded = recordedEvents as unknown as readonly SchedulerEvent[];
    const tasks = new Set(recorded.flatMap(({ update }) => update?.status.task_id.value ?? []));
    for (const task of tasks) {
      expect({ task, statuses: statusesOf(all, task).map(shapeOfStatus) }).toEqual({
        task,
        statuses: statusesOf(recorded, task).map(shapeOfStatus),
      });
    }
  });

  test('events had the recorded fields', () => {
    const recorded = recordedEvents as unknown as readonly SchedulerEvent[];
    for (const type of ['SUBSCRIBED', 'OFFERS', 'FAILURE', 'ERROR', 'HEARTBEAT'] as const) {
      const own = all.find((event) => event.type === type);
      const theirs = recorded.find((event) => event.type === type);
      expect({ type, missing: missingFrom(own, theirs) }).toEqual({ type, missing: [] });
    }
  });
});

const notEmulated =
  /^(domain|flags\.|leader_info\.domain|slaves\[\]\.domain|subscribed\.master_info\.domain)|\.git_|drain/;

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
