import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { appId, deploymentId } from '../../src/model/ids.ts';
import { anApp, CoreBench, pinned } from '../support/core-bench.ts';

test('a new app starts, then scales, and its deployment ends when every instance runs', () => {
  const bench = new CoreBench();
  const result = bench.put(anApp('/web', { instances: 2 }));
  expect(result).toMatchObject({ kind: 'accepted', version: '1970-01-01T00:16:40.000Z' });
  const [deployment] = bench.world.deployments.values();
  expect(deployment).toMatchObject({
    steps: [
      { actions: [{ action: 'StartApplication', app: '/web' }] },
      { actions: [{ action: 'ScaleApplication', app: '/web' }] },
    ],
    currentStep: 1,
    original: { '/web': null },
  });
  const launches = bench.offer('a1', 'a2');
  bench.run(launches.slice(0, 1));
  expect(bench.world.deployments.size).toBe(1);
  bench.run(launches.slice(1));
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.published()).toEqual([
    'status_update_event',
    'instance_changed_event',
    'deployment_step_success',
    'deployment_success',
  ]);
});

test('apps that depend on others come after them', () => {
  const bench = new CoreBench();
  const apps = [anApp('/web', { dependencies: [appId('/db')] }), anApp('/db')];
  bench.change({ kind: 'put-apps', apps, force: false });
  expect([...bench.world.deployments.values()][0]?.steps.slice(1)).toEqual([
    { actions: [{ action: 'ScaleApplication', app: '/db' }] },
    { actions: [{ action: 'ScaleApplication', app: '/web' }] },
  ]);
  const first = bench.offer('a1');
  expect(first.map(({ app }) => app.id)).toEqual(['/db']);
  bench.run(first);
  expect(bench.offer('a1').map(({ app }) => app.id)).toEqual(['/web']);
});

test('an app that a deployment holds cannot be changed without force', () => {
  const bench = new CoreBench();
  const result = bench.put(anApp('/web'));
  if (result.kind !== 'accepted') throw new Error('refused');
  const refusal = bench.put(anApp('/web', { instances: 2 }));
  expect(refusal).toEqual({
    kind: 'conflict',
    message: expect.stringContaining('App is locked by one or more deployments.'),
    deployments: [result.deploymentId],
  });
  expect(bench.frame.writes).toEqual([]);
  expect(bench.put(anApp('/web', { instances: 2 }), true).kind).toBe('accepted');
  expect([...bench.world.deployments.keys()]).not.toContain(result.deploymentId);
  expect(bench.world.deployments.size).toBe(1);
});

test('a create of an app that exists is refused', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  expect(bench.change({ kind: 'put-apps', apps: [anApp('/web')], force: false, create: true })).toEqual({
    kind: 'conflict',
    message: 'An app with id [/web] already exists.',
    deployments: [],
  });
});

test('a put that changes nothing is accepted, replaces nothing and locks nothing', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const { version } = bench.app('/web');
  expect(bench.put(anApp('/web'))).toMatchObject({ kind: 'accepted', deploymentId: expect.any(String) });
  expect(bench.app('/web').version).toBe(version);
  expect(bench.world.deployments.size).toBe(0);
});

const aHealthCheck: App['healthChecks'][number] = {
  protocol: 'MESOS_TCP',
  portIndex: 0,
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
  ignoreHttp1xx: false,
};
const quiet: [string, Partial<App>][] = [
  ['labels', { labels: { team: 'a' } }],
  ['the upgrade strategy', { upgradeStrategy: { maximumOverCapacity: 0, minimumHealthCapacity: 0 } }],
  ['the back-off', { backoffSeconds: 7, backoffFactor: 3, maxLaunchDelaySeconds: 9 }],
  ['the unreachable strategy', { unreachableStrategy: 'disabled' }],
  ['the kill selection', { killSelection: 'OLDEST_FIRST' }],
  ['the dependencies', { dependencies: [appId('/db')] }],
  ['the health checks', { healthChecks: [aHealthCheck] }],
];
test.each(quiet)('a change of %s replaces no task', (_, fields) => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const { versionInfo, version } = bench.app('/web');
  bench.now += 5_000;
  bench.put(anApp('/web', fields));
  expect(bench.app('/web').versionInfo).toEqual(versionInfo);
  expect(bench.app('/web').version > version).toBe(true);
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.killed()).toEqual([]);
});

const replacing: [string, Partial<App>][] = [
  ['the command', { cmd: 'sleep 2' }],
  ['the memory', { mem: 64 }],
  ['the environment', { env: { A: '1' } }],
  ['the pins', pinned('10.32.0.77')],
  ['the constraints', { constraints: [{ field: 'hostname', operator: 'UNIQUE' }] }],
  ['the accepted roles', { acceptedResourceRoles: ['*'] }],
];
test.each(replacing)('a change of %s replaces the tasks', (_, fields) => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.now += 5_000;
  bench.put(anApp('/web', fields));
  const app = bench.app('/web');
  expect(app.versionInfo.lastConfigChangeAt).toBe(app.version);
  expect([...bench.world.deployments.values()][0]?.steps).toEqual([
    { actions: [{ action: 'RestartApplication', app: '/web' }] },
  ]);
  expect(bench.offer('a1')).toHaveLength(1);
});

test('scaling marks the time of scaling only, and keeps the older definition', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const before = bench.app('/web');
  bench.put(anApp('/web', { instances: 2 }));
  const after = bench.app('/web');
  expect(after.versionInfo).toEqual({
    lastScalingAt: after.version,
    lastConfigChangeAt: before.versionInfo.lastConfigChangeAt,
  });
  // Versions grow even within one millisecond.
  expect(after.version > before.version).toBe(true);
  expect([...(bench.world.versions.get(before.id)?.keys() ?? [])]).toEqual([before.version]);
});

