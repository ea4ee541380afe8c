import { expect, test } from '@jest/globals';
import { healthKillLimit } from '../../scheduler/core/slots/health.ts';
import type { App, HealthCheck, ReadinessCheck } from '../../src/model/app.ts';
import type { CheckResult } from '../../src/model/health.ts';
import type { TaskId } from '../../src/model/ids.ts';
import type { Instance } from '../../src/model/instance.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const check: HealthCheck = {
  protocol: 'HTTP',
  path: '/',
  portIndex: 0,
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
  ignoreHttp1xx: false,
};
const checked = (fields: Partial<App> = {}): App => anApp('/web', { healthChecks: [check], ...fields });

const well: CheckResult = { alive: true, consecutiveFailures: 0, exhausted: false, firstSuccess: 1 };
const ill = (failures: number, of: Partial<CheckResult> = {}): CheckResult => ({
  alive: false,
  consecutiveFailures: failures,
  exhausted: failures >= 3,
  firstSuccess: 1,
  lastFailureCause: 'HTTP :80/: status 503',
  ...of,
});

const report = (bench: CoreBench, task: TaskId | Instance, result: CheckResult) =>
  bench.status(task, 'running', {
    healthy: result.alive,
    checkResults: [result],
    reason: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
  });

/** The app on the bench with every instance healthy. */
function healthyApp(app: App): CoreBench {
  const bench = new CoreBench();
  bench.deploy(app);
  for (const instance of bench.instances('/web')) report(bench, instance, well);
  return bench;
}

test('a deployment ends when every instance is healthy, not when it runs', () => {
  const bench = new CoreBench();
  bench.deploy(checked({ instances: 2 }));
  expect(bench.world.deployments.size).toBe(1);
  report(bench, bench.instance('/web', 0), well);
  expect(bench.world.deployments.size).toBe(1);
  report(bench, bench.instance('/web', 1), well);
  expect(bench.world.deployments.size).toBe(0);
});

test('a change of only the health checks restarts nothing, and instances are judged by the ones they have', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  bench.put(checked({ instances: 2 }));
  expect(bench.killed()).toEqual([]);
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.instances('/web').map(({ epoch }) => epoch)).toEqual([1, 1]);
  bench.put(checked({ instances: 3 }));
  bench.run(bench.offer('a4'));
  expect(bench.world.deployments.size).toBe(1);
  report(bench, bench.instance('/web', 2), well);
  expect(bench.world.deployments.size).toBe(0);
});

test('an instance that is at its limit is ended and replaced at once in its slot with its address', () => {
  const bench = healthyApp(checked());
  const first = bench.instance('/web');
  report(bench, first, ill(2));
  expect(bench.killed()).toEqual([]);
  report(bench, first, ill(3));
  expect(bench.killed()).toEqual([first.taskId]);
  expect(bench.published()).toContain('unhealthy_instance_kill_event');
  bench.status(first, 'killed');
  const [launch] = bench.offer('a1');
  expect(launch?.instance).toMatchObject({ slotId: '/web#0', epoch: 2, standby: false, lease: first.lease });
  expect(bench.world.lastFailures.get(first.appId)).toMatchObject({
    state: 'TASK_KILLED',
    message: 'ended for its health: HTTP :80/: status 503',
  });
});

test('an instance that was never well delays the launch of the next', () => {
  const bench = new CoreBench();
  bench.deploy(checked());
  const first = bench.instance('/web');
  const { firstSuccess: _, ...never } = ill(3);
  report(bench, first, never);
  bench.status(first, 'killed');
  expect(bench.offer('a1')).toEqual([]);
  bench.wait(2);
  expect(bench.offer('a1')).toHaveLength(1);
});

test.each([
  [1, 1, 1],
  [10, 1, 1],
  [10, 0.5, 5],
  [3, 0.5, 1],
  [4, 0, 4],
])('of %i instances with minimum health %d at most %i are ended at once', (instances, minimum, limit) => {
  const upgradeStrategy = { minimumHealthCapacity: minimum, maximumOverCapacity: 0 };
  expect(healthKillLimit({ instances, upgradeStrategy })).toBe(limit);
});

test('when all instances are sick they are replaced one after the other, the next when the last one serves', () => {
  const bench = healthyApp(checked({ instances: 3 }));
  const all = bench.instances('/web');
  const killed = all.flatMap((instance) => bench.killed(report(bench, instance, ill(3)).effects));
  expect(killed).toEqual([all[0]!.taskId]);
  bench.status(all[0]!, 'killed');
  const [next] = bench.offer('a1');
  bench.status(next!.instance, 'running', { checkResults: [null] });
  expect(bench.killed()).toEqual([]);
  report(bench, next!.instance, well);
  expect(bench.killed()).toEqual([all[1]!.taskId]);
});

test('a successor that is sick too is ended without waiting for room', () => {
  const bench = healthyApp(checked({ instances: 3 }));
  const [first] = bench.instances('/web');
  report(bench, first!, ill(3));
  bench.status(first!, 'killed');
  const [next] = bench.offer('a1');
  report(bench, next!.instance, ill(3));
  expect(bench.killed()).toEqual([next!.instance.taskId]);
});

