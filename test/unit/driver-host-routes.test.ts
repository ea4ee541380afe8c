import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import Fastify, { type FastifyInstance } from 'fastify';
import { viewDescriptor, viewTypeNames, type ViewMessages } from '../../proto/view.gen.ts';
import { hostRoutes } from '../../scheduler/api/hosts/routes.ts';
import type { ViewSink } from '../../scheduler/driver/views/host-feed.ts';
import {
  recordFromWire,
  reportToWire,
  type HostReport,
  type ViewRecord,
} from '../../src/fabric/view-wire.ts';
import type { ViewVersion } from '../../src/fabric/view.ts';
import { answerToWire } from '../../src/fabric/path/question-wire.ts';
import { countersToWire } from '../../src/fabric/counters-wire.ts';
import type { HostCounters } from '../../src/fabric/counters.ts';
import type { HostAnswer } from '../../src/fabric/path/question.ts';
import { createCodec, type Encoding } from '../../src/mesos/codec.ts';
import { RecordDecoder } from '../../src/mesos/recordio.ts';
import { agentId, appId, executorId, slotIdFromText, type AgentId } from '../../src/model/ids.ts';
import { view } from '../support/fabric-views.ts';

const codec = createCodec<ViewMessages>(viewDescriptor, viewTypeNames);
const bundleName = 'patchpanel-executor-0123456789ab.tar.gz';

let server: FastifyInstance;
let directory: string;
let reports: { host: AgentId; report: HostReport }[];
let connections: { host: AgentId; have: ViewVersion | undefined; sink: ViewSink }[];
let answers: { host: AgentId; answer: HostAnswer }[];
let counted: { host: AgentId; counters: HostCounters }[];
let left: number;
let onLeft: () => void;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-bundle-'));
  await writeFile(join(directory, bundleName), 'a tarball');
  await writeFile(join(directory, 'secret'), 'not for you');
  reports = [];
  connections = [];
  answers = [];
  counted = [];
  left = 0;
  onLeft = () => undefined;
  server = Fastify({ forceCloseConnections: true });
  await server.register(
    hostRoutes({
      expectsHost: (host) => host === 'S0',
      report: (host, report) => {
        reports.push({ host, report });
        return Promise.resolve();
      },
      connectView: (host, have, sink) => {
        connections.push({ host, have, sink });
        sink.write({ kind: 'snapshot', view: view([], [], []) });
        return () => {
          left += 1;
          onLeft();
        };
      },
      counted: (host, counters) => void counted.push({ host, counters }),
      answered: (host, answer) => answers.push({ host, answer }) === 1,
      bundle: { directory },
    }),
  );
});

afterEach(async () => {
  await server.close();
  await rm(directory, { recursive: true });
});

const facts = {
  agentId: agentId('S0'),
  executorId: executorId('E'),
  hostname: 'h1',
  underlayIp: '10.0.0.1',
  underlayMtu: 1500,
  datapath: 'netdev',
  ovsVersion: '3.1.0',
  dockerVersion: '20.10',
} as const;

const post = (path: string, report: HostReport, type = 'application/x-protobuf') =>
  server.inject({
    method: 'POST',
    url: path,
    headers: { 'content-type': type },
    payload: codec.encode('ViewReport', reportToWire(report), type.endsWith('json') ? 'json' : 'protobuf'),
  });

test.each(['application/x-protobuf', 'application/json'])('a report comes in as %s', async (type) => {
  const report = { facts, applied: { term: 3, n: 7 }, problem: 'none of note' };
  expect((await post('/v1/hosts/S0/report', report, type)).statusCode).toBe(202);
  expect(reports).toEqual([{ host: 'S0', report }]);
});

test('a report that is none, of another type, of another host or of an unknown one is refused', async () => {
  const wrong = await server.inject({
    method: 'POST',
    url: '/v1/hosts/S0/report',
    headers: { 'content-type': 'application/json' },
    payload: '{"facts":{}}',
  });
  expect(wrong.statusCode).toBe(400);
  expect((await post('/v1/hosts/S0/report', {}, 'text/plain')).statusCode).toBe(415);
  const other = { facts: { ...facts, agentId: agentId('S1') } };
  expect((await post('/v1/hosts/S0/report', other)).json()).toEqual({
    message: 'facts.agent_id is S1, but the path names S0',
  });
  const noAddress = { facts: { ...facts, underlayIp: 'somewhere' } };
  expect((await post('/v1/hosts/S0/report', noAddress)).statusCode).toBe(400);
  expect((await post('/v1/hosts/S9/report', {})).statusCode).toBe(404);
  expect(reports).toEqual([]);
});

test('an answer comes in; one that nobody waits for is told so, one that is none is refused', async () => {
  const send = (payload: Buffer | Uint8Array) =>
    server.inject({
      method: 'POST',
      url: '/v1/hosts/S0/answer',
      headers: { 'content-type': 'application/x-protobuf' },
      payload: Buffer.from(payload),
    });
  const endpoint = { slot: slotIdFromText('/web#0'), epoch: 2 };
  const answer: HostAnswer = {
    id: 7,
    kind: 'trace',
    trace: 'bridge("b")',
    ports: [
      { number: 1, kind: 'tunnel' },
      { number: 2, kind: 'tunnel', to: '10.0.0.2' },
      { number: 16_384, kind: 'gateway', network: 'default' },
      { number: 32_768, kind: 'endpoint', endpoint },
    ],
  };
  const body = codec.encode('ViewAnswer', answerToWire(answer), 'protobuf');
  expect((await send(body)).statusCode).toBe(202);
  expect(answers).toEqual([{ host: 'S0', answer }]);
  expect((await send(body)).statusCode).toBe(410);
  expect((await send(Buffer.from('nonsense'))).statusCode).toBe(400);
});

