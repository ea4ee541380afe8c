import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DeploymentFate, GroupInfo } from '../../src/cli/api-types.ts';
import { addressOf, ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 2 });
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(async () => {
  const { deploymentId } = await bench.api.send('DELETE', '/v2/groups?force=true');
  if (deploymentId !== undefined) await ended(deploymentId);
});

/** Waits for the end of a deployment and tells how it was. */
async function ended(id: string): Promise<DeploymentFate> {
  return bench.until(`deployment ${id} to end`, async () => {
    const fate = await bench.api.get<DeploymentFate>(`/v1/deployments/${id}`);
    return fate.state !== 'running' && fate;
  });
}

test('a nested group starts in order though its scheduler dies, scales, is updated, brought back and deleted', async () => {
  // Ready only when its own check says so: what depends on it has to wait for that.
  const db = demoApp('db', {
    readinessChecks: [{ portName: 'http', path: '/', intervalSeconds: 2, timeoutSeconds: 1 }],
  });
  const front = (env: Record<string, string>) => ({
    id: 'front',
    dependencies: ['../back'],
    apps: [demoApp('web', { env })],
  });
  const created = await bench.api.send<{ version: string }>('POST', '/v2/groups', {
    id: '/shop',
    groups: [front({ RELEASE: '1' }), { id: 'back', apps: [db] }],
  });
  // Whoever leads then goes on with it.
  await cluster().killScheduler();
  await cluster().restartScheduler();
  expect(await ended(created.deploymentId!)).toMatchObject({ state: 'succeeded', totalSteps: 3 });
  const [database] = await bench.running('/shop/back/db', 1);
  const [web] = await bench.running('/shop/front/web', 1);
  expect(Date.parse(web!.stagedAt)).toBeGreaterThanOrEqual(Date.parse(database!.startedAt ?? ''));
  expect(await bench.ask(web!, ipOf(database))).toMatchObject({ task: database!.id });

  await bench.deploy('PUT', '/v2/groups/shop', { scaleBy: 2 });
  const two = await bench.running('/shop/front/web', 2);
  await bench.running('/shop/back/db', 2);
  expect(two[0]!.id).toBe(web!.id);

  await bench.deploy('PUT', '/v2/groups/shop/front', {
    apps: [demoApp('web', { instances: 2, env: { RELEASE: '2' } })],
  });
  const updated = await bench.running('/shop/front/web', 2);
  expect(updated.map(addressOf)).toEqual(two.map(addressOf));
  expect(updated.map(({ id }) => id)).not.toContain(web!.id);

  await bench.deploy('PUT', '/v2/groups/shop', { version: created.data.version });
  const [back] = await bench.running('/shop/front/web', 1);
  expect((await bench.app('/shop/front/web')).env).toEqual({ RELEASE: '1' });
  expect(addressOf(back!)).toBe(addressOf(web!));
  await bench.running('/shop/back/db', 1);

  const removed = await bench.api.send('DELETE', '/v2/groups/shop');
  expect((await bench.api.get<GroupInfo>('/v2/groups')).groups).toEqual([]);
  expect(await ended(removed.deploymentId!)).toMatchObject({ state: 'succeeded' });
  await bench.until('the containers to be gone', async () => (await bench.containerCount()).app === 0);
});

test('a redeploy that does not get done by its deadline is taken back, and what served goes on', async () => {
  const labels = {
    'patchpanel.deploymentDeadlineSeconds': '5',
    'patchpanel.onDeploymentFailure': 'rollback',
  };
  const [good] = await bench.add(shellApp('/shop/worker', 'sleep 600'));
  const { deploymentId } = await bench.api.send('PATCH', '/v2/apps/shop/worker', { cmd: 'exit 1', labels });
  const failed = await ended(deploymentId!);
  expect(failed).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/waits for \/shop\/worker \(1 of 1 serve/),
  });
  expect(await ended(failed.successor!)).toMatchObject({ state: 'succeeded', takesBack: deploymentId });
  expect((await bench.running('/shop/worker', 1)).map(({ id }) => id)).toEqual([good!.id]);
});
