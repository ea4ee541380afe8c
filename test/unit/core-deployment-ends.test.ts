import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import type { ChangeResult } from '../../scheduler/core/events.ts';
import { anApp, anOffer, CoreBench, pinned } from '../support/core-bench.ts';

const idOf = (result: ChangeResult) => {
  if (result.kind !== 'accepted' || result.deploymentId === undefined) throw new Error('refused');
  return result.deploymentId;
};
const ends = (bench: CoreBench) => [...bench.world.endedDeployments.values()];
const limited = (seconds: number, fields: Partial<App> = {}): Partial<App> => ({
  ...fields,
  labels: { 'patchpanel.deploymentDeadlineSeconds': String(seconds), ...fields.labels },
});
const rolledBack = { 'patchpanel.onDeploymentFailure': 'rollback' };
test('a deployment that succeeds is remembered with its steps', () => {
  const bench = new CoreBench();
  const id = idOf(bench.put(anApp('/web')));
  bench.now += 5_000;
  bench.run(bench.offer('a1'));
  expect(ends(bench)).toEqual([
    {
      id,
      version: bench.app('/web').version,
      affectedApps: ['/web'],
      steps: [
        { actions: [{ action: 'StartApplication', app: '/web' }] },
        { actions: [{ action: 'ScaleApplication', app: '/web' }] },
      ],
      currentStep: 2,
      startedAt: 1_000_000,
      endedAt: 1_005_000,
      outcome: 'succeeded',
    },
  ]);
  bench.restart();
  expect(ends(bench).map((ended) => ended.id)).toEqual([id]);
});

test('only the newest ends are remembered, also across a restart', () => {
  const bench = new CoreBench({ maxEndedDeployments: 2 });
  const ids = ['a', 'b', 'c'].map((team) => {
    bench.now += 1_000;
    return idOf(bench.put(anApp('/web', { instances: 0, labels: { team } })));
  });
  expect(ends(bench).map(({ id }) => id)).toEqual(ids.slice(1));
  bench.restart();
  expect(ends(bench).map(({ id }) => id)).toEqual(ids.slice(1));
  expect([...bench.store.keys()].filter((key) => key.startsWith('ended-deployment'))).toHaveLength(2);
});

test('without a deadline a deployment takes as long as it takes', () => {
  const bench = new CoreBench();
  const id = idOf(bench.put(anApp('/web')));
  bench.now += 30 * 86_400_000;
  bench.wait(2);
  expect([...bench.world.deployments.keys()]).toEqual([id]);
});

test('a deployment that is not done by its deadline fails visibly; its app stays as it is and is free again', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const [first, second] = [bench.instance('/web', 0), bench.instance('/web', 1)];
  const id = idOf(bench.put(anApp('/web', { instances: 2, ...limited(60, { env: { RELEASE: '2' } }) })));
  const [launch] = bench.offer('a1');
  bench.status(launch!.instance, 'failed', { message: 'it does not work' });
  bench.wait(58);
  expect(bench.world.deployments.size).toBe(1);
  bench.wait(2);
  expect(bench.published()).toEqual(['deployment_step_failure', 'deployment_failed']);
  expect(bench.effects('publish').at(-1)?.event).toMatchObject({
    fields: {
      id,
      outcome: 'failed',
      reason: expect.stringMatching(/^not done after 60 s: waits for \/web \(2 of 2 serve.*it does not work/),
    },
  });
  expect(ends(bench).at(-1)).toMatchObject({ id, outcome: 'failed', currentStep: 0 });
  for (const old of [first, second]) expect(bench.world.instances.has(old.taskId)).toBe(true);
  expect(bench.put(anApp('/web', { instances: 3 })).kind).toBe('accepted');
});

test('the deadline holds across a restart', () => {
  const bench = new CoreBench();
  const id = idOf(bench.put(anApp('/web', limited(60))));
  bench.wait(30);
  bench.restart();
  bench.wait(29);
  expect(bench.world.deployments.size).toBe(1);
  bench.wait(1);
  expect(ends(bench)).toMatchObject([{ id, outcome: 'failed' }]);
});

test('where that was asked for, a failed deployment is taken back by another one', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 1, labels: rolledBack }));
  const old = bench.instance('/web');
  const changed = limited(60, { env: { RELEASE: 'bad' }, labels: rolledBack });
  const id = idOf(bench.put(anApp('/web', changed)));
  bench.status(bench.offer('a2')[0]!.instance, 'starting');
  bench.wait(60);
  const [successor] = bench.world.deployments.values();
  expect(successor).toMatchObject({ takesBack: id, affectedApps: ['/web'] });
  expect(successor?.deadline).toBeUndefined();
  expect(ends(bench).at(-1)).toMatchObject({ id, outcome: 'failed', successor: successor!.id });
  expect(bench.app('/web').env).toEqual({});
  for (const task of bench.killed()) bench.status(task, 'killed');
  expect(bench.world.deployments.size).toBe(0);
  expect(bench.instance('/web').taskId).toBe(old.taskId);
  expect(ends(bench).at(-1)).toMatchObject({ id: successor!.id, takesBack: id, outcome: 'succeeded' });
});

