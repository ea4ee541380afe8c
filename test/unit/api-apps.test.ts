import { beforeEach, describe, expect, test } from '@jest/globals';
import { longestAppId } from '../../src/model/ids.ts';
import { ApiHarness, webApp } from '../support/api.ts';

const pin = '/networks(0)/labels/patchpanel.ip';
let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

describe('creating an app', () => {
  test('answers 201 with the definition, every default and the deployment', async () => {
    const { status, headers, body } = await api.call('POST', '/v2/apps', webApp);
    expect(status).toBe(201);
    expect(headers['location']).toBe('/v2/apps/shop/web');
    expect(body).toMatchObject({
      id: '/shop/web',
      instances: 2,
      backoffSeconds: 1,
      backoffFactor: 1.15,
      maxLaunchDelaySeconds: 300,
      killSelection: 'YOUNGEST_FIRST',
      upgradeStrategy: { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
      networks: [{ mode: 'container', name: 'default' }],
      container: {
        type: 'DOCKER',
        portMappings: [{ containerPort: 80, servicePort: 10_000, protocol: 'tcp' }],
      },
      tasksRunning: 0,
      deployments: [{ id: headers['marathon-deployment-id'] }],
    });
    expect(body).not.toHaveProperty('portDefinitions');
    expect(body).not.toHaveProperty('tasks');
  });

  test('of an id that exists is a conflict', async () => {
    await api.call('POST', '/v2/apps', webApp);
    const { status, body } = await api.call('POST', '/v2/apps', webApp);
    expect(status).toBe(409);
    expect(body['message']).toBe('An app with id [/shop/web] already exists.');
  });

  test('without a network runs on the host, with an automatic port', async () => {
    const { networks: _networks, container, ...rest } = webApp;
    const { status, body } = await api.call('POST', '/v2/apps', {
      ...rest,
      container: { docker: container.docker },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      networks: [{ mode: 'host' }],
      portDefinitions: [{ port: 10_000, name: 'default', protocol: 'tcp' }],
    });
  });

  test('takes the older forms and answers with the newer ones', async () => {
    const { body } = await api.call('POST', '/v2/apps', {
      id: 'old',
      container: { docker: { image: 'web:1', network: 'HOST' } },
      ports: [0, 8081],
    });
    expect(body).toMatchObject({ id: '/old', networks: [{ mode: 'host' }] });
    expect(body['portDefinitions']).toMatchObject([{ port: 10_000 }, { port: 8081 }]);
  });

  test('names fields that it does not know in a header, and refuses them when asked to be strict', async () => {
    const misspelt = { ...webApp, instnces: 3, container: { ...webApp.container, volums: [] } };
    const strict = await api.call('POST', '/v2/apps?strict=true', misspelt);
    expect(strict.status).toBe(422);
    expect(api.world.apps.size).toBe(0);
    const lax = await api.call('POST', '/v2/apps', misspelt);
    expect(lax.status).toBe(201);
    expect(lax.headers['x-patchpanel-ignored-fields']).toBe('/container/volums, /instnces');
  });
});

describe('bad input stores nothing and names the field', () => {
  const cases: [string, unknown, number, string | undefined, RegExp][] = [
    ['malformed JSON', '{"id":', 400, undefined, /Invalid JSON/],
    ['an empty body', '', 400, undefined, /Please specify data in JSON format/],
    ['a number for the id', { ...webApp, id: 7 }, 422, '/id', /error.expected.jsstring/],
    ['no id', { ...webApp, id: undefined }, 422, '/id', /error.path.missing/],
    [
      'capital letters in the id',
      { ...webApp, id: '/Web' },
      422,
      '/id',
      /must fully match regular expression/,
    ],
    ['a reserved last segment', { ...webApp, id: '/web/tasks' }, 422, '/id', /reserved keywords/],
    ['an id too long for a name', { ...webApp, id: `/${'a'.repeat(64)}` }, 422, '/id', /63/],
    [
      'an id too long for task ids',
      { ...webApp, id: `/${'a'.repeat(longestAppId)}`, networks: [{ mode: 'host' }] },
      422,
      '/id',
      /more than 194 characters/,
    ],
    ['negative instances', { ...webApp, instances: -1 }, 422, '/instances', /error.min/],
    ['no image', { ...webApp, container: {} }, 422, '/container/docker/image', /must not be empty/],
    ['cmd and args', { ...webApp, cmd: 'a', args: ['b'] }, 422, '/', /one of 'cmd' or 'args'/],
    [
      'a constraint without operator',
      { ...webApp, constraints: [['rack']] },
      422,
      '/constraints(0)',
      /2 or 3/,
    ],
    [
      'an unknown operator',
      { ...webApp, constraints: [['rack', 'NEAR']] },
      422,
      '/constraints(0)',
      /operator/,
    ],
    [
      'an unknown network',
      { ...webApp, networks: [{ mode: 'container', name: 'nowhere' }] },
      422,
      '/networks(0)/name',
      /nowhere/,
    ],
    ['an address outside the network', pinned('192.168.0.1-192.168.0.2'), 422, pin, /10\.32\.0\.0\/16/],
    ['fewer addresses than instances', pinned('10.32.0.10'), 422, pin, /2 instances|1 address/],
    ['the gateway as address', pinned('10.32.0.1-10.32.0.2'), 422, pin, /10\.32\.0\.1/],
    ['text that is no address', pinned('somewhere'), 422, undefined, /not valid/],
    [
      'a Docker option that is not allowed',
      { ...webApp, container: { docker: { image: 'a', parameters: [{ key: 'pid', value: 'host' }] } } },
      422,
      '/container/docker/parameters(0)/key',
      /pid/,
    ],
  ];

  test.each(cases)('%s', async (_name, body, status, path, text) => {
    const answer = await api.call('POST', '/v2/apps', body);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toMatch(text);
    if (path !== undefined) {
      const details = (answer.body['details'] ?? []) as { path: string }[];
      expect(details.map((detail) => detail.path)).toContain(path);
    }
    expect(api.world.apps.size).toBe(0);
    expect(api.world.slots.size).toBe(0);
  });
});

function pinned(ip: string) {
  return { ...webApp, networks: [{ mode: 'container', labels: { 'patchpanel.ip': ip } }] };
}

describe('reading apps', () => {
  test('a pinned address of another app is refused and names who has it', async () => {
    expect((await api.call('POST', '/v2/apps', pinned('10.32.0.10-10.32.0.11'))).status).toBe(201);
    const { status, body } = await api.call('POST', '/v2/apps', {
      ...pinned('10.32.0.11-10.32.0.12'),
      id: '/b',
    });
    expect(status).toBe(422);
    expect(JSON.stringify(body)).toMatch(/10\.32\.0\.11.*\/shop\/web/);
  });

  test('shows each task with slot, address, MAC and name', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const { app } = (await api.call<{ app: Record<string, unknown> }>('GET', '/v2/apps/shop/web')).body;
    expect(app).toMatchObject({ tasksRunning: 2, deployments: [] });
    expect(app['tasks']).toMatchObject([
      {
        appId: '/shop/web',
        state: 'TASK_RUNNING',
        ipAddresses: [{ ipAddress: '10.32.0.3', protocol: 'IPv4' }],
        patchpanel: {
          slot: 0,
          epoch: 1,
          endpoint: 'active',
          ip: '10.32.0.3',
          mac: '0a:07:0a:20:00:03',
          hostname: '0.web.shop.patchpanel.internal',
        },
      },
      { patchpanel: { slot: 1, ip: '10.32.0.4' } },
    ]);
  });

  test('shows what becomes of each endpoint in a handover', async () => {
    const endpoints = async () => {
      const { body } = await api.call<{ app: { tasks: { patchpanel: { endpoint: string } }[] } }>(
        'GET',
        '/v2/apps/shop/web',
      );
      return body.app.tasks.map(({ patchpanel }) => patchpanel.endpoint).sort();
    };
    await api.call('POST', '/v2/apps', { ...webApp, instances: 1 });
    api.runAll();
    await api.call('PUT', '/v2/apps/shop/web', { ...webApp, instances: 1, env: { RELEASE: '2' } });
    api.runAll();
    expect(await endpoints()).toEqual(['active', 'anchored']);
    const [old, fresh] = [...api.world.instances.values()];
    api.step({ kind: 'converged', slotId: old!.slotId, epoch: fresh!.epoch });
    expect(await endpoints()).toEqual(['active', 'draining']);
    api.status(old!.taskId, 'unreachable');
    expect(await endpoints()).toContain('fenced');
  });

  test('lists by id, command and label', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, labels: { tier: 'front' } });
    await api.call('POST', '/v2/apps', { ...webApp, id: '/db', cmd: 'run DB', labels: { tier: 'back' } });
    const ids = async (query: string) => {
      const { body } = await api.call('GET', `/v2/apps?${query}`);
      return (body['apps'] as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids('')).toEqual(['/shop/web', '/db']);
    expect(await ids('id=WEB')).toEqual(['/shop/web']);
    expect(await ids('cmd=db')).toEqual(['/db']);
    expect(await ids('label=tier%3D%3Dback')).toEqual(['/db']);
    expect(await ids('label=tier%20in%20(front,side)')).toEqual(['/shop/web']);
    expect(await ids('label=other')).toEqual([]);
    expect((await api.call('GET', '/v2/apps/shop/*')).body['*']).toHaveLength(1);
  });

  test('of an unknown id is 404 with its name; an unknown URL is 404 too', async () => {
    const { status, body } = await api.call('GET', '/v2/apps/nothing');
    expect([status, body['message']]).toEqual([404, "App '/nothing' does not exist"]);
    expect((await api.call('GET', '/v2/nonsense')).status).toBe(404);
  });
});

