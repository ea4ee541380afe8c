import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DeploymentInfo } from '../../src/cli/api-types.ts';
import { addressOf, ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 2 });
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(() => bench.removeAll());

const often = { intervalSeconds: 1, timeoutSeconds: 5, gracePeriodSeconds: 30, maxConsecutiveFailures: 2 };
const web = { protocol: 'HTTP', path: '/', portIndex: 0, ...often };

test('a deployment ends when the instances answer, and their results are shown', async () => {
  const healthChecks = [web, { ...web, protocol: 'TCP' }];
  const tasks = await bench.add(demoApp('/web', { instances: 2, healthChecks }));
  expect(await bench.app('/web')).toMatchObject({ tasksRunning: 2, tasksHealthy: 2, tasksUnhealthy: 0 });
  for (const { healthCheckResults } of tasks) {
    const well = { alive: true, consecutiveFailures: 0, lastSuccess: expect.any(String) };
    expect(healthCheckResults).toEqual([expect.objectContaining(well), expect.objectContaining(well)]);
  }
});

test('a version that never becomes healthy stays dark, and a rollback leaves the old one as it was', async () => {
  const [client] = await bench.add(demoApp('/client'));
  const app = demoApp('/web', { healthChecks: [{ ...web, gracePeriodSeconds: 3 }] });
  const [old] = await bench.add(app);
  const { deploymentId } = await bench.api.send('PUT', '/v2/apps/web', { ...app, cmd: 'sleep 1000' });
  const standby = await bench.until('the new version to run and fail', async () => {
    const found = (await bench.tasks('/web')).find(({ id }) => id !== old!.id);
    return found?.healthCheckResults?.[0]?.alive === false && found;
  });
  expect(standby.patchpanel).toMatchObject({ endpoint: 'standby', slot: 0, ip: ipOf(old) });
  expect(standby.healthCheckResults?.[0]?.lastFailureCause).toMatch(/^HTTP :80\/: connect ECONNREFUSED/);
  expect(await bench.ask(client!, ipOf(old))).toMatchObject({ task: old!.id });
  await bench.until('the standby to be ended and another one to be tried', async () => {
    const found = (await bench.tasks('/web')).find(({ id }) => id !== old!.id);
    return found !== undefined && found.id !== standby.id;
  });
  expect(await bench.ask(client!, ipOf(old))).toMatchObject({ task: old!.id });
  const rollback = await bench.api.send('DELETE', `/v2/deployments/${deploymentId}`);
  await bench.until('the rollback to end', async () => {
    const deployments = await bench.api.get<DeploymentInfo[]>('/v2/deployments');
    return deployments.every(({ id }) => id !== rollback.deploymentId && id !== deploymentId);
  });
  const [after, ...more] = await bench.running('/web', 1);
  expect(more).toEqual([]);
  expect(after).toMatchObject({ id: old!.id, patchpanel: { endpoint: 'active' } });
  expect(await bench.ask(client!, ipOf(old))).toMatchObject({ task: old!.id });
});

test('an instance that becomes unhealthy is replaced in its slot with its address, and the others stay', async () => {
  const command = { protocol: 'COMMAND', command: { value: 'test ! -e /tmp/sick' }, delaySeconds: 0 };
  const healthChecks = [{ ...often, ...command }];
  const before = await bench.add(demoApp('/web', { instances: 2, healthChecks }));
  await bench.containers.exec(before[1]!.id, ['touch', '/tmp/sick']);
  const after = await bench.until('the sick one to be replaced', async () => {
    const tasks = await bench.tasks('/web');
    const well = tasks.filter((task) => task.healthCheckResults?.[0]?.alive === true);
    return tasks.length === 2 && well.length === 2 && tasks[1]!.id !== before[1]!.id && tasks;
  });
  expect(after[0]?.id).toBe(before[0]?.id);
  expect(after.map(addressOf)).toEqual(before.map(addressOf));
  expect(await bench.ask(after[0]!, ipOf(after[1]))).toMatchObject({ task: after[1]!.id });
  expect((await bench.app('/web')).lastTaskFailure).toMatchObject({
    taskId: before[1]!.id,
    message: 'ended for its health: COMMAND: exit status 1',
  });
});

test("an app on the host's network is checked at the port that it was given", async () => {
  const { networks: _, container: __, ...app } = demoApp('/host', { healthChecks: [web] });
  const container = { docker: (demoApp('/x')['container'] as { docker: object }).docker };
  await bench.add({ ...app, container, cmd: 'PORT=$PORT0 exec serve' });
  expect(await bench.app('/host')).toMatchObject({ tasksHealthy: 1 });
});

test('a deployment waits until the instance is ready, and what the instance said last is shown', async () => {
  const readinessChecks = [
    { portName: 'http', path: '/ready', intervalSeconds: 2, timeoutSeconds: 1, preserveLastResponse: true },
  ];
  const { deploymentId } = await bench.api.send('POST', '/v2/apps', demoApp('/web', { readinessChecks }));
  const [task] = await bench.running('/web', 1);
  const under = () => bench.api.get<DeploymentInfo[]>('/v2/deployments');
  expect((await under()).map(({ id }) => id)).toEqual([deploymentId]);
  await bench.until('the refusal to be shown', async () => {
    return JSON.stringify(await bench.app('/web')).includes('"lastResponse":{"status":404');
  });
  await bench.containers.exec(task!.id, ['sh', '-c', 'echo warm > /www/warm && mv /www/warm /www/ready']);
  await bench.until('the deployment to end', async () => (await under()).length === 0);
  expect(await bench.app('/web')).toMatchObject({
    readinessCheckResults: [
      {
        taskId: task!.id,
        name: 'readinessCheck',
        ready: true,
        lastResponse: { status: 200, body: 'warm\n' },
      },
    ],
  });
});
