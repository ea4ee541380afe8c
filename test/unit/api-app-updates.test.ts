import { beforeEach, describe, expect, test } from '@jest/globals';
import { appId } from '../../src/model/ids.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;
const url = '/v2/apps/shop/web';

beforeEach(async () => {
  api = new ApiHarness();
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
});

const send = (
  method: 'GET' | 'PUT' | 'PATCH' | 'DELETE' | 'POST',
  path: string,
  headers: Record<string, string>,
  body?: unknown,
) =>
  api.server.inject({
    method,
    url: path,
    headers,
    ...(body === undefined ? {} : { payload: JSON.stringify(body) }),
  });

const tagOf = async (): Promise<string> => String((await send('GET', url, {})).headers['etag']);

describe('If-Match', () => {
  test('lets a change through that was made from the present definition, and the answer has the new tag', async () => {
    const tag = await tagOf();
    const changed = await send('PUT', `${url}?force=true`, { 'if-match': tag }, { instances: 3 });
    expect(changed.statusCode).toBe(200);
    expect(changed.headers['etag']).toBe(await tagOf());
    expect(await tagOf()).not.toBe(tag);
  });

  test.each(['PUT', 'PATCH', 'DELETE'] as const)(
    'refuses a %s made from an older definition',
    async (method) => {
      const old = await tagOf();
      await api.call('PUT', `${url}?force=true`, { instances: 3 });
      const body = method === 'DELETE' ? undefined : { instances: 9 };
      const { statusCode, json } = await send(method, `${url}?force=true`, { 'if-match': old }, body);
      expect(statusCode).toBe(412);
      expect(json()).toHaveProperty('message', expect.stringContaining(await tagOf()));
      expect(api.world.apps.get(appId('/shop/web'))?.instances).toBe(3);
    },
  );

  test('does not create what is not there', async () => {
    const { statusCode } = await send('PUT', '/v2/apps/other', { 'if-match': '*' }, webApp);
    expect(statusCode).toBe(412);
  });

  test('If-None-Match: * creates and does not overwrite', async () => {
    const fresh = { 'if-none-match': '*' };
    const { id: _id, ...definition } = webApp;
    expect((await send('PUT', '/v2/apps/other', fresh, definition)).statusCode).toBe(201);
    expect((await send('PUT', '/v2/apps/other?force=true', fresh, { instances: 5 })).statusCode).toBe(412);
  });

  test('If-None-Match: * creates several apps or, when some exist, names them and changes nothing', async () => {
    const fresh = { 'if-none-match': '*' };
    const several = (...ids: string[]) => ids.map((id) => ({ ...webApp, id, instances: 7 }));
    const put = (headers: Record<string, string>, ...ids: string[]) =>
      send('PUT', '/v2/apps?force=true', headers, several(...ids));
    expect((await put(fresh, '/a', 'b')).statusCode).toBe(200);
    const refused = await put(fresh, '/c', 'shop/web', '/a');
    expect(refused.statusCode).toBe(412);
    expect(refused.json()).toHaveProperty('message', expect.stringContaining('/shop/web, /a;'));
    expect(api.world.apps.has(appId('/c'))).toBe(false);
    expect(api.world.apps.get(appId('/shop/web'))?.instances).toBe(2);
    expect((await put({ 'if-none-match': '"x"' }, '/d')).statusCode).toBe(400);
  });

  test('If-None-Match: * holds against one who creates the same meanwhile', async () => {
    const original = api.beforeChange;
    api.beforeChange = () => {
      api.beforeChange = original;
      const web = api.world.apps.get(appId('/shop/web'))!;
      const apps = [{ ...web, id: appId('/b'), instances: 1 }];
      api.step({ kind: 'change', change: { kind: 'put-apps', apps, force: true } });
    };
    const several = ['/a', '/b'].map((id) => ({ ...webApp, id, instances: 7 }));
    const { statusCode } = await send('PUT', '/v2/apps', { 'if-none-match': '*' }, several);
    expect(statusCode).toBe(412);
    expect(api.world.apps.has(appId('/a'))).toBe(false);
    expect(api.world.apps.get(appId('/b'))?.instances).toBe(1);
  });
});

test('an update that another one overtakes is merged anew, so that neither is lost', async () => {
  const original = api.beforeChange;
  let raced = false;
  api.beforeChange = () => {
    if (raced) return;
    raced = true;
    const before = api.world.apps.get(appId('/shop/web'));
    if (before === undefined) throw new Error('no app');
    api.step({
      kind: 'change',
      change: { kind: 'put-apps', apps: [{ ...before, labels: { team: 'a' } }], force: true },
    });
  };
  expect((await api.call('PUT', `${url}?force=true`, { instances: 4 })).status).toBe(200);
  api.beforeChange = original;
  expect(api.world.apps.get(appId('/shop/web'))).toMatchObject({ instances: 4, labels: { team: 'a' } });
});

describe('a merge patch', () => {
  const patch = { 'content-type': 'application/merge-patch+json' };

  test('takes away what it says is null', async () => {
    await api.call('PUT', `${url}?force=true`, { user: 'nobody', cmd: 'run', labels: { a: 'b' } });
    const { statusCode } = await send('PATCH', `${url}?force=true`, patch, { user: null, cmd: null });
    expect(statusCode).toBe(200);
    const app = api.world.apps.get(appId('/shop/web'));
    expect(app).not.toHaveProperty('user');
    expect(app).not.toHaveProperty('cmd');
    expect(app?.labels).toEqual({ a: 'b' });
  });

  test('in any other body null is a field that was left out', async () => {
    await api.call('PUT', `${url}?force=true`, { user: 'nobody' });
    await api.call('PATCH', `${url}?force=true`, { user: null });
    expect(api.world.apps.get(appId('/shop/web'))?.user).toBe('nobody');
  });
});

