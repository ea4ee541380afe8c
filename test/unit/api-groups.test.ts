import { beforeEach, describe, expect, test } from '@jest/globals';
import { ApiHarness } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

const app = (id: string, fields: Record<string, unknown> = {}) => ({
  id,
  instances: 0,
  container: { docker: { image: 'web:1' } },
  ...fields,
});

const shop = {
  id: '/shop',
  groups: [
    { id: 'db', apps: [app('mongo')] },
    {
      id: '/shop/front',
      dependencies: ['../db'],
      apps: [app('web', { dependencies: ['./api', '../../cache'] }), app('/shop/front/api')],
    },
  ],
};

interface Detail {
  path: string;
  errors: string[];
}
const detailsOf = (body: unknown) => (body as { details: Detail[] }).details;

describe('creating a group', () => {
  test('answers 201 with version and deployment, and makes every id absolute', async () => {
    const { status, headers, body } = await api.call('POST', '/v2/groups', shop);
    expect(status).toBe(201);
    expect(headers['location']).toBe('/v2/groups/shop');
    expect(body).toEqual({ version: expect.any(String), deploymentId: headers['marathon-deployment-id'] });
    const group = await api.call('GET', '/v2/groups/shop');
    expect(group.body).toMatchObject({
      id: '/shop',
      apps: [],
      pods: [],
      dependencies: [],
      version: body['version'],
      groups: [
        { id: '/shop/db', apps: [{ id: '/shop/db/mongo' }], dependencies: [] },
        {
          id: '/shop/front',
          dependencies: ['/shop/db'],
          apps: [
            { id: '/shop/front/web', dependencies: ['/shop/front/api', '/shop/cache'] },
            { id: '/shop/front/api' },
          ],
        },
      ],
    });
  });

  test('below another one takes its id from the URL or relative to it', async () => {
    expect((await api.call('POST', '/v2/groups/shop', { apps: [app('web')] })).status).toBe(201);
    expect((await api.call('POST', '/v2/groups/shop', { id: 'back' })).status).toBe(201);
    expect(api.world.groups.has('/shop/back' as never)).toBe(true);
  });

  test('that exists is a conflict, and so is one with the name of an app', async () => {
    await api.call('POST', '/v2/groups', shop);
    await api.call('POST', '/v2/apps', app('/web'));
    const again = await api.call('POST', '/v2/groups', shop);
    expect([again.status, again.body]).toEqual([
      409,
      { message: 'Group /shop is already created. Use PUT to change this group.' },
    ]);
    const taken = await api.call('POST', '/v2/groups', { id: '/web' });
    expect([taken.status, taken.body['message']]).toEqual([409, 'An app with the path /web already exists.']);
    expect((await api.call('POST', '/v2/groups', {})).body['message']).toBe(
      'Group / is already created. Use PUT to change this group.',
    );
  });
});

describe('bad input stores nothing and names the field', () => {
  const cases: [string, unknown, string, RegExp][] = [
    ['an id that is none', { id: '/Shop' }, '/id', /must fully match/],
    ['a group elsewhere', { id: '/a', groups: [{ id: '/b' }] }, '/groups(0)/id', /not child of '\/a'/],
    ['a group without id', { id: '/a', groups: [{}] }, '/groups(0)/id', /missing/],
    ['an app elsewhere', { id: '/a', apps: [app('/b')] }, '/apps(0)/id', /not child of '\/a'/],
    ['an app twice', { id: '/a', apps: [app('x'), app('x')] }, '/apps(1)/id', /given twice/],
    [
      'a group and an app of one name',
      { id: '/a', apps: [app('x')], groups: [{ id: 'x' }] },
      '/groups(0)/id',
      /given twice/,
    ],
    [
      'an app that is not valid, deep inside',
      { id: '/a', groups: [{ id: 'b', apps: [app('x'), app('y', { cmd: 'a', args: ['b'] })] }] },
      '/groups(0)/apps(1)/',
      /one of 'cmd' or 'args'/,
    ],
    [
      'a dependency that is no path',
      { id: '/a', dependencies: ['_'] },
      '/dependencies(0)',
      /must fully match/,
    ],
    [
      'a cycle',
      { id: '/a', apps: [app('x', { dependencies: ['y'] }), app('y', { dependencies: ['x'] })] },
      '/apps(0)/dependencies',
      /Dependency graph has cyclic dependencies\./,
    ],
    ['pods', { id: '/a', pods: [{}] }, '/pods', /not supported/],
    ['a role below the top', { id: '/a/b', enforceRole: true }, '/enforceRole', /top-level/],
    [
      'a role that no app has',
      { id: '/a', enforceRole: true },
      '/enforceRole',
      /every app has the role '\*'/,
    ],
    ['scaling of what is not there', { id: '/a', scaleBy: 2 }, '/scaleBy', /PUT/],
  ];
  test.each(cases)('%s', async (_, body, path, message) => {
    const before = JSON.stringify([...api.world.groups, ...api.world.apps]);
    const answer = await api.call('POST', '/v2/groups', body);
    expect(answer.status).toBe(422);
    const found = detailsOf(answer.body).find((detail) => detail.path === path);
    expect(found?.errors.join(' ')).toMatch(message);
    expect(JSON.stringify([...api.world.groups, ...api.world.apps])).toBe(before);
  });

  test('groups nested without end', async () => {
    const body = '{"id":"a","groups":['.repeat(50_000);
    const answer = await api.call('POST', '/v2/groups', body);
    expect([answer.status, answer.body['message']]).toEqual([400, 'Invalid JSON']);
  });
});

