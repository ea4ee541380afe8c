import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { launch } from '../../executor/adapters/launcher/launch.ts';
import { ask } from '../../executor/adapters/probes/ask.ts';
import type { Question } from '../../executor/adapters/probes/question.ts';
import { run } from '../../src/runtime/process.ts';
import { bundleForTest } from '../support/bundle.ts';
import { freePort } from '../../src/devcluster/addresses.ts';

const address = '127.0.0.1';
const servers: net.Server[] = [];
const sockets: net.Socket[] = [];
let tls: { readonly key: Buffer; readonly cert: Buffer };

beforeAll(async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pp-ask-'));
  const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')];
  const subject = ['-subj', '/CN=somebody.example', '-keyout', key, '-out', cert];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject]);
  tls = { key: await readFile(key), cert: await readFile(cert) };
  await rm(folder, { recursive: true });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

async function listen(server: net.Server): Promise<number> {
  servers.push(server);
  server.on('connection', (socket) => sockets.push(socket));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return (server.address() as AddressInfo).port;
}

/** Says these bytes to whoever connects, then closes. */
const saying = (bytes: string) =>
  listen(
    net.createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end(bytes);
    }),
  );

type HttpProbe = Extract<Question['probe'], { kind: 'http' }>;

const find = (port: number, of: Partial<HttpProbe> = {}, timeoutMs = 10_000) =>
  ask({
    probe: { kind: 'http', scheme: 'http', path: '/', ignore1xx: false, ...of, port },
    address,
    timeoutMs,
  });
const http = async (...asked: Parameters<typeof find>) => (await find(...asked)).outcome;

test.each([
  [200, { kind: 'success' }],
  [302, { kind: 'success' }],
  [399, { kind: 'success' }],
  [400, { kind: 'failure', cause: 'status 400' }],
  [503, { kind: 'failure', cause: 'status 503' }],
])('an answer with status %i', async (status, outcome) => {
  const port = await listen(
    createServer((_, response) => response.writeHead(status).end('x'.repeat(10_000))),
  );
  expect(await http(port)).toEqual(outcome);
});

test('the statuses that count may be given', async () => {
  const port = await listen(createServer((_, response) => response.writeHead(204).end()));
  expect(await http(port, { statuses: [200, 204] })).toEqual({ kind: 'success' });
  expect(await http(port, { statuses: [200] })).toEqual({ kind: 'failure', cause: 'status 204' });
});

test('the path is asked for as it is', async () => {
  const asked: (string | undefined)[] = [];
  const port = await listen(
    createServer((request, response) => {
      asked.push(request.url);
      response.end();
    }),
  );
  expect(await http(port, { path: '/health?deep=1' })).toEqual({ kind: 'success' });
  expect(asked).toEqual(['/health?deep=1']);
});

test.each(['http', 'https'] as const)(
  'the program says when it has asked by %s and only waits',
  async (scheme) => {
    let answer = () => {};
    const told = new Promise<void>((resolve) => (answer = resolve));
    const listener: RequestListener = (_request, response) => void told.then(() => response.end());
    const port = await listen(scheme === 'http' ? createServer(listener) : createTlsServer(tls, listener));
    const program = await bundleForTest('executor/adapters/probes/probe-main.ts');
    const question: Question = {
      probe: { kind: 'http', scheme, path: '/', ignore1xx: false, port },
      address,
      timeoutMs: 60_000,
    };
    const wish = {
      file: process.execPath,
      args: [program],
      input: JSON.stringify(question),
      timeoutMs: 60_000,
    };
    expect(await launch(wish, () => answer())).toMatchObject({
      stdout: '\n{"outcome":{"kind":"success"},"late":false}',
    });
    await rm(program);
  },
);

test('a path that cannot be asked for is a failure', async () => {
  expect(await http(1, { path: '/a b' })).toMatchObject({ kind: 'failure' });
});

test('a certificate of anybody will do', async () => {
  const port = await listen(createTlsServer(tls, (_, response) => response.end()));
  expect(await http(port, { scheme: 'https' })).toEqual({ kind: 'success' });
});

test('no answer in time is a failure, and told as late', async () => {
  const port = await listen(net.createServer((socket) => socket.on('error', () => undefined)));
  const outcome = { kind: 'failure', cause: 'no answer within 500 ms' };
  expect(await find(port, {}, 500)).toEqual({ outcome, late: true });
});

test('an informational answer alone is a failure, or no result where that is wanted', async () => {
  const port = await saying('HTTP/1.1 102 Processing\r\n\r\n');
  expect(await http(port)).toEqual({ kind: 'failure', cause: 'status 102' });
  expect(await http(port, { ignore1xx: true })).toEqual({ kind: 'ignored' });
});

test('an informational answer before the real one does not count', async () => {
  const port = await saying(
    'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n',
  );
  expect(await http(port)).toEqual({ kind: 'success' });
});

test('a connection is enough for TCP, and none is a failure', async () => {
  const port = await saying('');
  const timeoutMs = 10_000;
  const connected = await ask({ probe: { kind: 'tcp', port }, address, timeoutMs });
  expect(connected).toEqual({ outcome: { kind: 'success' }, late: false });
  const closed = await freePort();
  const refused = await ask({ probe: { kind: 'tcp', port: closed }, address, timeoutMs });
  expect(refused).toEqual({
    outcome: { kind: 'failure', cause: `connect ECONNREFUSED ${address}:${closed}` },
    late: false,
  });
  expect(await find(closed)).toEqual(refused);
});

const keeping = (port: number, timeoutMs?: number) => http(port, { keepsResponse: true }, timeoutMs);

test('a probe that keeps the answer gives its status, content type and body, whatever it means', async () => {
  const port = await listen(
    createServer((_, response) =>
      response.writeHead(503, { 'content-type': 'text/plain; charset=utf-8' }).end('12 % loaded: ü'),
    ),
  );
  const response = { status: 503, contentType: 'text/plain; charset=utf-8', body: '12 % loaded: ü' };
  expect(await keeping(port)).toEqual({ kind: 'failure', cause: 'status 503', response });
  expect(await http(port)).toEqual({ kind: 'failure', cause: 'status 503' });
});

test('of a long body only the beginning is kept, without half a character', async () => {
  const port = await listen(
    createServer((_, response) => response.end(`x${'ü'.repeat(4000)}`, () => undefined)),
  );
  expect(await keeping(port)).toEqual({
    kind: 'success',
    response: { status: 200, contentType: '', body: `x${'ü'.repeat(2047)}` },
  });
});

test('a body that does not end in time is kept as far as it came, and is late although it is no failure', async () => {
  const port = await listen(createServer((_, response) => void response.write('so far')));
  expect(await find(port, { keepsResponse: true }, 1_000)).toEqual({
    outcome: { kind: 'success', response: { status: 200, contentType: '', body: 'so far' } },
    late: true,
  });
});

test('of a change of the protocol only the status is there to keep', async () => {
  const port = await saying('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n');
  expect(await keeping(port)).toEqual({
    kind: 'failure',
    cause: 'status 101',
    response: { status: 101, contentType: '', body: '' },
  });
});