test('an app takes the place of an empty group, and of no other', async () => {
  const { id: _id, ...definition } = webApp;
  await api.call('POST', '/v2/groups', { id: '/empty' });
  expect((await api.call('PUT', '/v2/apps/empty', definition)).status).toBe(201);
  const taken = await api.call('PUT', '/v2/apps/shop', definition);
  expect(taken).toMatchObject({ status: 422, body: { details: [{ path: '/id' }] } });
});

test('files in the older form take the place of those that the app has, be they none', async () => {
  const files = async (update: Record<string, unknown>) => {
    expect((await api.call('PUT', `${url}?force=true`, update)).status).toBe(200);
    return api.world.apps.get(appId('/shop/web'))?.fetch.map(({ uri }) => uri);
  };
  const [one, other] = ['http://files/one', 'http://files/other'];
  expect(await files({ uris: [one] })).toEqual([one]);
  expect(await files({ uris: [other] })).toEqual([other]);
  expect(await files({ instances: 3 })).toEqual([other]);
  expect(await files({ uris: [] })).toEqual([]);
  expect((await api.call('PUT', `${url}?force=true`, { uris: [one], fetch: [{ uri: other }] })).status).toBe(
    422,
  );
});

test('flags are understood as Python writes them', async () => {
  expect((await api.call('PUT', `${url}?force=False`, { instances: 3 })).status).toBe(200);
  expect((await api.call('PUT', `${url}?force=False`, { instances: 4 })).status).toBe(409);
  expect((await api.call('PUT', `${url}?force=True`, { instances: 4 })).status).toBe(200);
});

test('a version may be named in any way of writing its time', async () => {
  const [version = ''] = (await api.call<{ versions: string[] }>('GET', `${url}/versions`)).body.versions;
  const sameMoment = version.replace('.000Z', '%2B00:00');
  expect(sameMoment).not.toBe(version);
  const { body } = await api.call('GET', `${url}/versions/${sameMoment}`);
  expect(body).toMatchObject({ id: '/shop/web', version });
  expect(body).not.toHaveProperty('tasksRunning');
});

describe('an app from before a rule', () => {
  const privileged = { container: { docker: { image: 'web:1', privileged: true } } };
  const isForbidden = (path: string) => ({
    status: 422,
    body: { details: [{ path, errors: [expect.stringMatching(/^privileged is forbidden/)] }] },
  });

  test('is scaled down and suspended by PUT, not up; a new one is refused at its place', async () => {
    await api.call('PUT', `${url}?force=true`, { ...privileged, instances: 3 });
    api.forbid('privileged');
    for (const instances of [2, 0]) {
      expect(await api.call('PUT', `${url}?force=true`, { instances })).toMatchObject({ status: 200 });
      const app = api.world.apps.get(appId('/shop/web'));
      expect(app).toMatchObject({ instances, container: { privileged: true } });
    }
    const path = '/container/docker/privileged';
    expect(await api.call('PUT', `${url}?force=true`, { instances: 1 })).toMatchObject(isForbidden(path));
    const other = { id: '/other', ...privileged };
    expect(await api.call('POST', '/v2/apps', other)).toMatchObject(isForbidden(path));
    expect(await api.call('PUT', '/v2/apps?force=true', [webApp, other])).toMatchObject(
      isForbidden(`(1)${path}`),
    );
    expect(
      await api.call('POST', '/v2/groups', { id: '/new', apps: [{ ...other, id: 'web' }] }),
    ).toMatchObject(isForbidden(`/apps(0)${path}`));
  });
});

test('a handover by name is in the way of no number of instances', async () => {
  const definition = {
    instances: 10,
    labels: { 'patchpanel.handover': 'drain' },
    upgradeStrategy: { minimumHealthCapacity: 0.5, maximumOverCapacity: 0.2 },
  };
  await api.call('PUT', `${url}?force=true`, definition);
  for (const instances of [2, 3, 0])
    expect((await api.call('PUT', `${url}?force=true`, { instances })).status).toBe(200);
});

describe('a group', () => {
  const group = '/v2/groups/shop';
  const tag = async () => String((await send('GET', group, {})).headers['etag']);

  test('is changed with If-Match only as it was read, also when an app in it has changed since', async () => {
    const before = await tag();
    expect((await send('PUT', `${url}?force=true`, {}, { instances: 3 })).statusCode).toBe(200);
    expect(await tag()).not.toBe(before);
    const scaled = (headers: Record<string, string>) =>
      send('PUT', `${group}?force=true`, headers, { scaleBy: 2 });
    expect((await scaled({ 'if-match': before })).statusCode).toBe(412);
    expect((await send('DELETE', `${group}?force=true`, { 'if-match': before })).statusCode).toBe(412);
    expect((await scaled({ 'if-match': await tag() })).statusCode).toBe(200);
    expect(api.world.apps.get(appId('/shop/web'))?.instances).toBe(6);
  });

  test('goes back to the version that is named in the URL', async () => {
    const [newest] = (await api.call<string[]>('GET', `${group}/versions`)).body;
    await api.call('PUT', `${url}?force=true`, { instances: 5 });
    const { status } = await api.call('PUT', `${group}/versions/${newest}?force=true`);
    expect(status).toBe(200);
    expect(api.world.apps.get(appId('/shop/web'))?.instances).toBe(2);
  });
});
