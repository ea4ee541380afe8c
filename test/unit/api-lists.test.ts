import { beforeEach, describe, expect, test } from '@jest/globals';
import { appId } from '../../src/model/ids.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

interface Apps {
  apps: { id: string; [field: string]: unknown }[];
}

const get = (url: string, accept: string) =>
  api.server.inject({ method: 'GET', url, headers: accept === '' ? {} : { accept } });

describe('long lists', () => {
  beforeEach(async () => {
    for (let i = 0; i < 5; i += 1) await api.call('POST', '/v2/apps', { ...webApp, id: `/web-${i}` });
  });

  test('are given in pages to who asks for it, with the number of all', async () => {
    const { body, headers } = await api.call<Apps>('GET', '/v2/apps?offset=1&limit=2');
    expect(body.apps.map(({ id }) => id)).toEqual(['/web-1', '/web-2']);
    expect(headers['x-total-count']).toBe('5');
    const all = await api.call<Apps>('GET', '/v2/apps');
    expect(all.body.apps).toHaveLength(5);
    const past = await api.call<Apps>('GET', '/v2/apps?offset=9');
    expect(past.body.apps).toEqual([]);
  });

  test('are given with the fields asked for and no others', async () => {
    const { body } = await api.call<Apps>('GET', '/v2/apps?fields=id,tasksRunning&limit=1');
    expect(body.apps).toEqual([{ id: '/web-0', tasksRunning: 0 }]);
    const one = await api.call('GET', '/v2/apps/web-0?fields=id,instances');
    expect(one.body).toEqual({ app: { id: '/web-0', instances: 2 } });
    api.runAll();
    const tasks = await api.call('GET', '/v2/tasks?fields=appId&limit=1');
    expect(tasks.body).toEqual({ tasks: [{ appId: '/web-0' }] });
  });

  test.each(['limit=-1', 'limit=x', 'offset=1.5'])('refuse %s', async (query) => {
    const { status, body } = await api.call('GET', `/v2/apps?${query}`);
    expect(status).toBe(422);
    expect(body).toMatchObject({ details: [{ path: `/${query.split('=')[0] ?? ''}` }] });
  });
});

describe('a client that asks for application/json and nothing else', () => {
  test('gets Marathon’s fields of a task alone, others the slot as well', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const keys = async (accept: string) =>
      Object.keys((await get('/v2/tasks', accept)).json<{ tasks: [object] }>().tasks[0]);
    expect(await keys('application/json')).not.toContain('patchpanel');
    for (const accept of [
      '',
      '*/*',
      'application/json, text/plain, */*',
      'application/vnd.patchpanel+json',
    ]) {
      expect(await keys(accept)).toContain('patchpanel');
    }
  });
});

describe('tasks as text', () => {
  const onHost = {
    id: '/lb/front',
    instances: 2,
    cpus: 0.1,
    mem: 32,
    container: { docker: { image: 'web:1' } },
    portDefinitions: [{ port: 10_500, name: 'http' }, { port: 0 }],
  };

  test('are a line for each service port of what runs', async () => {
    await api.call('POST', '/v2/apps', onHost);
    await api.call('POST', '/v2/apps', { ...onHost, id: '/portless', instances: 1, portDefinitions: [] });
    const tasks = api.offer(2);
    expect((await get('/v2/tasks', 'text/plain')).body).toBe('');
    for (const task of tasks) api.status(task, 'running');
    const answer = await get('/v2/tasks', 'text/plain');
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    const lines = answer.body.split('\n').filter((line) => line !== '');
    const instances = [...api.world.instances.values()].filter(({ appId: id }) => id === appId('/lb/front'));
    const endpoints = (index: number) =>
      instances.map(({ hostname, hostPorts }) => `${hostname}:${hostPorts[index]}`).sort();
    const parsed = lines.map((line) => line.split('\t'));
    const front = parsed.filter(([name]) => name === 'lb_front');
    expect(front.map((columns) => columns[1])).toEqual(['10500', '10000']);
    expect(front.map((columns) => columns.slice(2, -1).sort())).toEqual([endpoints(0), endpoints(1)]);
    expect(parsed.find(([name]) => name === 'portless')).toEqual([
      'portless',
      ' ',
      expect.stringMatching(/^host-\d$/),
      '',
    ]);
  });

  test('on a network of the switch are reached at their address by who asks for that', async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
    const ips = [...api.world.slots.values()].map(({ lease }) => `${lease?.ip}:80`);
    expect((await get('/v2/tasks', 'text/plain')).body).toBe('shop_web\t10000\t\n');
    const answer = await get('/v2/apps/shop/web/tasks?containerNetworks=*', 'text/plain');
    expect(answer.body.trim().split('\t').slice(2).sort()).toEqual(ips.sort());
  });
});

test('statistics of tasks tell old configuration from new', async () => {
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
  const { body } = await api.call<Apps>('GET', '/v2/apps?embed=apps.taskStats');
  const all = { counts: { staged: 0, running: 2, healthy: 0, unhealthy: 0 } };
  expect(body.apps[0]).toMatchObject({
    taskStats: {
      startedAfterLastScaling: { stats: all },
      withLatestConfig: { stats: { ...all, lifeTime: { averageSeconds: 0.5, medianSeconds: 0.5 } } },
      totalSummary: { stats: all },
    },
  });
  expect(body.apps[0]?.['taskStats']).not.toHaveProperty('withOutdatedConfig');
  expect(body.apps[0]?.['tasksStats']).toEqual(body.apps[0]?.['taskStats']);
});

describe('deleting tasks', () => {
  beforeEach(async () => {
    await api.call('POST', '/v2/apps', webApp);
    api.runAll();
  });

  test('takes only those on the host that was named', async () => {
    const hosts = [...api.world.instances.values()].map(({ hostname }) => hostname);
    const { body } = await api.call<{ tasks: { host: string }[] }>(
      'DELETE',
      `/v2/apps/shop/web/tasks?host=${hosts[0]}`,
    );
    expect(body.tasks.map(({ host }) => host)).toEqual([hosts[0]]);
  });

  test('refuses what is no task id, and ignores one that is not known', async () => {
    const refused = await api.call('POST', '/v2/tasks/delete', { ids: ['nonsense'] });
    expect(refused.status).toBe(400);
    expect(refused.body['message']).toMatch(/^Invalid task id 'nonsense'\. /);
    const unknown = await api.call('POST', '/v2/tasks/delete', { ids: ['shop_web.instance-1._app.1'] });
    expect(unknown).toMatchObject({ status: 200, body: { tasks: [] } });
  });

  test('scale and wipe do not go together', async () => {
    const { status, body } = await api.call('DELETE', '/v2/apps/shop/web/tasks?scale=true&wipe=true');
    expect(status).toBe(400);
    expect(body).toEqual({ message: 'You cannot use scale and wipe at the same time.' });
  });
});
