import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

const inject = (method: 'GET' | 'HEAD' | 'POST' | 'DELETE', url: string, headers = {}) =>
  api.server.inject({ method, url, headers });

// Marathon's UI puts the id, which begins with a slash, behind a slash; others encode it.
describe('ids in URLs', () => {
  beforeEach(async () => {
    await api.call('POST', '/v2/apps', { ...webApp, cpus: 1000 });
  });

  test.each([
    '/v2/apps//shop/web',
    '//v2/apps/shop/web/',
    '/v2/apps/%2Fshop%2Fweb',
    '/v2/apps/shop%2Fweb?_=1518105600000',
    '/v2/apps//shop/web/versions',
    '/v2/apps/%2Fshop%2Fweb/tasks',
    '/v2/groups//shop',
    '/v2/groups/%2Fshop/apps',
  ])('%s is found', async (url) => expect((await inject('GET', url)).statusCode).toBe(200));

  test('the delay of an app is reset below its id with two slashes', async () => {
    expect((await inject('DELETE', '/v2/queue//shop/web/delay')).statusCode).toBe(204);
    expect((await inject('DELETE', '/v2/queue//shop/web')).statusCode).toBe(405);
  });

  test('slashes in a query are left alone', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, id: '/get', cmd: 'curl http://x' });
    const { apps } = (await inject('GET', '//v2/apps?cmd=curl%20http://x')).json<{
      apps: { id: string }[];
    }>();
    expect(apps.map(({ id }) => id)).toEqual(['/get']);
  });

  test('what cannot be decoded is refused in the form of every other refusal', async () => {
    const answer = await inject('GET', '/v2/apps/%zz');
    expect([answer.statusCode, answer.json()]).toEqual([400, { message: expect.stringContaining('%zz') }]);
  });
});

describe('what can be no id', () => {
  test.each([
    ['GET', '/v2/apps/Shop_Web', "App '/Shop_Web' does not exist"],
    ['GET', '/v2/apps/Shop_Web/versions', "App '/Shop_Web' does not exist"],
    ['DELETE', '/v2/apps//Shop_Web', "App '/Shop_Web' does not exist"],
    ['DELETE', '/v2/apps/shop/restart', "App '/shop/restart' does not exist"],
    ['POST', '/v2/apps/Shop_Web/restart', "App '/Shop_Web' does not exist"],
    ['GET', '/v2/groups/Shop_Web', "Group '/Shop_Web' does not exist"],
    ['GET', '/v2/groups/Shop/versions/2026-01-02T03:04:05.000Z', "Group '/Shop' does not exist in version"],
    ['DELETE', '/v2/groups/Shop', "Group '/Shop' does not exist"],
    ['DELETE', '/v2/queue/Shop/delay', 'Application /Shop not found in tasks queue.'],
  ] as const)('%s %s: nothing of that name is there', async (method, url, message) => {
    const { status, body } = await api.call(method, url);
    expect([status, body['message']]).toEqual([404, expect.stringContaining(message)]);
  });

  test('is refused where it is to be made', async () => {
    for (const url of ['/v2/apps/Shop_Web', '/v2/groups/Shop_Web']) {
      const { status, body } = await api.call('PUT', url, url.includes('apps') ? webApp : { apps: [] });
      expect([status, body]).toMatchObject([422, { details: [{ path: '/id' }] }]);
    }
    expect((await api.call('PATCH', '/v2/apps/Shop_Web', { instances: 1 })).status).toBe(404);
    const root = await api.call('POST', '/v2/apps', { ...webApp, id: '/' });
    expect(root.body).toMatchObject({ details: [{ path: '/id', errors: ['must not be root'] }] });
  });
});

test('an app that is being deleted is not there any more, though its tasks are until they end', async () => {
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
  await api.call('DELETE', '/v2/apps/shop/web');
  for (const url of ['/v2/apps/shop/web', '/v2/apps/shop/web/tasks', '/v2/apps/shop/web/versions']) {
    expect((await api.call('GET', url)).status).toBe(404);
  }
  for (const method of ['PATCH', 'DELETE'] as const)
    expect((await api.call(method, '/v2/apps/shop/web', {})).status).toBe(404);
  expect((await api.call('GET', '/v2/apps')).body['apps']).toEqual([]);
  expect((await api.call('GET', '/v2/tasks')).body['tasks']).toMatchObject([{}, {}]);
  const { deploymentId } = (await api.call('PUT', '/v2/apps/shop/web?force=true', webApp)).body;
  expect(deploymentId).toEqual(expect.any(String));
  expect((await api.call('GET', '/v2/apps/shop/web')).body['app']).toMatchObject({ instances: 2 });
});