describe('a PUT', () => {
  test('replaces the lists that it gives and keeps the rest', async () => {
    await api.call('POST', '/v2/groups', shop);
    const put = await api.call('PUT', '/v2/groups/shop/front', { apps: [app('api')] });
    expect(put.status).toBe(200);
    expect(put.body).toEqual({
      version: expect.any(String),
      deploymentId: put.headers['marathon-deployment-id'],
    });
    const { body } = await api.call('GET', '/v2/groups/shop/front');
    expect(body).toMatchObject({ dependencies: ['/shop/db'], apps: [{ id: '/shop/front/api' }] });
  });

  test('creates what is not there, with 200 as Marathon does', async () => {
    expect((await api.call('PUT', '/v2/groups/new', { apps: [app('x')] })).status).toBe(200);
    expect((await api.call('GET', '/v2/apps/new/x')).status).toBe(200);
  });

  test('of what a GET gave changes nothing but the version', async () => {
    await api.call('POST', '/v2/groups', shop);
    const read = await api.call('GET', '/v2/groups/shop');
    const put = await api.call('PUT', '/v2/groups/shop', read.body);
    expect(put.status).toBe(200);
    const again = await api.call('GET', '/v2/groups/shop');
    const withoutVersions = (body: unknown) => JSON.stringify(body).replaceAll(/"version":"[^"]*"/g, '');
    expect(withoutVersions(again.body)).toBe(withoutVersions(read.body));
    const stale = await api.call('PUT', '/v2/groups/shop', read.body);
    expect(detailsOf(stale.body)).toEqual([
      { path: '/version', errors: ['not allowed in conjunction with other properties'] },
    ]);
  });

  test('scales everything below', async () => {
    await api.call('PUT', '/v2/groups/shop', {
      apps: [app('a', { instances: 3 }), app('b', { instances: 1 })],
    });
    const put = await api.call('PUT', '/v2/groups/shop?force=true', { scaleBy: 1.5 });
    expect(put.status).toBe(200);
    expect([...api.world.apps.values()].map(({ instances }) => instances)).toEqual([5, 2]);
    const both = await api.call('PUT', '/v2/groups/shop', { scaleBy: 2, apps: [] });
    expect([both.status, detailsOf(both.body)[0]?.path]).toEqual([422, '/scaleBy']);
    expect((await api.call('PUT', '/v2/groups/nowhere', { scaleBy: 2 })).status).toBe(404);
  });

  test('brings an older version back', async () => {
    const first = await api.call('POST', '/v2/groups', shop);
    await api.call('PUT', '/v2/groups/shop', { groups: [], apps: [app('only')] });
    const versions = await api.call<string[]>('GET', '/v2/groups/shop/versions');
    expect(versions.body).toEqual([expect.any(String), first.body['version']]);
    const older = await api.call('GET', `/v2/groups/shop/versions/${versions.body[1]}`);
    expect(older.body).toMatchObject({ id: '/shop', groups: [{ id: '/shop/db' }, { id: '/shop/front' }] });
    expect((await api.call('PUT', '/v2/groups/shop', { version: versions.body[1] })).status).toBe(200);
    expect([...api.world.apps.keys()].sort()).toEqual([
      '/shop/db/mongo',
      '/shop/front/api',
      '/shop/front/web',
    ]);
  });

  test('brings one back in the form of older clients, too, which write //', async () => {
    const first = await api.call('POST', '/v2/groups', shop);
    await api.call('PUT', '/v2/groups//shop', { groups: [] });
    expect(api.world.apps.size).toBe(0);
    const back = await api.call('PUT', `/v2/groups//shop/versions/${String(first.body['version'])}`);
    expect([back.status, back.body['deploymentId']]).toEqual([200, back.headers['marathon-deployment-id']]);
    expect(api.world.apps.size).toBe(3);
  });

  test('of a version that is none, or of none that is known, is refused', async () => {
    await api.call('POST', '/v2/groups', shop);
    const bad = await api.call('PUT', '/v2/groups/shop', { version: 'yesterday' });
    expect(bad.status).toBe(422);
    const unknown = await api.call('PUT', '/v2/groups/shop', { version: '2020-01-01T00:00:00.000Z' });
    expect([unknown.status, unknown.body['message']]).toEqual([
      404,
      "Group '/shop' does not exist in version 2020-01-01T00:00:00.000Z",
    ]);
  });

  test('says what it would do when asked for a dry run', async () => {
    const answer = await api.call('PUT', '/v2/groups/shop?dryRun=true', {
      apps: [app('web', { instances: 1 })],
    });
    expect([answer.status, answer.body]).toEqual([
      200,
      {
        steps: [
          { actions: [{ action: 'StartApplication', app: '/shop/web' }] },
          { actions: [{ action: 'ScaleApplication', app: '/shop/web' }] },
        ],
      },
    ]);
    expect(api.world.apps.size).toBe(0);
    expect(api.world.groups.size).toBe(1);
  });

  test('is refused while a deployment holds one of its apps', async () => {
    const first = await api.call('PUT', '/v2/groups/shop', { apps: [app('web', { instances: 1 })] });
    const second = await api.call('PUT', '/v2/groups/shop', { scaleBy: 2 });
    expect([second.status, second.body['deployments']]).toEqual([409, [{ id: first.body['deploymentId'] }]]);
    expect((await api.call('PUT', '/v2/groups/shop?force=true', { scaleBy: 2 })).status).toBe(200);
  });
});

