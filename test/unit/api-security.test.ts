import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import Fastify from 'fastify';
import { hostRoutes } from '../../scheduler/api/hosts/routes.ts';
import { noAuditLog, openAuditLog, type AuditEntry } from '../../scheduler/api/security/audit.ts';
import { guard, type Security } from '../../scheduler/api/security/guard.ts';
import { HostTokens } from '../../scheduler/api/security/host-tokens.ts';
import { UserDirectory } from '../../scheduler/api/security/user-directory.ts';
import { agentId } from '../../src/model/ids.ts';
import { hashPassword, hashToken, verifyPassword } from '../../src/security/secrets.ts';
import { readUserFile, writeUserFile, type User } from '../../src/security/user-file.ts';
import { ApiHarness, webApp } from '../support/api.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

let directory: string;
let file: string;
let clock: ManualClock;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pp-users-'));
  file = join(directory, 'users.json');
  clock = new ManualClock();
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

const withToken = (name: string, role: User['role']): User => ({ name, role, token: hashToken(`t-${name}`) });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const basic = (name: string, password: string) => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
});

const three = [withToken('reader', 'read'), withToken('operator', 'operate'), withToken('boss', 'admin')];

async function guarded(users: readonly User[], more: Partial<Security> = {}): Promise<ApiHarness> {
  await writeUserFile(file, users);
  const directoryOfUsers = await UserDirectory.open(file, clock, recordingLogger());
  return new ApiHarness({ security: { users: directoryOfUsers, ...more } });
}

const send = (
  api: ApiHarness,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'OPTIONS',
  url: string,
  headers: Record<string, string> = {},
  body?: unknown,
) =>
  api.server.inject({
    method,
    url,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });

describe('users', () => {
  test('without credentials only the ping is answered, and the answer says what is missing', async () => {
    const api = await guarded(three);
    expect((await send(api, 'GET', '/ping')).statusCode).toBe(200);
    const refused = await send(api, 'GET', '/v2/apps');
    expect(refused.statusCode).toBe(401);
    expect(refused.headers['www-authenticate']).toContain('Basic realm="patchpanel"');
    expect(refused.json()).toEqual({ message: 'this needs a user name and password, or a token' });
    expect((await send(api, 'GET', '/no/such/path')).statusCode).toBe(401);
  });

  test('each role may do what the ones before it may, and no more', async () => {
    const api = await guarded(three);
    const network = { vni: 9, cidr: '10.50.0.0/24' };
    const tries = async (token: string): Promise<number[]> => [
      (await send(api, 'GET', '/v2/apps', bearer(token))).statusCode,
      (await send(api, 'POST', '/v2/apps', bearer(token), { ...webApp, id: `/${token}` })).statusCode,
      (await send(api, 'PUT', '/v1/networks/back', bearer(token), network)).statusCode,
    ];
    expect(await tries('t-reader')).toEqual([200, 403, 403]);
    expect(await tries('t-operator')).toEqual([200, 201, 403]);
    expect(await tries('t-boss')).toEqual([200, 201, 201]);
    const refused = await send(api, 'POST', '/v2/apps', bearer('t-reader'), webApp);
    expect(refused.json()).toEqual({ message: 'reader has the role read; this needs operate' });
  });

  test('a refused request changes nothing', async () => {
    const api = await guarded(three);
    await send(api, 'POST', '/v2/apps', bearer('t-reader'), webApp);
    await send(api, 'POST', '/v2/apps', {}, webApp);
    expect(api.world.apps.size).toBe(0);
  });

  test('a password is checked by HTTP basic authentication', async () => {
    const api = await guarded([{ name: 'ann', role: 'read', password: await hashPassword('s3cret words') }]);
    expect((await send(api, 'GET', '/v2/info', basic('ann', 's3cret words'))).statusCode).toBe(200);
    expect((await send(api, 'GET', '/v2/info', basic('ann', 's3cret words'))).statusCode).toBe(200);
    expect((await send(api, 'GET', '/v2/info', basic('ann', 's3cret'))).statusCode).toBe(401);
    expect((await send(api, 'GET', '/v2/info', basic('bob', 's3cret words'))).statusCode).toBe(401);
    expect((await send(api, 'GET', '/v2/info', { authorization: 'Digest x' })).statusCode).toBe(401);
  });

  test('who tries wrong tokens for long is made to wait', async () => {
    const api = await guarded(three);
    const statuses = new Set<number>();
    for (let i = 0; i < 25; i += 1) {
      statuses.add((await send(api, 'GET', '/v2/info', bearer('wrong'))).statusCode);
    }
    expect([...statuses]).toEqual([401, 429]);
    const late = await send(api, 'GET', '/v2/info', bearer('wrong'));
    expect(Number(late.headers['retry-after'])).toBeGreaterThan(0);
  });

  test('a changed file is in force within a second, and a broken one changes nothing', async () => {
    const api = await guarded(three);
    await writeUserFile(file, [withToken('new', 'read')]);
    clock.advance(2000);
    expect((await send(api, 'GET', '/v2/info', bearer('t-new'))).statusCode).toBe(200);
    expect((await send(api, 'GET', '/v2/info', bearer('t-boss'))).statusCode).toBe(401);
    await writeFile(file, '{"users": [{"name": "x"}]}');
    clock.advance(2000);
    expect((await send(api, 'GET', '/v2/info', bearer('t-new'))).statusCode).toBe(200);
  });
});