describe('an update', () => {
  beforeEach(async () => {
    await api.call('POST', '/v2/apps', { ...webApp, user: 'ann' });
    api.runAll();
  });

  test('with partialUpdate=false is the definition, and a version in it means nothing', async () => {
    const whole = { ...webApp, cpus: 0.2, version: '2020-01-01T00:00:00.000Z' };
    expect((await api.call('PUT', '/v2/apps/shop/web?partialUpdate=false', whole)).status).toBe(200);
    const { app } = (await api.call<{ app: object }>('GET', '/v2/apps/shop/web')).body;
    expect(app).toMatchObject({ cpus: 0.2 });
    expect(app).not.toHaveProperty('user');
  });

  test('by PATCH is always a partial one', async () => {
    await api.call('PATCH', '/v2/apps/shop/web?partialUpdate=false', { instances: 3 });
    expect((await api.call('GET', '/v2/apps/shop/web')).body['app']).toMatchObject({
      instances: 3,
      user: 'ann',
    });
  });

  test('with a version beside other fields is refused; of an app that is not there it is 404', async () => {
    const version = '2020-01-01T00:00:00.000Z';
    expect(await api.call('PUT', '/v2/apps/shop/web', { version, cpus: 1 })).toMatchObject({
      status: 422,
      body: { message: "The 'version' field may only be combined with the 'id' field." },
    });
    expect(await api.call('PUT', '/v2/apps/none', { version })).toMatchObject({
      status: 404,
      body: { message: "App '/none' does not exist" },
    });
  });
});

test('the answer to a POST names the deployment also when there is nothing to deploy', async () => {
  const { body, headers } = await api.call('POST', '/v2/apps', { ...webApp, instances: 0 });
  expect(body).toMatchObject({
    tasksStaged: 0,
    tasksRunning: 0,
    tasksHealthy: 0,
    tasksUnhealthy: 0,
    deployments: [{ id: headers['marathon-deployment-id'] }],
  });
  expect(body).not.toHaveProperty('tasks');
  expect((await api.call('GET', '/v2/apps/shop/web')).body['app']).toMatchObject({ deployments: [] });
});

describe('definitions', () => {
  test('have their few-valued words in any case, and half an unreachable strategy', async () => {
    const { status, body } = await api.call('POST', '/v2/apps', {
      id: '/loose',
      container: {
        type: 'docker',
        docker: { image: 'web:1', network: 'Bridge', portMappings: [{ protocol: 'UDP' }] },
      },
      healthChecks: [{ protocol: 'http' }],
      killSelection: 'oldest_first',
      unreachableStrategy: { expungeAfterSeconds: 60 },
      acceptedResourceRoles: ['*', '*'],
      storeUrls: 'dropped',
    });
    expect({ status, body }).toMatchObject({
      status: 201,
      body: {
        container: { type: 'DOCKER', portMappings: [{ protocol: 'udp' }] },
        networks: [{ mode: 'container/bridge' }],
        healthChecks: [{ protocol: 'HTTP' }],
        killSelection: 'OLDEST_FIRST',
        unreachableStrategy: { inactiveAfterSeconds: 0, expungeAfterSeconds: 60 },
        acceptedResourceRoles: ['*'],
      },
    });
  });

  test('are refused with the field inside of the form that was meant', async () => {
    const { body } = await api.call('POST', '/v2/apps', {
      ...webApp,
      env: { COUNT: 3, KEY: { secret: 4 } },
      resourceLimits: { cpus: 'many' },
      unreachableStrategy: { inactiveAfterSeconds: 'x' },
    });
    expect(body).toEqual({
      message: 'Invalid JSON',
      details: [
        { path: '/env/COUNT', errors: [expect.stringMatching(/^must be a string/)] },
        { path: '/env/KEY/secret', errors: ['error.expected.jsstring'] },
        {
          path: '/resourceLimits/cpus',
          errors: ["'many' is an invalid resource limit. It must be 'unlimited' or a number"],
        },
        { path: '/unreachableStrategy/inactiveAfterSeconds', errors: ['error.expected.jsnumber'] },
      ],
    });
  });

  test('with fields named like what every object has are told of all the same', async () => {
    const { headers } = await api.call('POST', '/v2/apps', { ...webApp, toString: 1 });
    expect(headers['x-patchpanel-ignored-fields']).toBe('/toString');
    expect((await api.call('POST', '/v2/apps?strict=true', { ...webApp, constructor: {} })).status).toBe(422);
  });
});

test('JSON is application/json and nothing more', async () => {
  for (const url of ['/v2/apps', '/v2/info', '/v2/nothing', '/v2/deployments'])
    expect((await inject('GET', url)).headers['content-type']).toBe('application/json');
});

test('a status that is none filters nothing', async () => {
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
  const count = async (query: string) =>
    ((await api.call('GET', `/v2/tasks?${query}`)).body['tasks'] as unknown[]).length;
  expect([await count('status=any'), await count('status=staging'), await count('status[]=RUNNING')]).toEqual(
    [2, 0, 2],
  );
});

test('only what waits has a delay that can be reset', async () => {
  await api.call('POST', '/v2/apps', webApp);
  expect((await api.call('DELETE', '/v2/queue/shop/web/delay')).status).toBe(204);
  api.runAll();
  expect(await api.call('DELETE', '/v2/queue/shop/web/delay')).toMatchObject({
    status: 404,
    body: { message: 'Application /shop/web not found in tasks queue.' },
  });
});

test('who comes to the root with a browser is led to the page', async () => {
  const answer = await inject('GET', '/');
  expect([answer.statusCode, answer.headers.location]).toEqual([302, '/help']);
});
