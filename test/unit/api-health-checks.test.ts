import { beforeEach, expect, test } from '@jest/globals';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;

beforeEach(() => {
  api = new ApiHarness();
});

const times = {
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
};
const ipProtocol = 'IPv4';

test.each([
  ['nothing', {}, { protocol: 'HTTP', path: '/', portIndex: 0, ignoreHttp1xx: false, ipProtocol, ...times }],
  [
    'an own port and times',
    { protocol: 'MESOS_HTTPS', path: '/up', port: 8443, intervalSeconds: 5, delaySeconds: 0 },
    {
      protocol: 'MESOS_HTTPS',
      path: '/up',
      port: 8443,
      ignoreHttp1xx: false,
      ipProtocol,
      ...times,
      intervalSeconds: 5,
      delaySeconds: 0,
    },
  ],
  ['TCP', { protocol: 'TCP' }, { protocol: 'TCP', portIndex: 0, ipProtocol, ...times }],
  [
    'a command',
    { protocol: 'COMMAND', command: { value: 'true' } },
    { protocol: 'COMMAND', command: { value: 'true' }, ...times },
  ],
])("a health check of %s comes back with Marathon's defaults", async (_what, given, expected) => {
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, healthChecks: [given] });
  expect(status).toBe(201);
  expect(body['healthChecks']).toEqual([expected]);
});

test('a definition with health checks that is read and put back changes nothing', async () => {
  const healthChecks = [{}, { protocol: 'MESOS_TCP' }, { protocol: 'COMMAND', command: { value: 'x' } }];
  await api.call('POST', '/v2/apps', { ...webApp, healthChecks });
  const { body: before } = await api.call<{ app: object }>('GET', '/v2/apps/shop/web');
  await api.call('PUT', '/v2/apps/shop/web?force=true', before.app);
  const { body: after } = await api.call<{ app: object }>('GET', '/v2/apps/shop/web');
  expect(after.app).toMatchObject({ healthChecks: (before.app as { healthChecks: object }).healthChecks });
  expect(after.app).toMatchObject({ version: (before.app as { version: string }).version });
});

const index =
  'Health check port indices must address an element of the ports array or container port mappings.';

test.each([
  ['a port that the app does not have', [{ portIndex: 1 }], '/healthChecks(0)', index],
  [
    'a command check without command',
    [{ protocol: 'COMMAND' }],
    '/healthChecks(0)/command',
    'COMMAND health checks require a command',
  ],
  [
    'a command for another protocol',
    [{ command: { value: 'true' } }],
    '/healthChecks(0)/command',
    'is for health checks of protocol COMMAND',
  ],
  [
    'two checks by Mesos',
    [{ protocol: 'MESOS_TCP' }, { protocol: 'MESOS_HTTP' }],
    '/healthChecks',
    'AppDefinition can contain at most one Mesos health check',
  ],
  [
    'both kinds of port',
    [{ port: 80, portIndex: 0 }],
    '/healthChecks(0)',
    'must not specify both port and portIndex',
  ],
  [
    'no port',
    [{ port: 0 }],
    '/healthChecks(0)/port',
    'must be 1 to 65535: use portIndex for a port of any number',
  ],
  [
    'IPv6',
    [{ ipProtocol: 'IPv6' }],
    '/healthChecks(0)/ipProtocol',
    'IPv6 is not supported: instances have IPv4 addresses',
  ],
])('%s is refused by path', async (_what, healthChecks, path, error) => {
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, healthChecks });
  expect(status).toBe(422);
  expect(body['details']).toEqual([{ path, errors: [error] }]);
});

test('an app without ports cannot be checked over the network', async () => {
  const container = { docker: { image: 'web:1' }, portMappings: [] };
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, container, healthChecks: [{}] });
  expect(status).toBe(422);
  expect(body['details']).toEqual([{ path: '/healthChecks(0)', errors: [index] }]);
});

test('results are counted on the app and shown on the task', async () => {
  await api.call('POST', '/v2/apps', { ...webApp, healthChecks: [{}] });
  const [first, second] = api.offer();
  const at = Date.parse('2026-02-03T04:05:06.789Z');
  api.status(first!, 'running', {
    healthy: true,
    checkResults: [
      { alive: true, consecutiveFailures: 0, exhausted: false, firstSuccess: at, lastSuccess: at },
    ],
  });
  api.status(second!, 'running', {
    healthy: false,
    checkResults: [
      {
        alive: false,
        consecutiveFailures: 2,
        exhausted: false,
        lastFailure: at,
        lastFailureCause: 'HTTP :80/: status 503',
      },
    ],
  });
  const { body: app } = await api.call<{ app: object }>('GET', '/v2/apps/shop/web');
  expect(app.app).toMatchObject({ tasksRunning: 2, tasksHealthy: 1, tasksUnhealthy: 1 });
  const { body } = await api.call<{ tasks: { id: string; healthCheckResults: object[] }[] }>(
    'GET',
    '/v2/tasks',
  );
  const resultsOf = (id: string) => body.tasks.find((task) => task.id === id)?.healthCheckResults;
  expect(resultsOf(first!)).toEqual([
    {
      alive: true,
      consecutiveFailures: 0,
      firstSuccess: '2026-02-03T04:05:06.789Z',
      lastSuccess: '2026-02-03T04:05:06.789Z',
      instanceId: first!.replace('._app.1', ''),
    },
  ]);
  expect(resultsOf(second!)).toEqual([
    {
      alive: false,
      consecutiveFailures: 2,
      lastFailure: '2026-02-03T04:05:06.789Z',
      lastFailureCause: 'HTTP :80/: status 503',
      instanceId: second!.replace('._app.1', ''),
    },
  ]);
});