test('a change can be tied to the version that was read', async () => {
  await api.call('POST', '/v2/groups', shop);
  const { headers } = await api.call('GET', '/v2/groups/shop');
  const put = (tag: unknown) =>
    api.server.inject({
      method: 'PUT',
      url: '/v2/groups/shop',
      headers: { 'if-match': String(tag) },
      payload: JSON.stringify({ dependencies: ['/base'] }),
    });
  expect((await put(headers['etag'])).statusCode).toBe(200);
  const stale = await put(headers['etag']);
  expect([stale.statusCode, stale.json()]).toEqual([
    412,
    { message: expect.stringMatching(/^If-Match does not hold/) },
  ]);
});

test('what is put again without ports keeps the automatic ones, and its tasks', async () => {
  const body = { apps: [app('web', { instances: 1, ports: [0, 8080, 0] })] };
  await api.call('PUT', '/v2/groups/shop', body);
  api.runAll();
  const before = [...api.world.apps.values()];
  expect(before[0]?.portDefinitions.map(({ port }) => port)).toEqual([10_000, 8080, 10_001]);
  const again = await api.call('PUT', '/v2/groups/shop', body);
  expect(again.status).toBe(200);
  expect([...api.world.apps.values()]).toEqual(before);
  expect(api.world.deployments.size).toBe(0);
});

describe('reading', () => {
  beforeEach(async () => {
    await api.call('POST', '/v2/groups', shop);
    await api.call('POST', '/v2/apps', app('/alone'));
  });

  test('the root is always there, with everything below it', async () => {
    const { body } = await api.call('GET', '/v2/groups');
    expect(body).toMatchObject({ id: '/', apps: [{ id: '/alone' }], groups: [{ id: '/shop' }] });
    expect((await api.call('GET', '/v2/groups/')).body).toEqual(body);
    expect((await new ApiHarness().call('GET', '/v2/groups')).body).toMatchObject({
      id: '/',
      apps: [],
      groups: [],
    });
  });

  test('embeds what is asked for', async () => {
    const { body } = await api.call('GET', '/v2/groups?embed=group.apps');
    expect(Object.keys(body).sort()).toEqual(['apps', 'dependencies', 'id', 'version']);
    const apps = (answer: { body: Record<string, unknown> }) =>
      answer.body['apps'] as Record<string, unknown>[];
    expect(apps(await api.call('GET', '/v2/groups'))[0]).not.toHaveProperty('tasks');
    const withTasks = await api.call('GET', '/v2/groups?embed=group.apps&embed=group.apps.tasks');
    expect(apps(withTasks)[0]).toMatchObject({ tasks: [], tasksRunning: 0, deployments: [] });
  });

  test('lists all apps below a group', async () => {
    const below = await api.call<{ id: string }[]>('GET', '/v2/groups/shop/apps');
    expect(below.body.map(({ id }) => id)).toEqual(['/shop/db/mongo', '/shop/front/web', '/shop/front/api']);
    expect((await api.call<unknown[]>('GET', '/v2/groups/apps')).body).toHaveLength(4);
    expect((await api.call('GET', '/v2/apps/shop/*')).body['*']).toHaveLength(3);
  });

  test('of what is not there is 404', async () => {
    for (const path of ['', '/apps', '/versions']) {
      const { status, body } = await api.call('GET', `/v2/groups/nowhere${path}`);
      expect([status, body['message']]).toEqual([404, "Group '/nowhere' does not exist"]);
    }
    expect((await api.call('GET', '/v2/apps/nowhere/*')).status).toBe(404);
  });
});

