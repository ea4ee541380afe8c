import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { appId, groupId } from '../../src/model/ids.ts';
import type { ChangeResult } from '../../scheduler/core/events.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const idOf = (result: ChangeResult) => {
  if (result.kind !== 'accepted' || result.deploymentId === undefined) throw new Error('refused');
  return result.deploymentId;
};
const release = (id: string, number: string, fields: Partial<App> = {}): App =>
  anApp(id, { env: { RELEASE: number }, ...fields });
const putShop = (bench: CoreBench, apps: readonly App[]): ChangeResult =>
  bench.change({ kind: 'put-group', update: { id: groupId('/shop'), apps }, force: false });
const affected = (bench: CoreBench) =>
  [...bench.world.deployments.values()].map(({ affectedApps }) => affectedApps);
/** One launch after the other, each of which fails. */
function crash(bench: CoreBench, app: string): void {
  for (let round = 0; round < 3; round++) {
    for (const instance of bench.instances(app)) bench.status(instance, 'failed');
    bench.wait(30);
    bench.offer('a1');
  }
}

test('the same put again while its deployment runs is answered with that deployment, which goes on', () => {
  const bench = new CoreBench();
  const running = bench.put(anApp('/web'));
  expect(bench.put(anApp('/web'))).toEqual(running);
  expect(bench.frame.writes).toEqual([]);
  expect([...bench.world.deployments.keys()]).toEqual([idOf(running)]);
  bench.run(bench.offer('a1'));
  expect(bench.world.endedDeployments.get(idOf(running))?.outcome).toBe('succeeded');
  expect(idOf(bench.put(anApp('/web')))).not.toBe(idOf(running));
});

test('the same group again is answered with the deployment that is at all of it that is under way', () => {
  const bench = new CoreBench();
  putShop(bench, [anApp('/shop/a'), anApp('/shop/b'), anApp('/shop/gone')]);
  bench.run(bench.offer('a1'));
  const { version } = bench.world.groups.get(groupId('/shop'))!;
  const apps = [release('/shop/a', '2'), anApp('/shop/b')];
  const running = putShop(bench, apps);
  const update = { id: groupId('/shop'), apps };
  expect(putShop(bench, apps)).toEqual(running);
  expect(bench.frame.writes).toEqual([]);
  expect(bench.change({ kind: 'put-group', update, force: false, dryRun: true })).toMatchObject({
    steps: [],
  });
  const waiting = { ...update, dependencies: [appId('/db')] };
  expect(idOf(bench.change({ kind: 'put-group', update: waiting, force: false }))).not.toBe(idOf(running));
  const reverted = bench.change({ kind: 'revert-group', groupId: groupId('/shop'), version, force: true });
  expect(bench.change({ kind: 'revert-group', groupId: groupId('/shop'), version, force: false })).toEqual(
    reverted,
  );
});

test('a group from which an app is still being deleted is answered with the deletion', () => {
  const bench = new CoreBench();
  putShop(bench, [anApp('/shop/a'), anApp('/shop/gone')]);
  bench.run(bench.offer('a1'));
  const running = putShop(bench, [anApp('/shop/a')]);
  expect(putShop(bench, [anApp('/shop/a')])).toEqual(running);
});

test('what several deployments are at is answered with none of them', () => {
  const bench = new CoreBench();
  const apps = [anApp('/shop/a'), anApp('/shop/b')];
  const ids = apps.map((app) => idOf(bench.put(app)));
  const both = bench.change({ kind: 'put-apps', apps, force: false });
  expect(ids).not.toContain(idOf(both));
  expect(bench.world.endedDeployments.get(idOf(both))).toMatchObject({ steps: [], outcome: 'succeeded' });
});

test('the same put again with force takes an app over that is not done, and leaves one alone that is', () => {
  const bench = new CoreBench();
  const first = idOf(bench.put(anApp('/web')));
  const second = idOf(bench.put(anApp('/web'), true));
  expect([...bench.world.deployments.keys()]).toEqual([second]);
  expect(bench.world.endedDeployments.get(first)?.outcome).toBe('replaced');
  bench.run(bench.offer('a1'));
  const both = idOf(putShop(bench, [anApp('/shop/done', { instances: 0 }), anApp('/shop/open')]));
  bench.put(anApp('/shop/done', { instances: 0 }), true);
  expect([...bench.world.deployments.keys()]).toEqual([both]);
});

test('a group can be changed beside an app of it that is being deployed and stays as it is', () => {
  const bench = new CoreBench();
  putShop(bench, [anApp('/shop/a'), anApp('/shop/b')]);
  bench.run(bench.offer('a1'));
  bench.put(release('/shop/a', '2'));
  expect(putShop(bench, [release('/shop/a', '2'), release('/shop/b', '2')]).kind).toBe('accepted');
  expect(affected(bench)).toEqual([['/shop/a'], ['/shop/b']]);
  expect(putShop(bench, [release('/shop/a', '3'), release('/shop/b', '2')]).kind).toBe('conflict');
});

test('an app that does not change and does not come up neither holds a deployment up nor is held by it', () => {
  const bench = new CoreBench();
  putShop(bench, [anApp('/shop/a'), anApp('/shop/b')]);
  bench.run(bench.offer('a1'));
  crash(bench, '/shop/a');
  putShop(bench, [anApp('/shop/a'), anApp('/shop/b', { instances: 2 })]);
  expect(affected(bench)).toEqual([['/shop/b']]);
  bench.run(bench.offer('a2').filter(({ app }) => app.id === '/shop/b'));
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.put(release('/shop/a', '2')).kind).toBe('accepted');
});

test('what a cancelled deployment left half done is finished by the same put again', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const cancelled = idOf(bench.put(release('/web', '2', { instances: 2 })));
  bench.change({ kind: 'cancel-deployment', deploymentId: cancelled, force: true });
  expect(bench.offer('a1')).toEqual([]);
  idOf(bench.put(release('/web', '2', { instances: 2 })));
  expect(affected(bench)).toEqual([['/web']]);
  expect(bench.offer('a1', 'a2')).toHaveLength(2);
});
