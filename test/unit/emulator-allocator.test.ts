import { describe, expect, test } from '@jest/globals';
import { Allocator } from '../../src/devcluster/mesos/core/allocator.ts';
import {
  bundleOf,
  describeResources,
  resourcesOf,
  type Bundle,
} from '../../src/devcluster/mesos/core/bundle.ts';
import { isRefused, refusalMs } from '../../src/devcluster/mesos/core/offer-filters.ts';

const bundle = (cpus: number, mem: number, ports?: readonly [number, number]): Bundle =>
  bundleOf([
    { name: 'cpus', type: 'SCALAR', scalar: { value: cpus } },
    { name: 'mem', type: 'SCALAR', scalar: { value: mem } },
    ...(ports === undefined
      ? []
      : [
          { name: 'ports', type: 'RANGES' as const, ranges: { range: [{ begin: ports[0], end: ports[1] }] } },
        ]),
  ]);

const random = () => 0;

function allocatorWith(agents: Readonly<Record<string, Bundle>>, ...frameworks: string[]): Allocator {
  const allocator = new Allocator();
  for (const [id, total] of Object.entries(agents)) allocator.addAgent(id, total);
  for (const id of frameworks) allocator.setRoles(id, ['*'], new Set());
  return allocator;
}

describe('the allocator', () => {
  test('gives everything that an agent has free to one framework', () => {
    const allocator = allocatorWith({ a: bundle(4, 1024, [1, 9]) }, 'f');
    const allocations = allocator.allocate(0, random);
    expect(allocations).toMatchObject([{ frameworkId: 'f', role: '*', agentId: 'a' }]);
    expect(describeResources(resourcesOf(allocations[0]!.resources))).toBe('ports:[1-9]; cpus:4; mem:1024');
    expect(allocator.allocate(0, random)).toEqual([]);
  });

  test('offers next to nothing to nobody', () => {
    const allocator = allocatorWith({ a: bundle(0.009, 31.9), b: bundle(0.01, 1), c: bundle(0, 32) }, 'f');
    const agents = allocator.allocate(0, random).map(({ agentId }) => agentId);
    expect(agents.sort()).toEqual(['b', 'c']);
  });

  test('does not repeat what was refused until the refusal ends or there is more', () => {
    const allocator = allocatorWith({ a: bundle(4, 1024) }, 'f');
    const [allocation] = allocator.allocate(0, random);
    const used = { ...allocation!, resources: bundle(1, 24) };
    const rest = { ...allocation!, resources: bundle(3, 1000) };
    allocator.recover(rest, 5_000);
    expect(allocator.allocate(4_999, random)).toEqual([]);
    expect(allocator.allocate(5_000, random)).toHaveLength(1);
    allocator.recover(rest, 20_000);
    allocator.recover(used);
    expect(allocator.allocate(6_000, random)).toMatchObject([{ resources: bundle(4, 1024) }]);
  });

  test('forgets refusals on REVIVE and when the framework goes away', () => {
    const allocator = allocatorWith({ a: bundle(4, 1024) }, 'f');
    const refuse = () => allocator.recover(allocator.allocate(0, random)[0]!, 60_000);
    refuse();
    allocator.revive('f', ['*']);
    refuse();
    expect(allocator.activeFilters('*', 0)).toBe(1);
    allocator.deactivate('f');
    expect(allocator.allocate(0, random)).toEqual([]);
    allocator.setRoles('f', ['*'], new Set());
    expect(allocator.allocate(0, random)).toHaveLength(1);
  });

  test('offers nothing to a suppressed role, and to a role that leaves suppression without its old refusals', () => {
    const allocator = allocatorWith({ a: bundle(4, 1024) }, 'f');
    allocator.recover(allocator.allocate(0, random)[0]!, 60_000);
    allocator.suppress('f', ['*']);
    expect(allocator.isSuppressed('f', '*')).toBe(true);
    expect(allocator.allocate(0, random)).toEqual([]);
    allocator.setRoles('f', ['*'], new Set());
    expect(allocator.allocate(0, random)).toHaveLength(1);
  });

  test('serves the framework with the lower dominant share first', () => {
    const agents = { a: bundle(1, 10), b: bundle(1, 10), c: bundle(1, 10), d: bundle(1, 10) };
    const allocator = allocatorWith(agents, 'f', 'g');
    const counts = new Map<string, number>();
    for (const { frameworkId } of allocator.allocate(0, random)) {
      counts.set(frameworkId, (counts.get(frameworkId) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([2, 2]);
    expect(allocator.shareOfRole('*')).toBe(1);
  });

  test('leaves agents out that are disconnected or gone', () => {
    const allocator = allocatorWith({ a: bundle(4, 1024), b: bundle(4, 1024) }, 'f');
    allocator.setAgentActive('a', false);
    allocator.removeAgent('b');
    expect(allocator.allocate(0, random)).toEqual([]);
    allocator.setAgentActive('a', true);
    expect(allocator.allocate(0, random)).toMatchObject([{ agentId: 'a' }]);
  });
});

describe('a refusal', () => {
  test.each([
    [undefined, 5_000],
    [-1, 5_000],
    [Number.NaN, 5_000],
    [0.1, 1_000],
    [30, 30_000],
    [1e12, 365 * 24 * 3_600_000],
  ])('of %s seconds holds %s ms', (seconds, expected) => {
    expect(refusalMs(seconds, 1_000)).toBe(expected);
  });

  test('of 0 seconds is none', () => {
    expect(refusalMs(0, 1_000)).toBeUndefined();
  });

  test('covers what is no more than was refused', () => {
    const filters = [{ refused: bundle(2, 100, [5, 9]), expiresAt: 10 }];
    expect(isRefused(filters, bundle(2, 100, [6, 7]), 9)).toBe(true);
    expect(isRefused(filters, bundle(2, 100, [4, 7]), 9)).toBe(false);
    expect(isRefused(filters, bundle(2.001, 50), 9)).toBe(false);
    expect(isRefused(filters, bundle(1, 50), 10)).toBe(false);
  });
});
