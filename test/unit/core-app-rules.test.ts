import { describe, expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import type { AppRules } from '../../src/model/app-rules.ts';
import { appId, groupId } from '../../src/model/ids.ts';
import type { ChangeResult } from '../../scheduler/core/events.ts';
import { Tree } from '../../scheduler/core/changes/tree.ts';
import { anApp, CoreBench, settings } from '../support/core-bench.ts';

const single: Partial<App> = {
  labels: { MARATHON_SINGLE_INSTANCE_APP: 'true' },
  upgradeStrategy: { maximumOverCapacity: 0, minimumHealthCapacity: 0 },
};
const { container } = anApp('/any');
const privileged: Partial<App> = { container: { ...container, privileged: true } };
const withPid: Partial<App> = {
  container: { ...container, parameters: [{ key: 'pid', value: 'host' }] },
};

/** A scheduler that lets apps do everything, until its operator starts it anew with other rules. */
class Cluster extends CoreBench {
  override readonly settings = {
    ...settings,
    rules: { forbidden: [], allowedParameters: new Set(['pid']) } as AppRules,
  };

  restrict(): void {
    this.settings.rules = { forbidden: ['privileged'], allowedParameters: new Set() };
    this.restart();
  }
}

const draining: Partial<App> = {
  labels: { 'patchpanel.handover': 'drain' },
  upgradeStrategy: { maximumOverCapacity: 0, minimumHealthCapacity: 0.5 },
};

const idOf = (result: ChangeResult) => {
  if (result.kind !== 'accepted' || result.deploymentId === undefined) throw new Error('refused');
  return result.deploymentId;
};
const refusal = (app: string, path: string, error: unknown) => ({
  kind: 'invalid',
  details: [{ appId: app, path, errors: [error] }],
});
const isPrivileged = (app: string) =>
  refusal(
    app,
    '/container/docker/privileged',
    'privileged is forbidden on this cluster (--forbid privileged)',
  );
const scale = (bench: CoreBench, scaleBy: number) =>
  bench.change({ kind: 'scale-group', groupId: groupId('/shop'), scaleBy, force: false });
const takeBack = (bench: CoreBench, result: ChangeResult) =>
  bench.change({ kind: 'cancel-deployment', deploymentId: idOf(result), force: false });
const stopped = (bench: CoreBench) => {
  for (const { taskId, goal } of bench.instances('/shop/web'))
    if (goal === 'stop') bench.status(taskId, 'killed');
};

test('a group is not scaled to a second copy of what may only have one', () => {
  const bench = new Cluster();
  bench.deploy(anApp('/shop/one', single));
  expect(scale(bench, 2)).toEqual(
    refusal('/shop/one', '/instances', 'Single instance app may only have one instance'),
  );
  expect(bench.frame.writes).toEqual([]);
  expect(scale(bench, 1).kind).toBe('accepted');
});

test('a handover that cannot be had is refused, and an app that has it from before may shrink', () => {
  const bench = new Cluster();
  bench.deploy(anApp('/shop/web', { instances: 4, labels: draining.labels! }));
  const inPlace = anApp('/shop/web', { instances: 4, ...draining });
  expect(bench.change({ kind: 'put-apps', apps: [inPlace], force: false })).toEqual(
    refusal('/shop/web', '/labels/patchpanel.handover', expect.stringContaining('end first')),
  );
  // As one that was stored before there was this rule.
  const record = bench.store.get('app /shop/web')!;
  bench.store.set('app /shop/web', {
    ...record,
    value: { ...inPlace, version: bench.app('/shop/web').version },
  });
  bench.restart();
  expect(scale(bench, 2).kind).toBe('invalid');
  expect(scale(bench, 0.5).kind).toBe('accepted');
});

describe('what was forbidden after it was defined', () => {
  test('is not made more of, and may become less and end', () => {
    const bench = new Cluster();
    bench.deploy(anApp('/shop/web', { ...privileged, instances: 2 }));
    bench.restrict();
    expect(scale(bench, 2)).toEqual(isPrivileged('/shop/web'));
    expect(scale(bench, 0.5).kind).toBe('accepted');
    stopped(bench);
    expect(bench.world.deployments.size).toBe(0);
    const restarted = bench.change({ kind: 'restart-app', appId: appId('/shop/web'), force: false });
    expect(restarted.kind).toBe('accepted');
    expect(bench.change({ kind: 'delete-app', appId: appId('/shop/web'), force: true }).kind).toBe(
      'accepted',
    );
  });

  test('does not come back with an older version of its group', () => {
    const bench = new Cluster();
    bench.deploy(anApp('/shop/web', { instances: 0, ...privileged }));
    const { version } = new Tree(bench.world).group(groupId('/'))!;
    bench.now += 1_000;
    bench.deploy(anApp('/shop/web', { instances: 0 }));
    bench.restrict();
    const change = { kind: 'revert-group', groupId: groupId('/shop'), version, force: false } as const;
    expect(bench.change(change)).toEqual(isPrivileged('/shop/web'));
    expect(bench.change({ ...change, dryRun: true })).toEqual(isPrivileged('/shop/web'));
    expect(bench.app('/shop/web').container.privileged).toBe(false);
  });

  test('does not come back when its deployment is taken back on request, which goes on', () => {
    const bench = new Cluster();
    bench.deploy(anApp('/shop/web', withPid));
    bench.now += 1_000;
    const changed = bench.put(anApp('/shop/web'));
    bench.restrict();
    expect(takeBack(bench, changed)).toMatchObject({
      kind: 'invalid',
      details: [{ path: '/container/docker/parameters(0)/key', errors: [expect.stringContaining('"pid"')] }],
    });
    expect([...bench.world.deployments.keys()]).toEqual([idOf(changed)]);
  });

  test('stays while it is being deleted, when that is taken back', () => {
    const bench = new Cluster();
    bench.deploy(anApp('/shop/web', privileged));
    bench.restrict();
    const deleted = bench.change({ kind: 'delete-app', appId: appId('/shop/web'), force: true });
    expect(takeBack(bench, deleted).kind).toBe('accepted');
    expect(bench.app('/shop/web').instances).toBe(1);
  });

  test('does not come back at a deadline: the deployment ends, says why, and its apps stay as they are', () => {
    const bench = new Cluster();
    bench.deploy(anApp('/shop/web', privileged));
    bench.now += 1_000;
    const labels = {
      'patchpanel.deploymentDeadlineSeconds': '60',
      'patchpanel.onDeploymentFailure': 'rollback',
    };
    const failing = idOf(bench.put(anApp('/shop/web', { labels, env: { RELEASE: '2' } })));
    bench.restrict();
    bench.wait(60);
    expect(bench.world.deployments.size).toBe(0);
    expect(bench.world.endedDeployments.get(failing)).toMatchObject({
      outcome: 'failed',
      reason: expect.stringMatching(/it cannot be taken back: app '\/shop\/web' .*: privileged is forbidden/),
    });
    expect(bench.app('/shop/web')).toMatchObject({ env: { RELEASE: '2' }, container: { privileged: false } });
  });
});
