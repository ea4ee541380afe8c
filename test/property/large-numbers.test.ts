import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { maxAddedInstances, maxInstances, maxProbeSeconds, maxSeconds } from '../../src/model/bounds.ts';
import { appId, groupId } from '../../src/model/ids.ts';
import type { ChangeResult } from '../../scheduler/core/events.ts';
import type { StoredRecord } from '../../scheduler/store/store.ts';
import { ApiHarness } from '../support/api.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

/** Whole numbers from what is usual to what a double can hold. */
const anySize = fc.oneof(
  fc.integer({ min: 0, max: 50 }),
  fc.constantFrom(maxInstances - 1, maxInstances, maxInstances + 1, 20_000_000, 2 ** 24, 2 ** 32, 1e300),
  fc.maxSafeNat(),
);

const idOf = (result: ChangeResult) => {
  if (result.kind !== 'accepted' || result.deploymentId === undefined) throw new Error('refused');
  return result.deploymentId;
};

const onHost = { network: { mode: 'host' as const } };

test('no number of instances ends the core: what is too many changes nothing, the rest is what slots there are', () => {
  fc.assert(
    fc.property(fc.array(anySize, { minLength: 1, maxLength: 3 }), (counts) => {
      const bench = new CoreBench();
      const apps = counts.map((instances, index) => anApp(`/web-${index}`, { instances, ...onHost }));
      const result = bench.change({ kind: 'put-apps', apps, force: false });
      const allowed = counts.every((count) => count <= maxInstances);
      expect(result.kind).toBe(allowed ? 'accepted' : 'invalid');
      expect(bench.world.slots.size).toBe(allowed ? counts.reduce((sum, count) => sum + count, 0) : 0);
    }),
    { numRuns: 30 },
  );
});

test('no factor ends the core when a group is scaled', () => {
  const factor = fc.oneof(fc.double({ min: 0, max: 3, noNaN: true }), fc.double({ min: 0, noNaN: true }));
  fc.assert(
    fc.property(factor, fc.integer({ min: 1, max: 5 }), (scaleBy, instances) => {
      const bench = new CoreBench();
      bench.put(anApp('/shop/web', { instances, ...onHost }));
      const change = { kind: 'scale-group', groupId: groupId('/shop'), scaleBy, force: true } as const;
      const result = bench.change(change);
      if (instances * scaleBy <= maxInstances) return expect(result.kind).toBe('accepted');
      const details = [
        { appId: '/shop/web', path: '/instances', errors: [expect.stringContaining('too many')] },
      ];
      expect(result).toEqual({ kind: 'invalid', details });
      expect(bench.app('/shop/web').instances).toBe(instances);
    }),
    { numRuns: 100 },
  );
});

test('one change adds no more instances than can be planned at once, whatever the number of its apps', () => {
  const bench = new CoreBench();
  const many = Array.from({ length: maxAddedInstances / maxInstances + 1 }, (_, index) =>
    anApp(`/web-${index}`, { instances: maxInstances, ...onHost }),
  );
  const refused = bench.change({ kind: 'put-apps', apps: many, force: false });
  expect(refused).toMatchObject({ kind: 'invalid', details: [{ path: '/' }] });
  expect(bench.frame.writes).toEqual([]);
});

/** The scheduler starts anew, and apps of its records, also what deployments replaced, have other instances. */
function restartWith(bench: CoreBench, instances: number): void {
  const texts = [...bench.store.values()].map((record) => JSON.stringify(record));
  bench.store.clear();
  for (const text of texts) {
    const record = JSON.parse(
      text.replace(/"instances":[1-9]\d*/g, `"instances":${instances}`),
    ) as StoredRecord;
    bench.store.set(`${record.kind} ${record.key}`, record);
  }
  bench.restart();
}

const scaleShop = (scaleBy: number) =>
  ({ kind: 'scale-group', groupId: groupId('/shop'), scaleBy, force: true }) as const;

test('an app with more instances than may be may keep them and have fewer, but no more', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/shop/web', { instances: maxInstances, ...onHost }), 'a1');
  restartWith(bench, maxInstances + 1);
  const id = appId('/shop/web');
  expect(bench.change(scaleShop(1.5))).toMatchObject({ details: [{ appId: id, path: '/instances' }] });
  expect(bench.change({ kind: 'restart-app', appId: id, force: true }).kind).toBe('accepted');
  expect(bench.put({ ...bench.app(id), labels: { a: 'b' } }, true).kind).toBe('accepted');
  const deleted = bench.change({ kind: 'delete-app', appId: id, force: true });
  bench.change({ kind: 'cancel-deployment', deploymentId: idOf(deleted), force: true });
  expect(bench.app(id).instances).toBe(maxInstances + 1);
  expect(bench.change(scaleShop(0.5)).kind).toBe('accepted');
  expect(bench.app(id).instances).toBe(maxInstances / 2 + 1);
});

test('what was there before the bounds can be brought back, whatever its number', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/shop/web', onHost));
  const scaled = idOf(bench.change(scaleShop(0)));
  restartWith(bench, maxAddedInstances + 1);
  bench.change({ kind: 'cancel-deployment', deploymentId: scaled, force: false });
  expect(bench.app('/shop/web').instances).toBe(maxAddedInstances + 1);
});