test('counters come in; rows of a later build are left out', async () => {
  const counters: HostCounters = {
    origin: 'run',
    drops: [{ reason: 'fenced', subject: 'address:default/10.32.0.10', packets: 3, bytes: 200 }],
    traffic: [{ from: 'outside', to: appId('/web'), packets: 1, bytes: 60 }],
  };
  const wire = countersToWire(counters);
  const later = {
    ...wire,
    drops: [...(wire.drops ?? []), { reason: 'bored', subject: 'base', packets: 1, bytes: 1 }],
    traffic: [...(wire.traffic ?? []), { from: 'moon', to: '/web', packets: 1, bytes: 1 }],
  };
  const { statusCode } = await server.inject({
    method: 'POST',
    url: '/v1/hosts/S0/counters',
    headers: { 'content-type': 'application/x-protobuf' },
    payload: Buffer.from(codec.encode('ViewCounters', later, 'protobuf')),
  });
  expect(statusCode).toBe(202);
  expect(counted).toEqual([{ host: 'S0', counters }]);
});

/** Opens a view stream; records come as they arrive. */
function openView(url: string, encoding: Encoding) {
  const records: ViewRecord[] = [];
  const decoder = new RecordDecoder();
  const waiting: { count: number; resolve: () => void }[] = [];
  const call = request(url, {
    headers: { accept: encoding === 'json' ? 'application/json' : 'application/x-protobuf' },
  });
  const closed = new Promise<void>((resolve) => call.on('close', resolve));
  call.on('error', () => undefined);
  let pause = (): void => undefined;
  call.on('response', (response) => {
    pause = () => void response.pause();
    response.on('error', () => undefined);
    response.on('data', (chunk: Buffer) => {
      for (const record of decoder.push(chunk)) {
        records.push(recordFromWire(codec.decode('ViewRecord', record, encoding)));
      }
      for (const { count, resolve } of waiting) if (records.length >= count) resolve();
    });
  });
  call.end();
  const received = (count: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ count, resolve });
      if (records.length >= count) resolve();
    });
  return { call, records, received, closed, pause: () => pause() };
}

test.each(['protobuf', 'json'] as const)('a view streams records as they come, in %s', async (encoding) => {
  const base = await server.listen({ host: '127.0.0.1', port: 0 });
  const stream = openView(`${base}/v1/hosts/S0/view?term=3&n=12`, encoding);
  await stream.received(1);
  expect(connections[0]).toMatchObject({ host: 'S0', have: { term: 3, n: 12 } });
  connections[0]!.sink.write({ kind: 'heartbeat' });
  await stream.received(2);
  expect(stream.records).toEqual([{ kind: 'snapshot', view: view([], [], []) }, { kind: 'heartbeat' }]);
  const gone = new Promise<void>((resolve) => (onLeft = resolve));
  stream.call.destroy();
  await gone;
  expect(left).toBe(1);
});

test('a stream that the scheduler ends is broken off at once', async () => {
  const base = await server.listen({ host: '127.0.0.1', port: 0 });
  const stream = openView(`${base}/v1/hosts/S0/view`, 'protobuf');
  await stream.received(1);
  expect(connections[0]!.have).toBeUndefined();
  connections[0]!.sink.end();
  await stream.closed;
});

test('a host that does not read has its unread bytes counted', async () => {
  const base = await server.listen({ host: '127.0.0.1', port: 0 });
  const stream = openView(`${base}/v1/hosts/S0/view`, 'protobuf');
  await stream.received(1);
  stream.pause();
  const { sink } = connections[0]!;
  const problem = {
    kind: 'converged',
    endpoint: { slot: 'x'.repeat(1_000_000) as never, epoch: 1 },
    state: 'active',
  };
  for (let i = 0; i < 20; i += 1) sink.write(problem as ViewRecord);
  expect(sink.outstandingBytes).toBeGreaterThan(1_000_000);
  stream.call.destroy();
});

test('half a version or an unknown host is refused', async () => {
  expect((await server.inject('/v1/hosts/S0/view?term=3')).statusCode).toBe(400);
  expect((await server.inject('/v1/hosts/S0/view?term=a&n=1')).statusCode).toBe(400);
  expect((await server.inject('/v1/hosts/S9/view')).statusCode).toBe(404);
});

test('the executor bundle is served whole and may be cached for ever', async () => {
  const got = await server.inject(`/executor/${bundleName}`);
  expect(got.statusCode).toBe(200);
  expect(got.body).toBe('a tarball');
  expect(got.headers).toMatchObject({
    'content-type': 'application/gzip',
    'content-length': '9',
    'cache-control': 'public, max-age=31536000, immutable',
  });
  const head = await server.inject({ method: 'HEAD', url: `/executor/${bundleName}` });
  expect(head.statusCode).toBe(200);
  expect(head.headers['content-length']).toBe('9');
  expect(head.body).toBe('');
});

test.each(['secret', 'patchpanel-executor-ffffffffffff.tar.gz', '..%2Fsecret', 'manifest.json'])(
  'nothing else of the folder is served: %s',
  async (file) => {
    expect((await server.inject(`/executor/${file}`)).statusCode).toBe(404);
  },
);