describe('the file of users', () => {
  test('holds hashes only, for its owner only', async () => {
    const password = await hashPassword('open sesame');
    await writeUserFile(file, [{ name: 'ann', role: 'admin', password }]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).not.toContain('open sesame');
    expect(await verifyPassword('open sesame', password)).toBe(true);
    expect(await verifyPassword('open sesam', password)).toBe(false);
  });

  test('is refused with the field that is wrong', async () => {
    await writeFile(file, JSON.stringify({ users: [{ name: 'ann', role: 'king', token: hashToken('x') }] }));
    await expect(readUserFile(file)).rejects.toThrow(/users\.json: users\.0\.role: /);
    await writeFile(file, JSON.stringify({ users: [{ name: 'ann', role: 'read', password: 'plain' }] }));
    await expect(readUserFile(file)).rejects.toThrow(/users\.0\.password: must be a hash/);
    await expect(writeUserFile(file, [withToken('a', 'read'), withToken('a', 'read')])).rejects.toThrow(
      'a name occurs twice',
    );
  });
});

test('a token of one host is of no use for another', () => {
  const tokens = new HostTokens('key');
  const token = tokens.tokenOf(agentId('S1'));
  expect(tokens.accepts(agentId('S1'), token)).toBe(true);
  expect(tokens.accepts(agentId('S2'), token)).toBe(false);
  expect(tokens.accepts(agentId('S1'), '')).toBe(false);
  expect(new HostTokens('other key').accepts(agentId('S1'), token)).toBe(false);
});

test('one address may only send so many requests a second, where that is set', async () => {
  const api = await guarded(three, { requestsPerSecond: 2 });
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => send(api, 'GET', '/v2/info', bearer('t-boss'))),
  );
  expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 429, 429]);
});

describe('the audit log', () => {
  test('tells who changed what, also what was refused, and not what was only looked at', async () => {
    const written: AuditEntry[] = [];
    const audit = { write: (entry: AuditEntry) => void written.push(entry), close: () => Promise.resolve() };
    const api = await guarded(three, { audit });
    await send(api, 'GET', '/v2/apps', bearer('t-boss'));
    const created = await send(api, 'POST', '/v2/apps', bearer('t-boss'), webApp);
    await send(api, 'DELETE', '/v2/apps/shop/web', bearer('t-reader'));
    expect(written).toEqual([
      {
        who: 'boss',
        from: '127.0.0.1',
        method: 'POST',
        url: '/v2/apps',
        status: 201,
        deployment: created.headers['marathon-deployment-id'],
      },
      { who: 'reader', from: '127.0.0.1', method: 'DELETE', url: '/v2/apps/shop/web', status: 403 },
    ]);
  });

  test('is a file of JSON lines', async () => {
    const path = join(directory, 'audit.log');
    const log = openAuditLog(path);
    log.write({ who: 'ann', from: '192.0.2.1', method: 'PUT', url: '/v2/apps/web?force', status: 200 });
    await log.close();
    const [line] = (await readFile(path, 'utf8')).split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({ who: 'ann', method: 'PUT', timestamp: expect.anything() });
  });
});

test('what is forbidden on a cluster is refused with the field that asks for it', async () => {
  const api = new ApiHarness({
    forbidden: ['privileged', 'host-volumes', 'host-network', 'docker-parameters'],
  });
  const { status, body } = await api.call('POST', '/v2/apps', {
    id: '/x',
    container: {
      docker: { image: 'x', privileged: true, parameters: [{ key: 'cap-add', value: 'NET_ADMIN' }] },
      volumes: [{ containerPath: '/a', hostPath: '/b', mode: 'RO' }],
    },
  });
  expect(status).toBe(422);
  const { details } = body as { details: { path: string }[] };
  expect(details.map(({ path }) => path)).toEqual([
    '/container/docker/privileged',
    '/container/volumes',
    '/networks',
    '/container/docker/parameters',
  ]);
  expect((await api.call('POST', '/v2/apps', webApp)).status).toBe(201);
});

test('an executor is let to the routes of its own host only, and nobody else is, whatever the role', async () => {
  await writeUserFile(file, three);
  const hostTokens = new HostTokens('key');
  const users = await UserDirectory.open(file, clock, recordingLogger());
  const server = Fastify();
  guard(server, { users, hostTokens, audit: noAuditLog, requestsPerSecond: 0 });
  await server.register(
    hostRoutes({
      expectsHost: () => true,
      report: () => Promise.resolve(),
      counted: () => undefined,
      answered: () => false,
      connectView: () => {
        throw new Error('nobody was to get here');
      },
      bundle: { directory },
    }),
  );
  const asked = async (method: 'GET' | 'POST', host: string, what: string, headers = {}): Promise<number> => {
    const type = { 'content-type': 'application/json', ...headers };
    const url = `/v1/hosts/${host}/${what}`;
    return (await server.inject({ method, url, headers: type, payload: '{}' })).statusCode;
  };
  const own = bearer(hostTokens.tokenOf(agentId('S1')));
  expect(await asked('POST', 'S1', 'report', own)).toBe(202);
  for (const headers of [own, {}, bearer('t-boss'), basic('S2', hostTokens.tokenOf(agentId('S2')))]) {
    expect(await asked('GET', 'S2', 'view', headers)).toBe(401);
    expect(await asked('POST', 'S2', 'report', headers)).toBe(401);
  }
  await server.close();
});

test('a body that is too large is refused before it is read', async () => {
  const api = await guarded(three);
  const body = { ...webApp, env: { LONG: 'x'.repeat(5 * 1024 * 1024) } };
  const refused = await send(api, 'POST', '/v2/apps', bearer('t-boss'), body);
  expect(refused.statusCode).toBe(413);
  expect(refused.json()).toEqual({ message: expect.stringContaining('change fewer apps with each request') });
  expect(api.world.apps.size).toBe(0);
});
