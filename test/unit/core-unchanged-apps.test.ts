import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { groupId } from '../../src/model/ids.ts';
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

test('the same put again while its deployment runs is accepted with nothing to do, and the deployment goes on', () => {
  const bench = new CoreBench();
  const running = idOf(bench.put(anApp('/web')));
  const again = idOf(bench.put(anApp('/web')));
  expect(bench.world.endedDeployments.get(again)).toMatchObject({ steps: [], outcome: 'succeeded' });
  expect([...bench.world.deployments.keys()]).toEqual([running]);
  bench.run(bench.offer('a1'));
  expect(bench.world.endedDeployments.get(running)?.outcome).toBe('succeeded');
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