test('only the newest older definitions are kept', () => {
  const bench = new CoreBench({ maxVersions: 2 });
  for (const team of ['a', 'b', 'c', 'd']) bench.put(anApp('/web', { instances: 0, labels: { team } }));
  const versions = [...(bench.world.versions.get(appId('/web'))?.values() ?? [])];
  expect(versions.map(({ labels }) => labels['team'])).toEqual(['b', 'c']);
  expect([...bench.store.keys()].filter((key) => key.startsWith('app-version'))).toHaveLength(2);
});

test('scaling down takes the highest slots', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 3 }));
  const [one, two] = [bench.instance('/web', 1), bench.instance('/web', 2)];
  bench.put(anApp('/web', { instances: 1 }));
  expect(bench.killed().sort()).toEqual([one.taskId, two.taskId].sort());
  for (const task of bench.killed()) bench.status(task, 'killed');
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.instances('/web')).toHaveLength(1);
});

test('a deleted app is gone when its last instance has ended', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const task = bench.instance('/web');
  const result = bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  expect(result).toMatchObject({ kind: 'accepted', deploymentId: expect.any(String) });
  expect(bench.killed()).toEqual([task.taskId]);
  expect(bench.world.apps.size).toBe(1);
  bench.status(task, 'killed');
  expect(bench.world.apps.size).toBe(0);
  expect(bench.published()).toEqual(expect.arrayContaining(['app_terminated_event', 'deployment_success']));
  expect(
    [...bench.store.keys()].filter((key) => /^(app|app-version|instance|deployment) /.test(key)),
  ).toEqual([]);
});

test('an app whose instance is unreachable can be deleted; the instance is killed when it comes back', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const task = bench.instance('/web');
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  bench.status(task, 'unreachable');
  expect(bench.world.apps.size).toBe(0);
  bench.status(task, 'running');
  expect(bench.killed()).toEqual([task.taskId]);
});

test('a deletion that is dropped by force leaves the app with its instances', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const task = bench.instance('/web');
  const result = bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  if (result.kind !== 'accepted') throw new Error('refused');
  bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: true });
  bench.status(task, 'killed');
  expect(bench.offer('a1').map(({ slot }) => slot.id)).toEqual(['/web#0']);
});

test('a restart replaces every task with the same definition', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.change({ kind: 'restart-app', appId: appId('/web'), force: false });
  const launches = bench.offer('a1');
  bench.run(launches);
  bench.converge(bench.slot('/web').id);
  expect(bench.slot('/web').activeEpoch).toBe(2);
});

test('cancelling a scale-up deploys the count of before', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const result = bench.put(anApp('/web', { instances: 3 }));
  if (result.kind !== 'accepted') throw new Error('refused');
  const reverse = bench.change({
    kind: 'cancel-deployment',
    deploymentId: result.deploymentId!,
    force: false,
  });
  expect(reverse).toMatchObject({ kind: 'accepted', deploymentId: expect.any(String) });
  expect(bench.app('/web').instances).toBe(1);
  expect(bench.world.deployments.size).toBe(0);
});

test('cancelling the deployment of a new app removes the app', () => {
  const bench = new CoreBench();
  const result = bench.put(anApp('/web'));
  if (result.kind !== 'accepted') throw new Error('refused');
  bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: false });
  expect(bench.world.apps.size).toBe(0);
});

test('what does not exist is not found', () => {
  const bench = new CoreBench();
  const nowhere = appId('/nowhere');
  expect(bench.change({ kind: 'delete-app', appId: nowhere, force: true })).toEqual({
    kind: 'not-found',
    message: "App '/nowhere' does not exist",
  });
  expect(bench.change({ kind: 'restart-app', appId: nowhere, force: true }).kind).toBe('not-found');
  expect(bench.change({ kind: 'reset-delay', appId: nowhere }).kind).toBe('not-found');
  expect(bench.change({ kind: 'cancel-deployment', deploymentId: deploymentId('x'), force: true })).toEqual({
    kind: 'not-found',
    message: 'DeploymentPlan x does not exist',
  });
});

test('a killed task is replaced in its slot; killed with scale, its slot goes and the lowest free one is filled later', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 3 }));
  const first = bench.instance('/web', 0);
  bench.change({ kind: 'kill-tasks', taskIds: [first.taskId], scale: false, force: false });
  bench.status(first, 'killed');
  const [replacement] = bench.offer('a1');
  expect(replacement?.slot.id).toBe('/web#0');
  bench.run([replacement!]);
  const second = bench.instance('/web', 1);
  bench.change({ kind: 'kill-tasks', taskIds: [second.taskId], scale: true, force: false });
  expect(bench.app('/web').instances).toBe(2);
  bench.status(second, 'killed');
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.offer('a1')).toEqual([]);
  bench.put(anApp('/web', { instances: 3 }));
  expect(bench.offer('a1').map(({ slot }) => slot.id)).toEqual(['/web#1']);
});

test('a kill with scale respects the lock, a plain one does not', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const [launch] = bench.offer('a1');
  const taskIds = [launch!.instance.taskId];
  expect(bench.change({ kind: 'kill-tasks', taskIds, scale: true, force: false }).kind).toBe('conflict');
  expect(bench.change({ kind: 'kill-tasks', taskIds, scale: false, force: false }).kind).toBe('accepted');
  expect(bench.killed()).toEqual(taskIds);
});