test('a change of only the health checks keeps the tasks', async () => {
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
  const { body: before } = await api.call<{ tasks: { id: string }[] }>('GET', '/v2/apps/shop/web/tasks');
  const answer = await api.call('PUT', '/v2/apps/shop/web', { healthChecks: [{ protocol: 'TCP' }] });
  expect(answer.status).toBe(200);
  expect(api.offer()).toEqual([]);
  const { body: after } = await api.call<{ tasks: { id: string }[] }>('GET', '/v2/apps/shop/web/tasks');
  expect(after.tasks.map(({ id }) => id)).toEqual(before.tasks.map(({ id }) => id));
});

const readiness = { portName: 'http' };

test("a readiness check comes back with Marathon's defaults, and its results on the app", async () => {
  await api.call('POST', '/v2/apps', { ...webApp, readinessChecks: [readiness] });
  const [first, second] = api.offer();
  api.status(first!, 'running', { ready: true });
  api.status(second!, 'running');
  const { body } = await api.call<{ app: { readinessCheckResults: object[]; deployments: object[] } }>(
    'GET',
    '/v2/apps/shop/web',
  );
  expect(body.app).toMatchObject({
    readinessChecks: [
      {
        name: 'readinessCheck',
        protocol: 'HTTP',
        path: '/',
        portName: 'http',
        intervalSeconds: 30,
        timeoutSeconds: 10,
        httpStatusCodesForReady: [200],
        preserveLastResponse: false,
      },
    ],
  });
  expect(body.app.readinessCheckResults).toEqual(
    expect.arrayContaining([
      { name: 'readinessCheck', taskId: first, ready: true },
      { name: 'readinessCheck', taskId: second, ready: false },
    ]),
  );
  expect(body.app.deployments).toHaveLength(1);
  const { body: deployments } = await api.call('GET', '/v2/deployments');
  expect(deployments).toMatchObject([
    { currentActions: [{ readinessCheckResults: body.app.readinessCheckResults }] },
  ]);
});

test('the last answer to a readiness check is shown with its result while the check keeps it', async () => {
  const kept = { ...readiness, preserveLastResponse: true };
  await api.call('POST', '/v2/apps', { ...webApp, readinessChecks: [kept] });
  const [first, second] = api.offer();
  const results = async () => {
    const { body } = await api.call<{ app: { readinessCheckResults: { taskId: string }[] } }>(
      'GET',
      '/v2/apps/shop/web?embed=app.readiness',
    );
    const of = (taskId: string) => body.app.readinessCheckResults.find((one) => one.taskId === taskId);
    return [of(first!), of(second!)];
  };
  const result = { name: 'readinessCheck', ready: false };
  const loading = { status: 503, contentType: 'text/plain', body: 'loading' };
  const up = { status: 200, contentType: 'text/plain', body: 'up' };
  api.status(first!, 'running', { ready: false, lastResponse: loading });
  api.status(second!, 'running', { ready: false });
  expect(await results()).toEqual([
    { ...result, taskId: first, lastResponse: loading },
    { ...result, taskId: second },
  ]);
  api.status(first!, 'running', { ready: true, lastResponse: up });
  expect((await results())[0]).toEqual({ ...result, taskId: first, ready: true, lastResponse: up });
  const { body: list } = await api.call('GET', '/v2/apps?embed=apps.readiness');
  expect(list).toMatchObject({
    apps: [
      { readinessCheckResults: expect.arrayContaining([expect.objectContaining({ lastResponse: up })]) },
    ],
  });
  await api.call('PUT', '/v2/apps/shop/web?force=true', { readinessChecks: [readiness] });
  expect((await results())[0]).toEqual({ ...result, taskId: first, ready: true });
});

test.each([
  [
    'a port name that the app does not have',
    { portName: 'admin' },
    '/readinessChecks(0)/portName',
    'No port definition reference for portName admin',
  ],
  [
    'a timeout as long as the interval',
    { ...readiness, intervalSeconds: 10 },
    '/readinessChecks(0)/timeoutSeconds',
    'must be less than intervalSeconds, which is 10',
  ],
])('a readiness check with %s is refused by path', async (_what, check, path, error) => {
  const { status, body } = await api.call('POST', '/v2/apps', { ...webApp, readinessChecks: [check] });
  expect(status).toBe(422);
  expect(body['details']).toEqual([{ path, errors: [error] }]);
});
