import { expect, test } from '@jest/globals';
import type { App } from '../../src/model/app.ts';
import { appId, appVersion, groupId } from '../../src/model/ids.ts';
import type { GroupUpdate } from '../../scheduler/core/events.ts';
import { groupVersions, treeAt } from '../../scheduler/core/changes/revisions.ts';
import { Tree } from '../../scheduler/core/changes/tree.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const put = (bench: CoreBench, update: GroupUpdate, force = false) =>
  bench.change({ kind: 'put-group', update, force });
const aGroup = (id: string, fields: Partial<GroupUpdate> = {}): GroupUpdate => ({
  id: groupId(id),
  ...fields,
});
const names = (bench: CoreBench) => ({
  groups: [...new Tree(bench.world).groupsBelow(groupId('/'))].map(({ id }) => id).sort(),
  apps: [...new Tree(bench.world).appsBelow(groupId('/'))].map(({ id }) => id).sort(),
});
const steps = (bench: CoreBench) =>
  [...bench.world.deployments.values()].map((deployment) =>
    deployment.steps.map(({ actions }) => actions.map(({ action, app }) => `${action} ${app}`)),
  );

/** Offers and reports until no deployment is left. */
function finish(bench: CoreBench): void {
  for (let round = 0; round < 40 && bench.world.deployments.size > 0; round++) {
    for (const { taskId, goal } of bench.world.instances.values()) {
      if (goal === 'stop') bench.status(taskId, 'killed');
    }
    bench.run(bench.offer('a1', 'a2', 'a3'));
    for (const slot of bench.world.slots.values()) bench.converge(slot.id);
    bench.wait(1);
  }
  expect(bench.world.deployments.size).toBe(0);
}

test('an app makes the groups above it, and these stay when it goes', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop/back/db', { instances: 0 }));
  expect(names(bench)).toEqual({ groups: ['/shop', '/shop/back'], apps: ['/shop/back/db'] });
  bench.change({ kind: 'delete-app', appId: appId('/shop/back/db'), force: false });
  expect(names(bench)).toEqual({ groups: ['/shop', '/shop/back'], apps: [] });
  expect([...bench.store.keys()].filter((key) => key.startsWith('group')).sort()).toEqual([
    'group /',
    'group /shop',
    'group /shop/back',
  ]);
});

test('a nested group starts in the order of its dependencies: those of a group hold for every app below it', () => {
  const bench = new CoreBench();
  put(
    bench,
    aGroup('/shop', {
      groups: [
        aGroup('/shop/front', {
          dependencies: [groupId('/shop/back')],
          groups: [aGroup('/shop/front/web', { apps: [anApp('/shop/front/web/site')] })],
          apps: [anApp('/shop/front/proxy', { dependencies: [groupId('/shop/front/web')] })],
        }),
        aGroup('/shop/back', {
          apps: [anApp('/shop/back/api', { dependencies: [appId('/shop/back/db')] }), anApp('/shop/back/db')],
        }),
      ],
    }),
  );
  expect(steps(bench)).toEqual([
    [
      [
        'StartApplication /shop/front/proxy',
        'StartApplication /shop/front/web/site',
        'StartApplication /shop/back/api',
        'StartApplication /shop/back/db',
      ],
      ['ScaleApplication /shop/back/db'],
      ['ScaleApplication /shop/back/api'],
      ['ScaleApplication /shop/front/web/site'],
      ['ScaleApplication /shop/front/proxy'],
    ],
  ]);
  expect(bench.offer('a1').map(({ app }) => app.id)).toEqual(['/shop/back/db']);
});

test('the order of a change follows apps that are not part of it', () => {
  const bench = new CoreBench();
  const [db, api, web] = [
    anApp('/db', { instances: 0 }),
    anApp('/api', { instances: 0, dependencies: [appId('/db')] }),
    anApp('/web', { instances: 0, dependencies: [appId('/api')] }),
  ];
  bench.change({ kind: 'put-apps', apps: [db, api, web], force: false });
  const scaled = [web, db].map((app) => ({ ...app, instances: 1 }));
  bench.change({ kind: 'put-apps', apps: scaled, force: false });
  expect(steps(bench)).toEqual([[['ScaleApplication /db'], ['ScaleApplication /web']]]);
});

