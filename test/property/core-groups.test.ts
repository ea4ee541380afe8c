import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { App } from '../../src/model/app.ts';
import { groupsAbove, rootGroupId } from '../../src/model/group.ts';
import { appVersion, groupId } from '../../src/model/ids.ts';
import type { AppId, PathId } from '../../src/model/ids.ts';
import { DependencyGraph } from '../../scheduler/core/changes/dependencies.ts';
import type { Change, GroupUpdate } from '../../scheduler/core/events.ts';
import { groupVersions, treeAt } from '../../scheduler/core/changes/revisions.ts';
import { Tree } from '../../scheduler/core/changes/tree.ts';
import { anApp, CoreBench } from '../support/core-bench.ts';

const groupIds = ['/a', '/a/b', '/a/b/c', '/d', '/d/e'];
const appIds = ['/x', '/a/x', '/a/b/x', '/a/b/y', '/a/b/c/x', '/d/x', '/d/e/x', '/d/e/y'];
const dependencies = fc.uniqueArray(fc.constantFrom(...groupIds, ...appIds, '/nowhere'), { maxLength: 2 });

/** Apps and groups with dependencies of any kind, cycles included. */
const treeArbitrary = fc.record({
  groups: fc.array(fc.tuple(fc.constantFrom(...groupIds), dependencies), { maxLength: 3 }),
  apps: fc.uniqueArray(fc.tuple(fc.constantFrom(...appIds), dependencies), { selector: ([id]) => id }),
});

const ids = (texts: readonly string[]): PathId[] => texts.map(groupId);

/** Who waits for whom by the words of the definition: what the app and the groups above it name, and all below that. */
function edgesOf(tree: Tree, apps: readonly App[]): Map<AppId, Set<AppId>> {
  return new Map(
    apps.map((app) => {
      const named = [
        ...app.dependencies,
        ...groupsAbove(app.id).flatMap((id) => tree.group(id)?.dependencies ?? []),
      ];
      const waitedFor = apps.filter(({ id }) =>
        named.some((name) => id === name || id.startsWith(`${name}/`)),
      );
      return [app.id, new Set(waitedFor.map(({ id }) => id))];
    }),
  );
}

/** Everything that can be reached along edges, one or more. */
function reachable(edges: ReadonlyMap<AppId, ReadonlySet<AppId>>, from: AppId): Set<AppId> {
  const found = new Set<AppId>();
  const open = [...(edges.get(from) ?? [])];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    open.push(...(edges.get(next) ?? []));
  }
  return found;
}

test('cycles are found where there are any, and else each app is one layer above the highest that it waits for', () => {
  fc.assert(
    fc.property(treeArbitrary, ({ groups, apps }) => {
      const tree = new Tree(new CoreBench().world);
      for (const id of groupIds) {
        const named = groups.findLast(([group]) => group === id)?.[1] ?? [];
        tree.setGroup(groupId(id), {
          id: groupId(id),
          dependencies: ids(named),
          version: appVersion('1970-01-01T00:00:00.000Z'),
        });
      }
      const definitions = apps.map(([id, named]) => anApp(id, { dependencies: ids(named) }));
      for (const app of definitions) tree.setApp(app.id, app);
      const edges = edgesOf(tree, definitions);
      const graph = new DependencyGraph(tree);
      const cycle = graph.findCycle(definitions);
      if (definitions.some(({ id }) => reachable(edges, id).has(id))) {
        expect(cycle).toBeDefined();
        for (const [index, id] of cycle!.entries())
          expect(edges.get(id)).toContain(cycle![(index + 1) % cycle!.length]);
        return;
      }
      expect(cycle).toBeUndefined();
      const layers = new Map(definitions.map((app) => [app.id, graph.layerOf(app)]));
      for (const [id, waitedFor] of edges) {
        expect(layers.get(id)).toBe(1 + Math.max(0, ...[...waitedFor].map((other) => layers.get(other)!)));
      }
    }),
    { numRuns: 500 },
  );
});

const instances = fc.integer({ min: 0, max: 2 });
const update: fc.Arbitrary<GroupUpdate> = fc
  .tuple(
    fc.constantFrom('/', ...groupIds),
    fc.option(fc.array(fc.tuple(fc.constantFrom('x', 'y'), instances), { maxLength: 2 }), { nil: undefined }),
    fc.boolean(),
  )
  .map(([id, apps, withoutGroups]) => ({
    id: groupId(id),
    ...(apps === undefined
      ? {}
      : {
          apps: [...new Map(apps)].map(([name, count]) =>
            anApp(`${id === '/' ? '' : id}/${name}`, { instances: count }),
          ),
        }),
    ...(withoutGroups ? { groups: [] } : {}),
  }));
const changeArbitrary: fc.Arbitrary<Change> = fc.oneof(
  update.map((wanted) => ({ kind: 'put-group' as const, update: wanted, force: true })),
  fc.tuple(fc.constantFrom(...appIds), instances).map(([id, count]) => ({
    kind: 'put-apps' as const,
    apps: [anApp(id, { instances: count })],
    force: true,
  })),
  fc
    .constantFrom(...groupIds)
    .map((id) => ({ kind: 'delete-group' as const, groupId: groupId(id), force: true })),
  fc.constantFrom(...appIds).map((id) => ({ kind: 'delete-app' as const, appId: id as AppId, force: true })),
  fc.constantFrom('/', ...groupIds).map((id) => ({
    kind: 'scale-group' as const,
    groupId: groupId(id),
    scaleBy: 1.5,
    force: true,
  })),
);

/** Everything that a tree shows. */
const shown = (tree: Tree) => ({
  apps: [...tree.appsBelow(rootGroupId)].sort((one, other) => (one.id < other.id ? -1 : 1)),
  groups: [...tree.groupsBelow(rootGroupId)].sort((one, other) => (one.id < other.id ? -1 : 1)),
});

test('every remembered version shows apps and groups as they were, also after a restart, and can be brought back', () => {
  fc.assert(
    fc.property(fc.array(changeArbitrary, { minLength: 1, maxLength: 12 }), fc.nat(), (changes, choice) => {
      const bench = new CoreBench({ maxRevisions: 50 });
      const version = () => bench.world.groups.get(rootGroupId)!.version;
      const seen = new Map([[version(), shown(new Tree(bench.world))]]);
      for (const change of changes) {
        bench.now += 1_000;
        bench.change(change);
        bench.run(bench.offer('a1', 'a2'));
        seen.set(version(), shown(new Tree(bench.world)));
      }
      bench.restart();
      expect(groupVersions(bench.world, rootGroupId)).toEqual([...seen.keys()].toReversed());
      for (const [at, was] of seen) expect(shown(treeAt(bench.world, at)!)).toEqual(was);
      const [back, then] = [...seen][choice % seen.size]!;
      bench.change({ kind: 'revert-group', groupId: rootGroupId, version: back, force: true });
      const wanted = (tree: ReturnType<typeof shown>) => ({
        apps: tree.apps.map(({ id, instances: count }) => ({ id, count })),
        groups: tree.groups.map(({ id, dependencies: named }) => ({ id, named })),
      });
      expect(wanted(shown(new Tree(bench.world)))).toEqual(wanted(then));
    }),
    { numRuns: 200 },
  );
});
