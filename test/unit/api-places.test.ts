import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Detail } from '../../scheduler/api/problems.ts';
import { appId } from '../../src/model/ids.ts';
import { ApiHarness } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

type Fields = Record<string, unknown>;

const app = (id: string, fields: Fields = {}) => ({
  id,
  instances: 0,
  networks: [{ mode: 'container' }],
  container: { docker: { image: 'web:1' } },
  ...fields,
});
const pinned = (ip: string): Fields => ({
  instances: 1,
  networks: [{ mode: 'container', labels: { 'patchpanel.ip': ip } }],
});
const exposing = (label: string): Fields => ({
  container: {
    docker: { image: 'web:1' },
    portMappings: [{ containerPort: 80, labels: { 'patchpanel.expose': label } }],
  },
});
const detailsOf = (body: unknown) => (body as { details: Detail[] }).details;

/** What is wrong with the second of two apps, and where in its definition; `/there` is there. */
const wrong: readonly [string, Fields, string, RegExp][] = [
  ['two commands', { cmd: 'a', args: ['b'] }, '/', /one of 'cmd' or 'args'/],
  [
    'an address that is taken',
    pinned('10.32.0.9'),
    '/networks(0)/labels/patchpanel.ip',
    /taken by \/there#0/,
  ],
  [
    'a host port that is taken',
    exposing('18080'),
    '/container/portMappings(0)/labels/patchpanel.expose',
    /of app '\/there'/,
  ],
  ['a name that another one has', { id: '/a/b.c' }, '/id', /is that of app '\/a\/b-c'/],
  ['the id of a group', { id: '/a' }, '/id', /same identifier/],
  ['a dependency on itself', { dependencies: ['/a/second'] }, '/dependencies', /cyclic/],
  ['a place below an app', { id: '/there/second' }, '/id', /same identifier/],
];

async function prepare(): Promise<string> {
  const there = app('/there', { ...exposing('18080'), ...pinned('10.32.0.9') });
  const { status, body } = await api.call('PUT', '/v2/apps', [there, app('/a/b-c')]);
  expect([status, body['details']]).toEqual([200, undefined]);
  api.runAll();
  return JSON.stringify([...api.world.apps]);
}

describe('a refusal says which app it is about', () => {
  test.each(wrong)('in a list: %s', async (_, fields, path, error) => {
    const before = await prepare();
    const { status, body } = await api.call('PUT', '/v2/apps?force=true', [
      app('/a/first'),
      app('/a/second', fields),
    ]);
    expect(status).toBe(422);
    expect(detailsOf(body).map((detail) => detail.path)).toEqual([`(1)${path}`]);
    expect(detailsOf(body)[0]?.errors.join(' ')).toMatch(error);
    expect(JSON.stringify([...api.world.apps])).toBe(before);
  });

  test.each(wrong)('on its own: %s', async (_, fields, path) => {
    await prepare();
    const { status, body } = await api.call('POST', '/v2/apps', app('/a/second', fields));
    expect([status, detailsOf(body).map((detail) => detail.path)]).toEqual([422, [path]]);
  });

  test.each(wrong.filter(([, { id }]) => id === undefined))('in a group: %s', async (_, fields, path) => {
    await prepare();
    const { status, body } = await api.call('PUT', '/v2/groups/?force=true', {
      groups: [{ id: 'a', groups: [{ id: 'deep' }], apps: [app('b-c'), app('second', fields)] }],
    });
    expect([status, detailsOf(body).map((detail) => detail.path)]).toEqual([
      422,
      [`/groups(0)/apps(1)${path}`],
    ]);
  });

  test('also one that an older version of a group brings back', async () => {
    await api.call('POST', '/v2/groups', { id: '/shop', apps: [app('web', pinned('10.32.0.9'))] });
    const version = api.world.groups.get('/shop' as never)?.version;
    await api.call('PUT', '/v2/apps/shop/web?force=true', pinned('10.32.0.8'));
    const taken = await api.call('POST', '/v2/apps', app('/other', pinned('10.32.0.9')));
    expect([taken.status, taken.body['details']]).toEqual([201, undefined]);
    const { status, body } = await api.call('PUT', '/v2/groups/shop?force=true', { version });
    expect(status).toBe(422);
    expect(detailsOf(body)[0]?.errors).toEqual([
      expect.stringMatching(/^app '\/shop\/web': .* taken by \/other#0/),
    ]);
  });
});

describe('a list of updates', () => {
  test.each(['PUT', 'PATCH'] as const)('%s refuses an app that is given twice', async (method) => {
    await api.call('POST', '/v2/apps', app('/web'));
    const twice = [
      { id: '/web', instances: 3 },
      { id: '/web', cpus: 2 },
      { id: 'web/', instances: 1 },
    ];
    const { status, body } = await api.call(method, '/v2/apps', twice);
    const error = "'/web' is given twice";
    expect([status, detailsOf(body)]).toEqual([
      422,
      [
        { path: '(1)/id', errors: [error] },
        { path: '(2)/id', errors: [error] },
      ],
    ]);
    expect(api.world.apps.get(appId('/web'))).toMatchObject({ instances: 0, cpus: 1 });
    expect(api.world.deployments.size).toBe(0);
  });

  test.each([
    ['no id', {}, '(1)/id'],
    ['an id that is none', { id: '/Web' }, '(1)/id'],
    [
      'a version beside other fields',
      { id: '/web', version: '2026-01-01T00:00:00.000Z', cpus: 1 },
      '(1)/version',
    ],
  ])('says which of them has %s', async (_, update, path) => {
    await api.call('POST', '/v2/apps', app('/web'));
    const { status, body } = await api.call('PUT', '/v2/apps', [app('/other'), update]);
    expect([status, detailsOf(body).map((detail) => detail.path)]).toEqual([422, [path]]);
    expect(api.world.apps.has(appId('/other'))).toBe(false);
  });
});