test('the limit and the results outlive a restart of the scheduler', () => {
  const bench = healthyApp(checked({ instances: 3 }));
  const all = bench.instances('/web');
  for (const instance of all) report(bench, instance, ill(3));
  bench.restart();
  const again = bench.instances('/web');
  expect(again.map(({ checkResults }) => checkResults)).toEqual(all.map(() => [ill(3)]));
  expect(again.filter(({ goal }) => goal === 'stop')).toHaveLength(1);
});

test('a result that reaches the scheduler before it stops is acted on after its restart', () => {
  const bench = healthyApp(
    checked({ upgradeStrategy: { minimumHealthCapacity: 1, maximumOverCapacity: 0 } }),
  );
  const key = `instance ${bench.instance('/web').taskId}`;
  const record = bench.store.get(key)!;
  const value = { ...(record.value as Instance), healthy: false, checkResults: [ill(3)] };
  bench.store.set(key, { ...record, value });
  bench.restart();
  expect(bench.instance('/web').goal).toBe('stop');
});

test('a standby that is never healthy leaves the old incarnation active, and is ended at its limit', () => {
  const bench = healthyApp(checked());
  const old = bench.instance('/web');
  bench.put(checked({ env: { RELEASE: 'bad' } }));
  const [standby] = bench.offer('a2');
  bench.status(standby!.instance, 'running', { checkResults: [null] });
  const { firstSuccess: _, ...never } = ill(3);
  report(bench, standby!.instance, never);
  expect(bench.killed()).toEqual([standby!.instance.taskId]);
  expect(bench.slot('/web').activeEpoch).toBe(old.epoch);
  bench.status(standby!.instance, 'killed');
  bench.wait(2);
  expect(bench.offer('a2').map(({ instance }) => instance.standby)).toEqual([true]);
  const [deployment] = bench.world.deployments.keys();
  bench.change({ kind: 'cancel-deployment', deploymentId: deployment!, force: false });
  expect(bench.slot('/web').activeEpoch).toBe(old.epoch);
  expect(bench.killed()).not.toContain(old.taskId);
});

test('without health checks in the definition nobody is ended for bad health', () => {
  const bench = healthyApp(checked());
  bench.put(anApp('/web'));
  report(bench, bench.instance('/web'), ill(3));
  expect(bench.killed()).toEqual([]);
});

test('observers are told of failures and of changes, each once', () => {
  const bench = healthyApp(checked({ instances: 2 }));
  const first = bench.instance('/web', 0);
  report(bench, first, ill(1));
  expect(bench.published()).toEqual([
    'status_update_event',
    'failed_health_check_event',
    'health_status_changed_event',
    'instance_health_changed_event',
  ]);
  report(bench, first, ill(2));
  expect(bench.published()).toEqual(['status_update_event', 'failed_health_check_event']);
  report(bench, first, ill(2));
  expect(bench.published()).toEqual([]);
});

test('what the master remembers of the health does not overwrite what the executor told', () => {
  const bench = healthyApp(checked());
  bench.status(bench.instance('/web'), 'running', { healthy: false, reason: 'REASON_RECONCILIATION' });
  expect(bench.instance('/web').healthy).toBe(true);
});

const readiness: ReadinessCheck = {
  name: 'up',
  protocol: 'HTTP',
  path: '/',
  portName: 'http',
  intervalSeconds: 30,
  timeoutSeconds: 10,
  httpStatusCodesForReady: [200],
  preserveLastResponse: false,
};

test('an instance with a readiness check counts, and takes over, only when it is ready', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { readinessChecks: [readiness] });
  bench.deploy(app);
  expect(bench.world.deployments.size).toBe(1);
  bench.status(bench.instance('/web'), 'running', { ready: true });
  expect(bench.world.deployments.size).toBe(0);
  bench.put({ ...app, env: { RELEASE: '2' } });
  const [next] = bench.offer('a2');
  bench.status(next!.instance, 'running', { ready: false });
  expect(bench.slot('/web').activeEpoch).toBe(1);
  bench.status(next!.instance, 'running', { ready: true });
  bench.converge(next!.instance.slotId);
  expect(bench.slot('/web').activeEpoch).toBe(next!.instance.epoch);
});

test('the last answer to the readiness check is stored, until the instance is ready', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { readinessChecks: [{ ...readiness, preserveLastResponse: true }] }));
  const answer = (status: number) => ({ status, contentType: 'text/plain', body: `says ${status}` });
  const tell = (ready: boolean, status: number) =>
    bench.status(bench.instance('/web'), 'running', { ready, lastResponse: answer(status) });
  tell(false, 503);
  bench.restart();
  expect(bench.instance('/web')).toMatchObject({ ready: false, lastResponse: answer(503) });
  const before = bench.instance('/web');
  tell(false, 503);
  expect(bench.instance('/web')).toBe(before);
  tell(true, 200);
  tell(false, 500);
  expect(bench.instance('/web')).toMatchObject({ ready: true, lastResponse: answer(200) });
});

test('readiness is not taken back and outlives a restart of the scheduler', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { readinessChecks: [readiness] }));
  bench.status(bench.instance('/web'), 'running', { ready: true });
  bench.status(bench.instance('/web'), 'running', { ready: false, message: 'again' });
  bench.restart();
  expect(bench.instance('/web').ready).toBe(true);
});