describe('changing an app', () => {
  test('keeps the fields that are absent, and replaces all with partialUpdate=false', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, env: { A: '1' } });
    api.runAll();
    await api.call('PUT', '/v2/apps/shop/web', { labels: { x: 'y' } });
    expect(api.world.apps.values().next().value).toMatchObject({ env: { A: '1' }, labels: { x: 'y' } });
    await api.call('PUT', '/v2/apps/shop/web?partialUpdate=false&force=true', webApp);
    expect(api.world.apps.values().next().value).toMatchObject({ env: {}, labels: {} });
  });

  test('while a deployment is under way is a conflict that names it', async () => {
    const first = await api.call('POST', '/v2/apps', webApp);
    const { status, body } = await api.call('PATCH', '/v2/apps/shop/web', { instances: 5 });
    expect(status).toBe(409);
    expect(body['deployments']).toEqual([{ id: first.headers['marathon-deployment-id'] }]);
    expect((await api.call('PATCH', '/v2/apps/shop/web?force=true', { instances: 5 })).status).toBe(200);
  });

  test('accepts what a GET gave, run-time fields included', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const { app } = (await api.call<{ app: Record<string, unknown> }>('GET', '/v2/apps/shop/web')).body;
    const { status } = await api.call('PUT', '/v2/apps/shop/web', { ...app, instances: 3 });
    expect(status).toBe(200);
    expect(api.world.apps.values().next().value).toMatchObject({ instances: 3 });
  });

  test('brings an older version back', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, env: { A: '1' } });
    api.runAll();
    const { versions } = (await api.call<{ versions: string[] }>('GET', '/v2/apps/shop/web/versions')).body;
    await api.call('PUT', '/v2/apps/shop/web', { env: { A: '2' } });
    const old = await api.call('GET', `/v2/apps/shop/web/versions/${versions[0]}`);
    expect(old.body['env']).toEqual({ A: '1' });
    const back = await api.call('PUT', '/v2/apps/shop/web?force=true', { version: versions[0] });
    expect(back.status).toBe(200);
    expect(api.world.apps.values().next().value).toMatchObject({ env: { A: '1' } });
    const mixed = await api.call('PUT', '/v2/apps/shop/web', { version: versions[0], instances: 1 });
    expect(mixed.status).toBe(422);
  });

  test('PATCH never creates, PUT does', async () => {
    expect((await api.call('PATCH', '/v2/apps/new', { instances: 1 })).status).toBe(404);
    const { id: _id, ...definition } = webApp;
    expect((await api.call('PUT', '/v2/apps/new', definition)).status).toBe(201);
  });
});