const cycles: [string, () => GroupUpdate][] = [
  [
    'two apps',
    () =>
      aGroup('/a', {
        apps: [
          anApp('/a/x', { dependencies: [appId('/a/y')] }),
          anApp('/a/y', { dependencies: [appId('/a/x')] }),
        ],
      }),
  ],
  ['an app and itself', () => aGroup('/a', { apps: [anApp('/a/x', { dependencies: [appId('/a/x')] })] })],
  [
    'an app and a group above it',
    () => aGroup('/a', { dependencies: [groupId('/a')], apps: [anApp('/a/x')] }),
  ],
  [
    'two groups',
    () =>
      aGroup('/a', {
        groups: [
          aGroup('/a/x', { dependencies: [groupId('/a/y')], apps: [anApp('/a/x/one')] }),
          aGroup('/a/y', { dependencies: [groupId('/a/x')], apps: [anApp('/a/y/one')] }),
        ],
      }),
  ],
];
test.each(cycles)('a cycle of %s is refused and leaves nothing', (_, update) => {
  const bench = new CoreBench();
  const before = [...bench.store.keys()];
  expect(put(bench, update())).toMatchObject({
    kind: 'invalid',
    details: [
      {
        path: '/dependencies',
        errors: ['Dependency graph has cyclic dependencies.', expect.stringMatching(/^the cycle is \/a\//)],
      },
    ],
  });
  expect([...bench.store.keys()]).toEqual(before);
  expect(bench.published()).toEqual(['group_change_failed']);
  expect(names(bench)).toEqual({ groups: [], apps: [] });
});

test('a dependency that closes a cycle through an app that is not changed is refused', () => {
  const bench = new CoreBench();
  bench.put(anApp('/x', { instances: 0, dependencies: [appId('/later')] }));
  const result = bench.put(anApp('/later', { instances: 0, dependencies: [appId('/x')] }));
  expect(result.kind).toBe('invalid');
});

test('a chain of ten thousand apps is ordered', () => {
  const bench = new CoreBench({ maxRevisions: 1 });
  const apps = Array.from({ length: 10_000 }, (_, index) =>
    anApp(`/chain/a${index}`, {
      instances: 0,
      network: { mode: 'host' },
      dependencies: index === 0 ? [] : [appId(`/chain/a${index - 1}`)],
    }),
  );
  const update = aGroup('/chain', { apps: apps.toReversed() });
  const result = bench.change({ kind: 'put-group', update, force: false, dryRun: true });
  if (result.kind !== 'accepted') throw new Error('refused');
  expect(result.steps?.slice(1).map(({ actions }) => actions[0]?.app)).toEqual(apps.map(({ id }) => id));
});

test('of the lists that a change gives, what is not in them goes; what it does not give stays', () => {
  const bench = new CoreBench();
  put(
    bench,
    aGroup('/shop', {
      dependencies: [groupId('/base')],
      apps: [anApp('/shop/a', { instances: 0 }), anApp('/shop/b', { instances: 0 })],
      groups: [
        aGroup('/shop/one', { apps: [anApp('/shop/one/x', { instances: 0 })] }),
        aGroup('/shop/two', { apps: [anApp('/shop/two/y', { instances: 0 })] }),
      ],
    }),
  );
  put(bench, aGroup('/shop', { apps: [anApp('/shop/a', { instances: 0 })] }));
  expect(names(bench)).toEqual({
    groups: ['/shop', '/shop/one', '/shop/two'],
    apps: ['/shop/a', '/shop/one/x', '/shop/two/y'],
  });
  put(bench, aGroup('/shop', { groups: [aGroup('/shop/two')] }));
  expect(names(bench)).toEqual({ groups: ['/shop', '/shop/two'], apps: ['/shop/a', '/shop/two/y'] });
  expect(bench.world.groups.get(groupId('/shop'))?.dependencies).toEqual(['/base']);
});

test('a group that is deleted is gone for people at once and from the store with its last task', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/shop/back/db'));
  bench.put(anApp('/other', { instances: 0 }));
  const result = bench.change({ kind: 'delete-group', groupId: groupId('/shop'), force: false });
  expect(result).toMatchObject({ kind: 'accepted', deploymentId: expect.any(String) });
  expect(names(bench)).toEqual({ groups: [], apps: ['/other'] });
  bench.restart();
  expect(names(bench)).toEqual({ groups: [], apps: ['/other'] });
  expect(bench.store.has('group /shop/back')).toBe(true);
  finish(bench);
  expect([...bench.store.keys()].filter((key) => /^(group|app) /.test(key)).sort()).toEqual([
    'app /other',
    'group /',
  ]);
});

test('a group made anew while the old one goes stays', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/shop/db'));
  bench.change({ kind: 'delete-group', groupId: groupId('/shop'), force: false });
  put(bench, aGroup('/shop', { apps: [anApp('/shop/web', { instances: 0 })] }));
  finish(bench);
  expect(names(bench)).toEqual({ groups: ['/shop'], apps: ['/shop/web'] });
});

test('a deletion of a group that is dropped by force leaves its apps and groups', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/shop/db'));
  const result = bench.change({ kind: 'delete-group', groupId: groupId('/shop'), force: false });
  if (result.kind !== 'accepted') throw new Error('refused');
  bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: true });
  expect(names(bench)).toEqual({ groups: ['/shop'], apps: ['/shop/db'] });
  bench.change({ kind: 'delete-app', appId: appId('/shop/db'), force: true });
  finish(bench);
  expect(names(bench)).toEqual({ groups: ['/shop'], apps: [] });
});

