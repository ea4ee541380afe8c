import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { pathText } from '../../scheduler/api/problems.ts';
import { ApiHarness } from '../support/api.ts';

type Json = string | number | boolean | readonly Json[] | { readonly [field: string]: Json };
type Path = readonly (string | number)[];

const app = {
  id: '/shop/web',
  instances: 2,
  cpus: 0.5,
  mem: 32,
  disk: 1,
  args: ['a', 'b'],
  env: { COLOUR: 'blue' },
  labels: { team: 'a' },
  container: {
    type: 'DOCKER',
    docker: { image: 'web:1', forcePullImage: true, privileged: false },
    volumes: [{ containerPath: '/data', hostPath: '/srv', mode: 'RW' }],
    portMappings: [
      { containerPort: 80, servicePort: 10_100, protocol: 'tcp', name: 'http', labels: { a: 'b' } },
    ],
  },
  networks: [{ mode: 'container', name: 'default', labels: { x: 'y' } }],
  requirePorts: false,
  constraints: [['hostname', 'UNIQUE']],
  acceptedResourceRoles: ['*'],
  healthChecks: [
    { protocol: 'HTTP', path: '/', portIndex: 0, gracePeriodSeconds: 5, maxConsecutiveFailures: 3 },
  ],
  readinessChecks: [
    { name: 'r', protocol: 'HTTP', path: '/', portName: 'http', httpStatusCodesForReady: [200] },
  ],
  backoffSeconds: 1,
  backoffFactor: 1.15,
  maxLaunchDelaySeconds: 30,
  upgradeStrategy: { maximumOverCapacity: 0.5, minimumHealthCapacity: 0.5 },
  unreachableStrategy: { inactiveAfterSeconds: 1, expungeAfterSeconds: 2 },
  killSelection: 'OLDEST_FIRST',
  taskKillGracePeriodSeconds: 5,
};
const { id: _id, ...update } = app;

/** Valid bodies of what takes a body, and where a wrong one is found in them. */
const requests: readonly { method: 'POST' | 'PUT' | 'PATCH'; url: string; body: Json }[] = [
  { method: 'POST', url: '/v2/apps', body: { ...app, id: '/shop/other' } },
  { method: 'PUT', url: '/v2/apps/shop/web?force=true', body: update },
  { method: 'PATCH', url: '/v2/apps/shop/web?force=true', body: update },
  { method: 'PUT', url: '/v2/apps?force=true', body: [app, { ...app, id: '/shop/other' }] },
  {
    method: 'POST',
    url: '/v2/groups',
    body: { id: '/team', apps: [{ ...app, id: 'web' }], dependencies: ['/shop'] },
  },
  { method: 'PATCH', url: '/v2/apps?force=true', body: [app] },
  { method: 'POST', url: '/v2/groups/team', body: { id: 'back', groups: [{ id: 'db', apps: [] }] } },
  { method: 'PUT', url: '/v2/groups/shop?force=true', body: { apps: [app] } },
  { method: 'PUT', url: '/v2/groups/shop?dryRun=true', body: { scaleBy: 2 } },
  { method: 'PATCH', url: '/v2/groups/shop', body: { enforceRole: false } },
  { method: 'POST', url: '/v2/tasks/delete', body: { ids: ['shop_web.instance-1._app.1'] } },
  {
    method: 'PUT',
    url: '/v1/networks/back',
    body: { vni: 9, cidr: '10.50.0.0/24', mtu: 1400, nat: true, routes: [] },
  },
];

/** Every place in a value, the value itself first. */
function places(value: Json, path: Path = []): Path[] {
  if (typeof value !== 'object') return [path];
  const below = Array.isArray(value)
    ? value.map((one: Json, i): [number, Json] => [i, one])
    : Object.entries(value);
  return [path, ...below.flatMap(([key, one]) => places(one, [...path, key]))];
}

const at = (value: Json, path: Path): Json =>
  path.reduce<Json>((part, key) => (part as Record<string | number, Json>)[key] ?? '', value);

function replaced(value: Json, [key, ...rest]: Path, by: Json): Json {
  if (key === undefined) return by;
  if (Array.isArray(value)) return value.map((one: Json, i) => (i === key ? replaced(one, rest, by) : one));
  const fields = value as Record<string, Json>;
  return { ...fields, [key]: replaced(fields[key] ?? '', rest, by) };
}

/** A value of another type than this one, which no schema takes in its place. */
function wrongFor(value: Json): fc.Arbitrary<Json> {
  if (typeof value === 'string') return fc.constantFrom<Json>(7, true, [], [['x']], { nested: {} });
  if (typeof value === 'number') return fc.constantFrom<Json>('many', false, [1], {}, -1e6);
  if (typeof value === 'boolean') return fc.constantFrom<Json>('yes', 1, [], {});
  return Array.isArray(value)
    ? fc.constantFrom<Json>('list', 3, { 0: 'x' }, true)
    : fc.constantFrom<Json>('object', 5, [], [1], false);
}

/** One of the requests with exactly one thing wrong in it. */
const wrongRequest = fc.constantFrom(...requests).chain((request) =>
  fc.constantFrom(...places(request.body)).chain((path) =>
    wrongFor(at(request.body, path)).map((by) => ({
      ...request,
      path,
      body: replaced(request.body, path, by),
    })),
  ),
);

async function prepared(): Promise<ApiHarness> {
  const api = new ApiHarness();
  expect((await api.call('POST', '/v2/apps', app)).status).toBe(201);
  api.runAll();
  return api;
}