test('the API refuses too many instances by name of the field, whatever the request', async () => {
  const api = new ApiHarness();
  const app = { id: '/shop/web', instances: 1, container: { docker: { image: 'web:1' } } };
  expect((await api.call('POST', '/v2/apps', app)).status).toBe(201);
  const tooMany = fc.oneof(fc.constantFrom(1e300, 20_000_000), fc.maxSafeNat()).map((n) => n + maxInstances);
  const request = fc.constantFrom(
    ['POST', '/v2/apps', (instances: number) => ({ ...app, id: '/other', instances }), '/instances'] as const,
    ['PUT', '/v2/apps/shop/web', (instances: number) => ({ instances }), '/instances'] as const,
    ['PATCH', '/v2/apps', (instances: number) => [{ id: app.id, instances }], '(0)/instances'] as const,
    [
      'PUT',
      '/v2/groups/shop',
      (instances: number) => ({ apps: [{ ...app, instances }] }),
      '/apps(0)/instances',
    ] as const,
    ['PUT', '/v2/groups/shop', (scaleBy: number) => ({ scaleBy }), '/scaleBy'] as const,
  );
  await fc.assert(
    fc.asyncProperty(request, tooMany, async ([method, url, body, path], count) => {
      const before = api.stored;
      const answer = await api.call(method, `${url}?force=true`, body(count + 1));
      expect([answer.status, answer.body]).toEqual([
        422,
        {
          message: 'Invalid JSON',
          details: [{ path, errors: ['error.max', `must be at most ${maxInstances}`] }],
        },
      ]);
      expect(api.stored).toBe(before);
    }),
    { numRuns: 100 },
  );
  expect(api.world.apps.get(appId('/shop/web'))?.instances).toBe(1);
});

/** Where times are in a definition, and how long each may be. */
const durations = [
  ['/taskKillGracePeriodSeconds', maxSeconds, (n: number) => ({ taskKillGracePeriodSeconds: n })],
  ['/backoffSeconds', maxSeconds, (n: number) => ({ backoffSeconds: n, maxLaunchDelaySeconds: 1 })],
  ['/maxLaunchDelaySeconds', maxSeconds, (n: number) => ({ maxLaunchDelaySeconds: n })],
  [
    '/unreachableStrategy/expungeAfterSeconds',
    maxSeconds,
    (n: number) => ({ unreachableStrategy: { expungeAfterSeconds: n } }),
  ],
  ['/healthChecks(0)/gracePeriodSeconds', maxSeconds, (n: number) => checked({ gracePeriodSeconds: n })],
  ['/healthChecks(0)/delaySeconds', maxSeconds, (n: number) => checked({ delaySeconds: n })],
  ['/healthChecks(0)/intervalSeconds', maxSeconds, (n: number) => checked({ intervalSeconds: n })],
  ['/healthChecks(0)/timeoutSeconds', maxProbeSeconds, (n: number) => checked({ timeoutSeconds: n })],
  ['/readinessChecks(0)/intervalSeconds', maxSeconds, (n: number) => readied({ intervalSeconds: n })],
  ['/readinessChecks(0)/timeoutSeconds', maxProbeSeconds, (n: number) => readied({ timeoutSeconds: n })],
  ['/labels/patchpanel.drainSeconds', maxProbeSeconds, (n: number) => labelled('drainSeconds', n)],
  [
    '/labels/patchpanel.deploymentDeadlineSeconds',
    7 * 86_400,
    (n: number) => labelled('deploymentDeadlineSeconds', n),
  ],
] as const;

const checked = (times: object) => ({ healthChecks: [{ protocol: 'MESOS_TCP', port: 80, ...times }] });
const readied = (times: object) => ({
  readinessChecks: [{ portName: 'http', intervalSeconds: maxProbeSeconds, timeoutSeconds: 1, ...times }],
});
const labelled = (label: string, seconds: number) => ({ labels: { [`patchpanel.${label}`]: `${seconds}` } });

test('what means for ever to others is taken: as many seconds as 32 bits hold', async () => {
  const api = new ApiHarness();
  const seconds = 2 ** 31 - 1;
  const longest = {
    taskKillGracePeriodSeconds: seconds,
    backoffSeconds: seconds,
    maxLaunchDelaySeconds: seconds,
    unreachableStrategy: { inactiveAfterSeconds: seconds, expungeAfterSeconds: seconds },
    healthChecks: [{ gracePeriodSeconds: seconds, intervalSeconds: seconds, delaySeconds: seconds }],
  };
  const app = { id: '/web', container: { docker: { image: 'web:1' } }, ...longest };
  expect((await api.call('POST', '/v2/apps', app)).body).toMatchObject(longest);
  expect((await api.call('PUT', '/v2/apps/web?force=true', { instances: 3 })).status).toBe(200);
  expect((await api.call<{ app: object }>('GET', '/v2/apps/web')).body.app).toMatchObject(longest);
});

test('each time in a definition has a bound, and what is longer is refused by name of the field', async () => {
  const api = new ApiHarness();
  const definition = {
    networks: [{ mode: 'container' }],
    container: { docker: { image: 'web:1' }, portMappings: [{ containerPort: 80, name: 'http' }] },
  };
  const change = (fields: object) =>
    api.call<{ details?: { path: string }[] }>('PUT', '/v2/apps/web?force=true', {
      ...definition,
      ...fields,
    });
  for (const [path, most, fields] of durations) {
    // A readiness check has to be asked less often than it may take.
    const allowed = path === '/readinessChecks(0)/timeoutSeconds' ? most - 1 : most;
    expect([path, (await change(fields(allowed))).body.details]).toEqual([path, undefined]);
  }
  const tooLong = fc.oneof(fc.constantFrom(1, 2_147_484, 9.1e12, 1e300), fc.maxSafeNat());
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...durations), tooLong, async ([path, most, fields], more) => {
      const before = api.stored;
      const { status, body } = await change(fields(Math.max(most + 1, most + more)));
      expect([status, body.details?.map((detail) => detail.path)]).toEqual([422, [path]]);
      expect(api.stored).toBe(before);
    }),
    { numRuns: 200 },
  );
});