test('a deletion goes on when another one takes over one of its apps by force', () => {
  const bench = new CoreBench();
  put(bench, aGroup('/shop', { apps: [anApp('/shop/a'), anApp('/shop/b')] }));
  finish(bench);
  bench.change({ kind: 'delete-group', groupId: groupId('/shop'), force: false });
  bench.change({ kind: 'delete-app', appId: appId('/shop/a'), force: true });
  expect(bench.world.deployments.size).toBe(1);
  expect(names(bench)).toEqual({ groups: [], apps: [] });
  finish(bench);
  expect([bench.world.apps.size, bench.world.instances.size]).toEqual([0, 0]);
});

test('an app that is being deleted can be made anew by force, and without it is locked', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  const create = (force: boolean) =>
    bench.change({ kind: 'put-apps', apps: [anApp('/web', { instances: 2 })], force, create: true });
  expect(create(false)).toMatchObject({ kind: 'conflict', deployments: [expect.any(String)] });
  const made = create(true);
  if (made.kind !== 'accepted') throw new Error('refused');
  expect(names(bench).apps).toEqual(['/web']);
  bench.change({ kind: 'cancel-deployment', deploymentId: made.deploymentId!, force: false });
  finish(bench);
  expect(names(bench).apps).toEqual([]);
});

test('the root group can be emptied but not deleted', () => {
  const bench = new CoreBench();
  put(bench, aGroup('/shop', { apps: [anApp('/shop/db', { instances: 0 })] }));
  bench.put(anApp('/web', { instances: 0 }));
  bench.change({ kind: 'delete-group', groupId: groupId('/'), force: false });
  expect(names(bench)).toEqual({ groups: [], apps: [] });
  expect(bench.world.groups.get(groupId('/'))?.leaving).toBeUndefined();
});

test('an id belongs to an app or to a group; an empty group gives way', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop', { instances: 0 }));
  const sharing = { kind: 'invalid', details: [{ path: '/id' }] };
  expect(bench.put(anApp('/shop/web'))).toMatchObject(sharing);
  expect(put(bench, aGroup('/shop'))).toMatchObject(sharing);
  put(bench, aGroup('/empty'));
  expect(bench.put(anApp('/empty', { instances: 0 })).kind).toBe('accepted');
  expect(names(bench)).toEqual({ groups: [], apps: ['/empty', '/shop'] });
  put(bench, aGroup('/full', { apps: [anApp('/full/x', { instances: 0 })] }));
  expect(bench.put(anApp('/full'))).toMatchObject(sharing);
});

test('what exists cannot be created', () => {
  const bench = new CoreBench();
  put(bench, aGroup('/shop', { apps: [anApp('/shop/web', { instances: 0 })] }));
  const create = (id: string) =>
    bench.change({ kind: 'put-group', update: aGroup(id), force: false, create: true });
  expect(create('/shop')).toEqual({
    kind: 'conflict',
    message: 'Group /shop is already created. Use PUT to change this group.',
    deployments: [],
  });
  expect(create('/shop/web')).toMatchObject({ message: 'An app with the path /shop/web already exists.' });
});

test('a group is scaled as a whole, rounded up, and what has no instances keeps none', () => {
  const bench = new CoreBench();
  const app = (id: string, instances: number): App => anApp(id, { instances, network: { mode: 'host' } });
  put(
    bench,
    aGroup('/shop', { apps: [app('/shop/a', 3), app('/shop/none', 0)], groups: [aGroup('/shop/in')] }),
  );
  bench.put(app('/shop/in/b', 10));
  finish(bench);
  bench.change({ kind: 'scale-group', groupId: groupId('/shop'), scaleBy: 1.1, force: false });
  expect(['/shop/a', '/shop/none', '/shop/in/b'].map((id) => bench.app(id).instances)).toEqual([4, 0, 11]);
  expect(bench.world.deployments.size).toBe(1);
});

test('a group is brought back to an older version: removed apps come back, new ones go', () => {
  const bench = new CoreBench();
  const update = aGroup('/shop', {
    dependencies: [groupId('/base')],
    apps: [anApp('/shop/a', { instances: 0 })],
    groups: [aGroup('/shop/sub', { apps: [anApp('/shop/sub/b', { instances: 0, env: { A: '1' } })] })],
  });
  const first = put(bench, update);
  bench.put(anApp('/elsewhere', { instances: 0 }));
  put(bench, aGroup('/shop', { dependencies: [], apps: [anApp('/shop/c', { instances: 0 })], groups: [] }));
  expect(names(bench).apps).toEqual(['/elsewhere', '/shop/c']);
  bench.restart();
  if (first.kind !== 'accepted') throw new Error('refused');
  const [, older] = groupVersions(bench.world, groupId('/shop'));
  expect(older).toBe(first.version);
  const result = bench.change({
    kind: 'revert-group',
    groupId: groupId('/shop'),
    version: appVersion(older!),
    force: false,
  });
  expect(result.kind).toBe('accepted');
  expect(names(bench)).toEqual({
    groups: ['/shop', '/shop/sub'],
    apps: ['/elsewhere', '/shop/a', '/shop/sub/b'],
  });
  expect(bench.app('/shop/sub/b').env).toEqual({ A: '1' });
  expect(bench.world.groups.get(groupId('/shop'))?.dependencies).toEqual(['/base']);
});