test('a group is deleted with everything below it, and the root is emptied', async () => {
  await api.call('POST', '/v2/groups', shop);
  await api.call('POST', '/v2/apps', app('/alone'));
  const { status, headers, body } = await api.call('DELETE', '/v2/groups/shop');
  expect([status, body['deploymentId']]).toEqual([200, headers['marathon-deployment-id']]);
  expect((await api.call('GET', '/v2/groups/shop')).status).toBe(404);
  expect((await api.call('DELETE', '/v2/groups/shop')).status).toBe(404);
  expect((await api.call('DELETE', '/v2/groups')).status).toBe(200);
  expect([api.world.apps.size, api.world.groups.size]).toEqual([0, 1]);
});

test('whether roles are enforced is for top-level groups, and only as far as it holds anyway', async () => {
  await api.call('POST', '/v2/groups', shop);
  expect((await api.call('PATCH', '/v2/groups/shop', { enforceRole: false })).status).toBe(200);
  expect((await api.call('GET', '/v2/groups/shop')).body['enforceRole']).toBe(false);
  const below = await api.call('PATCH', '/v2/groups/shop/db', { enforceRole: false });
  expect(detailsOf(below.body)).toEqual([{ path: '/id', errors: ['Path needs to be top-level'] }]);
  expect((await api.call('PATCH', '/v2/groups/shop', { enforceRole: true })).status).toBe(422);
  expect((await api.call('PATCH', '/v2/groups/nowhere', { enforceRole: false })).status).toBe(404);
});

test('an app keeps its dependencies through a GET and a PUT, and a partial update', async () => {
  await api.call('POST', '/v2/apps', app('/shop/web', { dependencies: ['../db', 'cache', '/other'] }));
  const dependencies = ['/shop/db', '/shop/cache', '/other'];
  const read = await api.call<{ app: Record<string, unknown> }>('GET', '/v2/apps/shop/web');
  expect(read.body.app['dependencies']).toEqual(dependencies);
  await api.call('PATCH', '/v2/apps/shop/web', { mem: 64 });
  expect((await api.call<{ app: object }>('GET', '/v2/apps/shop/web')).body.app).toMatchObject({
    dependencies,
  });
});

describe('deployments', () => {
  interface Fate {
    id: string;
    state: string;
  }

  test('are told of with their deadline while they run, and with how they ended', async () => {
    const labels = {
      'patchpanel.deploymentDeadlineSeconds': '60',
      'patchpanel.onDeploymentFailure': 'rollback',
    };
    const created = await api.call('POST', '/v2/apps', app('/web', { instances: 1, labels }));
    const id = String(created.headers['marathon-deployment-id']);
    const running = await api.call('GET', `/v1/deployments/${id}`);
    expect(running.body).toMatchObject({
      id,
      state: 'running',
      currentStep: 2,
      totalSteps: 2,
      onFailure: 'rollback',
      deadline: expect.stringMatching(/Z$/),
    });
    api.now += 60_000;
    api.step({ kind: 'tick' });
    const history = await api.call<{ deployments: Fate[] }>('GET', '/v1/deployments/history');
    expect(history.body.deployments.map(({ state }) => state)).toEqual(['succeeded', 'failed']);
    expect((await api.call('GET', `/v1/deployments/${id}`)).body).toMatchObject({
      state: 'failed',
      reason: expect.stringMatching(/^not done after 6\d s: waits for \/web/),
      successor: history.body.deployments[0]?.id,
      currentStep: 2,
    });
    expect((await api.call('GET', '/v2/apps/web')).status).toBe(404);
    expect((await api.call('GET', '/v1/deployments/nothing')).status).toBe(404);
  });

  test('with labels that make no sense are refused', async () => {
    const answer = await api.call(
      'POST',
      '/v2/apps',
      app('/web', {
        labels: {
          'patchpanel.deploymentDeadlineSeconds': 'soon',
          'patchpanel.onDeploymentFailure': 'panic',
        },
      }),
    );
    expect(answer.status).toBe(422);
    expect(detailsOf(answer.body).map(({ path }) => path)).toEqual([
      '/labels/patchpanel.deploymentDeadlineSeconds',
      '/labels/patchpanel.onDeploymentFailure',
    ]);
  });

  test('beyond the number that may run are refused with 403', async () => {
    for (let index = 0; index < 100; index++)
      await api.call('POST', '/v2/apps', app(`/a${index}`, { instances: 1 }));
    const { status, body } = await api.call('POST', '/v2/apps', app('/one-more', { instances: 1 }));
    expect([status, body['message']]).toEqual([
      403,
      expect.stringMatching(/^Max number \(100\) of running deployments/),
    ]);
  });
});