test('a new app whose deployment fails is removed again when that was asked for', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop/web', limited(60, { labels: rolledBack })));
  bench.wait(60);
  expect(bench.world.apps.size).toBe(0);
  expect([...bench.world.groups.keys()]).toEqual(['/']);
  expect(ends(bench).map(({ outcome }) => outcome)).toEqual(['failed', 'succeeded']);
});

test('a failed deployment that cannot be taken back says so and stays as it is', () => {
  const bench = new CoreBench();
  const inPlace = { upgradeStrategy: { minimumHealthCapacity: 0, maximumOverCapacity: 0 } };
  bench.deploy(anApp('/web', { ...inPlace, ...pinned('10.32.0.9') }));
  const changed = { ...inPlace, ...pinned('10.32.0.8'), ...limited(60, { labels: rolledBack }) };
  const id = idOf(bench.put(anApp('/web', changed)));
  for (const task of bench.killed()) bench.status(task, 'killed');
  // The address that the app would go back to is another's by now.
  bench.put(anApp('/thief', pinned('10.32.0.9')));
  bench.wait(60);
  expect(ends(bench)).toContainEqual(
    expect.objectContaining({
      id,
      outcome: 'failed',
      reason: expect.stringMatching(
        /it cannot be taken back: app '\/web' .*: address 10\.32\.0\.9 is taken by \/thief#0/,
      ),
    }),
  );
  expect(bench.slot('/web').lease?.ip).toBe('10.32.0.8');
});

test('the shortest deadline of the apps holds, 0 means none, and the default is for those that say nothing', () => {
  const bench = new CoreBench({ deploymentDeadlineMs: 100_000 });
  const deadlineOf = (...apps: App[]) => {
    const id = idOf(bench.change({ kind: 'put-apps', apps, force: false }));
    const { deadline, startedAt } = bench.world.deployments.get(id)!;
    return deadline === undefined ? undefined : (deadline - startedAt) / 1000;
  };
  expect(deadlineOf(anApp('/a'))).toBe(100);
  expect(deadlineOf(anApp('/b', limited(0)))).toBeUndefined();
  expect(deadlineOf(anApp('/c', limited(300)))).toBe(300);
  expect(deadlineOf(anApp('/d', limited(300)), anApp('/e', limited(30)), anApp('/f', limited(0)))).toBe(30);
});

test('a person who stops, takes back or replaces a deployment is told apart from a failure', () => {
  const bench = new CoreBench();
  const first = idOf(bench.put(anApp('/web')));
  const second = idOf(bench.put(anApp('/web', { instances: 2 }), true));
  const third = idOf(bench.change({ kind: 'cancel-deployment', deploymentId: second, force: false }));
  expect(ends(bench)).toMatchObject([
    { id: first, outcome: 'replaced', successor: second },
    { id: second, outcome: 'taken-back', successor: third },
  ]);
  expect(bench.world.deployments.get(third)?.takesBack).toBe(second);
  bench.change({ kind: 'cancel-deployment', deploymentId: third, force: true });
  expect(ends(bench).at(-1)).toMatchObject({
    id: third,
    outcome: 'cancelled',
    reason: 'cancelled on request',
  });
  expect(bench.app('/web').instances).toBe(1);
});

const selections: [App['killSelection'], string[]][] = [
  ['YOUNGEST_FIRST', ['/web#0', '/web#1']],
  ['OLDEST_FIRST', ['/web#1', '/web#2']],
];
test.each(selections)(
  '%s: of those launched together, and of those that were restarted',
  (killSelection, kept) => {
    const bench = new CoreBench();
    const app = anApp('/web', { instances: 3, killSelection });
    bench.deploy(app);
    bench.put({ ...app, instances: 2 });
    for (const task of bench.killed()) bench.status(task, 'killed');
    expect(
      bench
        .instances('/web')
        .map(({ slotId }) => slotId)
        .sort(),
    ).toEqual(kept);
  },
);

test('an instance that was restarted is the youngest, whatever its slot', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { instances: 3 });
  bench.deploy(app);
  bench.now += 10_000;
  bench.status(bench.instance('/web', 0), 'failed');
  bench.wait(5);
  bench.run(bench.offer('a1'));
  const [young, old] = [bench.instance('/web', 0), bench.instance('/web', 2)];
  bench.put({ ...app, instances: 2 });
  expect(bench.killed()).toEqual([young.taskId]);
  expect(bench.world.instances.get(old.taskId)?.goal).toBe('run');
});

test('what does not serve goes before what does', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { instances: 2, killSelection: 'OLDEST_FIRST' });
  bench.deploy(app);
  bench.put({ ...app, instances: 4 });
  const [launch] = bench.offer(
    anOffer('a1', { scalars: { cpus: 200, mem: 9_000_000, disk: 9_000_000, gpus: 0 } }),
  );
  expect(launch?.slot.id).toBe('/web#2');
  bench.put({ ...app, instances: 2 }, true);
  expect(bench.killed()).toEqual([launch!.instance.taskId]);
});

test('with pinned addresses the highest slots go, since the addresses belong to the first ones', () => {
  const bench = new CoreBench();
  const app = anApp('/web', {
    instances: 2,
    killSelection: 'OLDEST_FIRST',
    ...pinned('10.32.0.8', '10.32.0.9'),
  });
  bench.deploy(app);
  const second = bench.instance('/web', 1);
  bench.put({ ...app, instances: 1 });
  expect(bench.killed()).toEqual([second.taskId]);
});