test('a version that is not remembered is not found', () => {
  const bench = new CoreBench({ maxRevisions: 2 });
  const versions = ['a', 'b', 'c', 'd'].map((team) => {
    const result = bench.put(anApp('/shop/web', { instances: 0, labels: { team } }));
    return result.kind === 'accepted' ? appVersion(result.version!) : appVersion('');
  });
  expect(groupVersions(bench.world, groupId('/shop'))).toEqual(versions.slice(1).toReversed());
  expect(treeAt(bench.world, versions[0]!)).toBeUndefined();
  expect(treeAt(bench.world, versions[1]!)?.app(appId('/shop/web'))?.labels).toEqual({ team: 'b' });
  expect(
    bench.change({ kind: 'revert-group', groupId: groupId('/shop'), version: versions[0]!, force: false }),
  ).toEqual({ kind: 'not-found', message: `Group '/shop' does not exist in version ${versions[0]}` });
  expect([...bench.store.keys()].filter((key) => key.startsWith('revision'))).toHaveLength(2);
});

test('taking the deployment of a new group back removes its groups too, but not what others put there', () => {
  const bench = new CoreBench();
  const create = () =>
    put(bench, aGroup('/shop', { groups: [aGroup('/shop/sub', { apps: [anApp('/shop/sub/a')] })] }));
  const take = (result: ReturnType<typeof create>) => {
    if (result.kind !== 'accepted') throw new Error('refused');
    return bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: false });
  };
  take(create());
  finish(bench);
  expect(names(bench)).toEqual({ groups: [], apps: [] });
  const second = create();
  bench.put(anApp('/shop/other', { instances: 0 }));
  take(second);
  finish(bench);
  expect(names(bench)).toEqual({ groups: ['/shop'], apps: ['/shop/other'] });
});

test('taking the deletion of a group back restores it whole', () => {
  const bench = new CoreBench();
  put(bench, aGroup('/shop', { dependencies: [groupId('/base')], apps: [anApp('/shop/a')] }));
  finish(bench);
  const result = bench.change({ kind: 'delete-group', groupId: groupId('/shop'), force: false });
  if (result.kind !== 'accepted') throw new Error('refused');
  bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: false });
  finish(bench);
  expect(names(bench)).toEqual({ groups: ['/shop'], apps: ['/shop/a'] });
  expect(bench.world.groups.get(groupId('/shop'))?.dependencies).toEqual(['/base']);
  expect(bench.instances('/shop/a')).toHaveLength(1);
});

test('a dry run says the steps and changes nothing', () => {
  const bench = new CoreBench();
  const update = aGroup('/shop', { apps: [anApp('/shop/a')] });
  const result = bench.change({ kind: 'put-group', update, force: false, dryRun: true });
  expect(result).toMatchObject({
    kind: 'accepted',
    steps: [
      { actions: [{ action: 'StartApplication', app: '/shop/a' }] },
      { actions: [{ action: 'ScaleApplication', app: '/shop/a' }] },
    ],
  });
  expect(bench.frame.writes).toEqual([]);
  expect(bench.published()).toEqual([]);
});

test('every change gives every group above it a later version, whatever the clock says', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop/a', { instances: 0 }));
  const version = (id: string) => bench.world.groups.get(groupId(id))!.version;
  const before = [version('/'), version('/shop')];
  bench.now -= 60_000;
  bench.put(anApp('/shop/b', { instances: 0 }));
  expect(version('/') > before[0]!).toBe(true);
  expect(version('/shop')).toBe(version('/'));
  bench.put(anApp('/other/c', { instances: 0 }));
  expect(version('/shop') < version('/')).toBe(true);
});

test('no more deployments run at a time than may, but one can replace another', () => {
  const bench = new CoreBench({ maxRunningDeployments: 1 });
  bench.put(anApp('/a'));
  expect(bench.put(anApp('/b'))).toEqual({
    kind: 'too-many',
    message: expect.stringContaining('Max number (1)'),
  });
  expect(bench.world.apps.has(appId('/b'))).toBe(false);
  expect(bench.put(anApp('/a', { instances: 2 }), true).kind).toBe('accepted');
});