describe('ending things', () => {
  test('removing an app stops its tasks and then forgets it', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const { status, body } = await api.call('DELETE', '/v2/apps/shop/web');
    expect(status).toBe(200);
    expect(body).toMatchObject({ deploymentId: expect.any(String), version: expect.any(String) });
    for (const task of Array.from(api.world.instances.keys())) api.status(task, 'killed');
    expect((await api.call('GET', '/v2/apps/shop/web')).status).toBe(404);
    expect((await api.call('GET', '/v2/deployments')).body).toEqual([]);
  });

  test('a killed task comes back in its slot with its address', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, instances: 1 });
    api.runAll();
    const before = (await api.call('GET', '/v2/apps/shop/web/tasks')).body['tasks'] as {
      id: string;
      patchpanel: Record<string, unknown>;
    }[];
    const killed = await api.call('DELETE', `/v2/apps/shop/web/tasks/${before[0]?.id}`);
    expect(killed.body).toMatchObject({ task: { id: before[0]?.id } });
    for (const task of Array.from(api.world.instances.keys())) api.status(task, 'killed');
    api.runAll();
    const after = (await api.call('GET', '/v2/tasks')).body['tasks'] as typeof before;
    expect(after).toHaveLength(1);
    expect(after[0]?.id).not.toBe(before[0]?.id);
    expect(after[0]?.patchpanel).toMatchObject({
      slot: 0,
      epoch: 2,
      ip: before[0]?.patchpanel['ip'],
      mac: before[0]?.patchpanel['mac'],
    });
  });

  test('a task whose host is unreachable is killed with wipe: it is not there any more', async () => {
    await api.call('POST', '/v2/apps', { ...webApp, unreachableStrategy: 'disabled' });
    api.runAll();
    const [task, ...others] = api.world.instances.keys();
    api.status(task!, 'unreachable');
    await api.call('POST', '/v2/tasks/delete', { ids: [task] });
    expect(api.world.instances.has(task!)).toBe(true);
    const url = `/v2/apps/shop/web/tasks/${task}?wipe=true`;
    expect(await api.call('DELETE', url)).toMatchObject({ status: 200, body: { task: { id: task } } });
    expect(api.world.instances.has(task!)).toBe(false);
    expect([...api.world.instances.keys()]).toEqual(expect.arrayContaining(others));
  });

  test('killing and scaling makes the app smaller; with wipe it is refused', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    expect((await api.call('DELETE', '/v2/apps/shop/web/tasks?scale=true&wipe=true')).status).toBe(400);
    const [task] = api.world.instances.keys();
    const { status, body } = await api.call('POST', '/v2/tasks/delete?scale=true', { ids: [task] });
    expect([status, Object.keys(body).sort()]).toEqual([200, ['deploymentId', 'version']]);
    expect(api.world.apps.values().next().value).toMatchObject({ instances: 1 });
  });
});