test('bodies with one thing of a wrong type are refused at its path, and nothing is stored', async () => {
  const api = await prepared();
  const tried = new Set<string>();
  await fc.assert(
    fc.asyncProperty(wrongRequest, async ({ method, url, body, path }) => {
      tried.add(`${method} ${url} ${JSON.stringify(body)}`);
      const before = api.stored;
      const answer = await api.call<{ details: { path: string }[] }>(method, url, JSON.stringify(body));
      expect(answer.status).toBe(422);
      const wrong = pathText(path);
      // A union or a map names the value that it was looking into.
      const paths = answer.body.details.map((detail) => detail.path);
      expect(paths.some((found) => found.startsWith(wrong) || wrong.startsWith(found)) ? wrong : paths).toBe(
        wrong,
      );
      expect(api.stored).toBe(before);
    }),
    { numRuns: 500 },
  );
  expect(tried.size).toBeGreaterThan(200);
});

test('text that is no JSON is refused with what the parser said, and nothing is stored', async () => {
  const api = await prepared();
  const broken = fc.constantFrom(...requests).chain((request) => {
    const text = JSON.stringify(request.body);
    return fc
      .oneof(
        fc.integer({ min: 1, max: text.length - 1 }).map((length) => text.slice(0, length)),
        fc
          .integer({ min: 0, max: text.length })
          .map((place) => `${text.slice(0, place)}\u0001${text.slice(place)}`),
      )
      .map((body) => ({ ...request, body }));
  });
  await fc.assert(
    fc.asyncProperty(broken, async ({ method, url, body }) => {
      const before = api.stored;
      const answer = await api.call(method, url, body);
      expect(answer).toMatchObject({
        status: 400,
        body: { message: 'Invalid JSON', details: expect.any(String) },
      });
      expect(api.stored).toBe(before);
    }),
    { numRuns: 200 },
  );
});

test('no JSON whatever is answered by a failure of the server', async () => {
  const api = await prepared();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...requests), fc.jsonValue(), async ({ method, url }, body) => {
      const { status } = await api.call(method, url, JSON.stringify(body));
      expect(status).toBeLessThan(500);
    }),
    { numRuns: 200 },
  );
});

const look = ['/v2/apps', '/v2/apps/shop/web', '/v2/apps/shop/*', '/v2/apps/shop/web/tasks', '/v2/groups'];
const lists = [
  '/v2/tasks',
  '/v2/deployments',
  '/v2/queue',
  '/v2/groups/shop/apps',
  '/v2/apps/shop/web/versions',
];
const parameters =
  'limit offset fields label id cmd embed status status[] containerNetworks force scale wipe host dryRun partialUpdate strict event_type _ __proto__'.split(
    ' ',
  );

/** What people and programs write where a word, a number or a list is expected. */
const anyValue = fc.oneof(
  fc.constantFrom('', 'true', 'TRUE', 'null', '-1', '1e9', '0x10', '9'.repeat(40), 'a,,b', '*', '../..', '%'),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
const anyQuery = fc
  .array(fc.tuple(fc.constantFrom(...parameters), anyValue), { maxLength: 4 })
  .map((pairs) => new URLSearchParams(pairs).toString());

test('no query whatever is answered by a failure of the server, and looking stores nothing', async () => {
  const api = await prepared();
  const request = fc.record({
    url: fc.constantFrom(...look, ...lists),
    query: anyQuery,
    accept: fc.constantFrom('application/json', 'text/plain', '*/*', 'image/png', ';;,q=x'),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ url, query, accept }) => {
      const before = api.stored;
      const { statusCode } = await api.server.inject({
        method: 'GET',
        url: `${url}?${query}`,
        headers: { accept },
      });
      expect([200, 422]).toContain(statusCode);
      expect(api.stored).toBe(before);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['/v2/apps?limit=-1', '/limit'],
  ['/v2/tasks?offset=1.5', '/offset'],
  ['/v2/deployments?limit=many', '/limit'],
  ['/v2/queue?limit=', '/limit'],
])('%s is refused with the name of the parameter', async (url, path) => {
  const api = await prepared();
  expect(await api.call('GET', url)).toMatchObject({ status: 422, body: { details: [{ path }] } });
});

test('no URL whatever is answered by a failure of the server, and none that is not known stores anything', async () => {
  const api = await prepared();
  const part = fc.oneof(
    fc.constantFrom('apps', 'groups', 'shop', 'web', 'versions', 'tasks', 'restart', '*', '..', '', 'delay'),
    fc.string({ unit: 'binary', maxLength: 12 }).map((text) => encodeURIComponent(text)),
    fc.constantFrom('%', '%zz', '%00', '%2F', '%2e%2e', 'A_B', 'a'.repeat(3_000)),
  );
  const request = fc.record({
    method: fc.constantFrom('GET' as const, 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
    first: fc.constantFrom('apps', 'groups', 'tasks', 'queue', 'deployments', 'pods', 'nothing'),
    rest: fc.array(part, { minLength: 1, maxLength: 5 }),
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, first, rest }) => {
      const before = api.stored;
      const url = `/v2/${first}/${rest.join('/')}`;
      const { statusCode } = await api.server.inject({ method, url });
      expect(statusCode).toBeLessThan(500);
      if (statusCode >= 400) expect(api.stored).toBe(before);
    }),
    { numRuns: 300 },
  );
});
