import { gunzipSync } from 'node:zlib';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { SingleUser } from '../../scheduler/api/security/single-user.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

describe('every answer', () => {
  test('names the leader and is not to be cached', async () => {
    const { headers } = await api.server.inject({ method: 'GET', url: '/v2/apps' });
    expect(headers).toMatchObject({
      'x-marathon-leader': 'http://127.0.0.1:8080',
      'cache-control': 'no-cache, no-store, must-revalidate',
      pragma: 'no-cache',
      expires: '0',
      'x-frame-options': 'DENY',
      'x-xss-protection': '1; mode=block',
    });
  });

  test('is compressed for who asks for it, when it is long', async () => {
    for (let i = 0; i < 5; i += 1) await api.call('POST', '/v2/apps', { ...webApp, id: `/web-${i}` });
    const plain = await api.server.inject({ method: 'GET', url: '/v2/apps' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    const headers = { 'accept-encoding': 'gzip, deflate' };
    const short = await api.server.inject({ method: 'GET', url: '/v2/deployments?x', headers });
    const long = await api.server.inject({ method: 'GET', url: '/v2/apps', headers });
    expect(long.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(long.rawPayload).toString()).toBe(plain.body);
    expect(short.statusCode).toBe(200);
  });
});

describe('methods', () => {
  test('an unknown URL is 404, and the answer names it', async () => {
    const { status, body } = await api.call('GET', '/v2/nothing?x=1');
    expect(status).toBe(404);
    expect(body).toEqual({ message: 'URI not found: /v2/nothing' });
  });

  test('a method that a path does not have is 405, and the answer names those that it has', async () => {
    const { status, headers, body } = await api.call('DELETE', '/v2/tasks');
    expect(status).toBe(405);
    expect(headers['allow']).toBe('GET, HEAD, OPTIONS');
    expect(body).toEqual({ message: 'Method Not Allowed' });
    expect((await api.call('POST', '/v2/apps/web')).status).toBe(405);
    expect((await api.call('PUT', '/v2/apps/web/versions', {})).status).toBe(405);
  });

  test('OPTIONS tells what a path can do', async () => {
    const { statusCode, headers } = await api.server.inject({ method: 'OPTIONS', url: '/v2/apps/shop/web' });
    expect(statusCode).toBe(200);
    expect(headers['allow']).toBe('GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  });

  test('HEAD answers as GET does, without the body', async () => {
    await api.call('POST', '/v2/apps', webApp);
    const get = await api.server.inject({ method: 'GET', url: '/v2/apps/shop/web' });
    const head = await api.server.inject({ method: 'HEAD', url: '/v2/apps/shop/web' });
    expect(head.statusCode).toBe(200);
    expect(head.body).toBe('');
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    expect((await api.server.inject({ method: 'HEAD', url: '/v2/apps/none' })).statusCode).toBe(404);
  });
});

describe('pages of other origins', () => {
  const preflight = {
    origin: 'http://ui.example',
    'access-control-request-method': 'GET',
    'access-control-request-headers': 'x-mine',
  };

  test('may not read the API unless that is allowed', async () => {
    const { headers } = await api.server.inject({ method: 'GET', url: '/v2/apps', headers: preflight });
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  test('may where it is, with Marathon’s headers', async () => {
    api = new ApiHarness({ allowedOrigins: ['*'] });
    const { headers } = await api.server.inject({ method: 'GET', url: '/v2/apps', headers: preflight });
    expect(headers['access-control-allow-origin']).toBe('*');
    const answer = await api.server.inject({ method: 'OPTIONS', url: '/v2/apps', headers: preflight });
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-headers': 'x-mine',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-max-age': '86400',
    });
  });

  test('only those named may where some are', async () => {
    api = new ApiHarness({ allowedOrigins: ['http://ui.example'] });
    const from = async (origin: string) =>
      (await api.server.inject({ method: 'GET', url: '/v2/apps', headers: { origin } })).headers[
        'access-control-allow-origin'
      ];
    expect(await from('http://ui.example')).toBe('http://ui.example');
    expect(await from('http://elsewhere.example')).toBeUndefined();
  });
});

describe('the one user of --http-credentials', () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` });

  test('may do everything, and nobody else anything', async () => {
    api = new ApiHarness({ security: { users: new SingleUser('ann:se:cret') } });
    const get = async (headers: Record<string, string>) =>
      (await api.server.inject({ method: 'GET', url: '/v2/apps', headers })).statusCode;
    expect(await get(basic('ann:se:cret'))).toBe(200);
    expect(await get(basic('ann:se'))).toBe(401);
    expect(await get({})).toBe(401);
    expect(await get({ authorization: 'token=x' })).toBe(401);
    const payload = JSON.stringify({ vni: 9, cidr: '10.50.0.0/24' });
    const put = await api.server.inject({
      method: 'PUT',
      url: '/v1/networks/back',
      headers: basic('ann:se:cret'),
      payload,
    });
    expect(put.statusCode).toBe(201);
  });
});