describe('networks', () => {
  test('are made, shown and removed, but not while they are in use', async () => {
    const made = await api.call('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.40.0.0/24' });
    expect(made).toMatchObject({ status: 201, body: { name: 'blue', quarantineSeconds: 300, leases: 0 } });
    await api.call('POST', '/v2/apps', { ...webApp, networks: [{ mode: 'container', name: 'blue' }] });
    expect((await api.call('GET', '/v1/networks/blue')).body['leases']).toBe(2);
    expect((await api.call('DELETE', '/v1/networks/blue')).status).toBe(409);
    expect((await api.call('DELETE', '/v1/networks/nothing')).status).toBe(404);
  });

  test('that overlap or change under leases are refused', async () => {
    const overlap = await api.call('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.32.5.0/24' });
    expect(overlap.status).toBe(422);
    expect(JSON.stringify(overlap.body)).toMatch(/overlap/);
    await api.call('POST', '/v2/apps', webApp);
    const changed = await api.call('PUT', '/v1/networks/default', { vni: 7, cidr: '10.99.0.0/16' });
    expect(changed.status).toBe(422);
  });
});

test('a definition that is too large is refused with the way out, in a request or by what an update adds', async () => {
  const half = { TEXT: 'ä'.repeat(300_000) };
  await api.call('POST', '/v2/apps', { ...webApp, env: half });
  const { stored } = api;
  const message = expect.stringMatching(/takes 1\d{6} bytes, .* 1048576: put large texts into the image/);
  const refused = { message: 'Object is not valid', details: [{ path: '/', errors: [message] }] };
  const grown = await api.call('PATCH', '/v2/apps/shop/web', { labels: { more: 'x'.repeat(500_000) } });
  expect([grown.status, grown.body]).toEqual([422, refused]);
  const whole = await api.call('POST', '/v2/apps', { ...webApp, id: '/b', cmd: 'x'.repeat(1_050_000) });
  expect([whole.status, whole.body]).toEqual([422, refused]);
  const group = { id: '/shop', apps: [{ ...webApp, id: 'b', cmd: 'x'.repeat(1_050_000) }] };
  expect((await api.call('PUT', '/v2/groups/shop', group)).status).toBe(422);
  expect(api.stored).toBe(stored);
});

test('info, leader and ping answer as Marathon does', async () => {
  expect((await api.call('GET', '/ping')).body).toBe('pong');
  expect((await api.call('GET', '/v2/leader')).body).toEqual({ leader: '127.0.0.1:8080' });
  expect((await api.call('GET', '/v2/info')).body).toMatchObject({
    elected: true,
    frameworkId: 'f-1',
    marathon_config: { mesos_role: '*', failover_timeout: 604_800 },
  });
});

test('the queue tells what waits and for how long', async () => {
  await api.call('POST', '/v2/apps', { ...webApp, cpus: 100 });
  api.offer();
  const { body } = await api.call('GET', '/v2/queue');
  expect(body['queue']).toMatchObject([
    {
      count: 2,
      delay: { overdue: true },
      processedOffersSummary: {
        rejectSummaryLastOffers: expect.arrayContaining([
          expect.objectContaining({ reason: 'InsufficientCpus' }),
        ]),
      },
    },
  ]);
});
