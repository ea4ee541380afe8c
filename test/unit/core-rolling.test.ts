import { describe, expect, test } from '@jest/globals';
import { rollingLimits } from '../../scheduler/core/deployments/rolling.ts';
import type { App } from '../../src/model/app.ts';
import { appId, frameworkId } from '../../src/model/ids.ts';
import { anApp, anOffer, CoreBench } from '../support/core-bench.ts';

const strategy = (minimumHealthCapacity: number, maximumOverCapacity: number) => ({
  upgradeStrategy: { minimumHealthCapacity, maximumOverCapacity },
});
const check = {
  protocol: 'MESOS_HTTP' as const,
  gracePeriodSeconds: 300,
  intervalSeconds: 60,
  timeoutSeconds: 20,
  maxConsecutiveFailures: 3,
  delaySeconds: 15,
  ignoreHttp1xx: false,
};

test.each([
  [10, 1, 1, { minHealthy: 10, maxCapacity: 20 }],
  [10, 0.7, 0, { minHealthy: 7, maxCapacity: 10 }],
  [100, 0.07, 0.29, { minHealthy: 7, maxCapacity: 129 }],
  [5, 0.9, 0, { minHealthy: 5, maxCapacity: 6 }],
  [4, 1, 0, { minHealthy: 4, maxCapacity: 5 }],
  [3, 0, 0, { minHealthy: 0, maxCapacity: 3 }],
])('of %i instances, health capacity %d and over-capacity %d give %j', (instances, healthy, over, limits) => {
  expect(rollingLimits({ instances, ...strategy(healthy, over) })).toEqual(limits);
});

test('with over-capacity the new incarnation waits beside the old one in the same slot', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  expect(bench.killed()).toEqual([]);
  const [launch] = bench.offer('a2');
  expect(launch?.instance).toMatchObject({ slotId: '/web#0', epoch: 2, standby: true });
  expect(bench.slot('/web')).toMatchObject({ epoch: 2, activeEpoch: 1 });
});

const swapping = { labels: { 'patchpanel.handover': 'swap' } };

test('when the new incarnation runs the slot flips, and with swap the old one goes when every host has converged', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', swapping));
  const old = bench.instance('/web');
  bench.put(anApp('/web', { ...swapping, env: { RELEASE: '2' } }));
  bench.run(bench.offer('a2'));
  bench.converge(old.slotId);
  expect(bench.slot('/web').activeEpoch).toBe(2);
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: ['/web#0'] }]);
  expect(bench.killed()).toEqual([]);
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 1 });
  expect(bench.killed()).toEqual([]);
  bench.step({ kind: 'converged', slotId: old.slotId, epoch: 2 });
  expect(bench.killed()).toEqual([old.taskId]);
  bench.status(old, 'killed');
  expect(bench.published()).toContain('deployment_success');
  expect(bench.world.deployments.size).toBe(0);
});

test('the old incarnation goes after the deadline when hosts do not acknowledge the flip', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', swapping));
  const old = bench.instance('/web');
  bench.put(anApp('/web', { ...swapping, env: { RELEASE: '2' } }));
  bench.run(bench.offer('a2'));
  bench.converge(old.slotId);
  expect(bench.killed(bench.wait(4))).toEqual([]);
  expect(bench.killed(bench.wait(2))).toEqual([old.taskId]);
});

test('an app with health checks flips only when the new incarnation is healthy', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { healthChecks: [check] });
  bench.put(app);
  const [first] = bench.offer('a1');
  bench.status(first!.instance, 'running', { healthy: true });
  bench.put({ ...app, env: { RELEASE: '2' } });
  const [second] = bench.offer('a2');
  bench.status(second!.instance, 'running');
  expect(bench.slot('/web').activeEpoch).toBe(1);
  bench.status(second!.instance, 'running', { healthy: true });
  bench.converge(second!.instance.slotId);
  expect(bench.slot('/web').activeEpoch).toBe(2);
});

test('without over-capacity old instances end first, as many as may be missing, and new ones take their slots', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { instances: 4, ...strategy(0.5, 0) });
  bench.deploy(app);
  bench.put({ ...app, env: { RELEASE: '2' } });
  const killed = bench.killed();
  expect(killed).toHaveLength(2);
  expect(bench.offer('a1')).toEqual([]);
  for (const task of killed) bench.status(task, 'killed');
  const launches = bench.offer('a1');
  expect(launches.map(({ instance }) => [instance.epoch, instance.standby])).toEqual([
    [2, false],
    [2, false],
  ]);
  bench.run(launches.slice(0, 1));
  expect(bench.killed()).toHaveLength(1);
});

test('with health capacity 1 and no over-capacity one more runs at a time', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { instances: 3, ...strategy(1, 0), ...swapping });
  bench.deploy(app);
  bench.put({ ...app, env: { RELEASE: '2' } });
  expect(bench.killed()).toEqual([]);
  const first = bench.offer('a1', 'a2');
  expect(first).toHaveLength(1);
  bench.run(first);
  expect(bench.offer('a1', 'a2')).toEqual([]);
  const slot = first[0]!.slot.id;
  bench.converge(slot);
  bench.step({ kind: 'converged', slotId: slot, epoch: 2 });
  for (const task of bench.killed()) bench.status(task, 'killed');
  expect(bench.offer('a1', 'a2')).toHaveLength(1);
});

test('a new incarnation that fails is launched again after its delay, and the old one stays', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', { env: { RELEASE: 'bad' } }));
  const [bad] = bench.offer('a2');
  bench.status(bad!.instance, 'failed');
  expect(bench.instance('/web')).toMatchObject({ epoch: 1, goal: 'run' });
  expect(bench.offer('a2')).toEqual([]);
  bench.wait(2);
  const [again] = bench.offer('a2');
  expect(again?.instance).toMatchObject({ standby: true, slotId: '/web#0' });
  expect(again!.instance.epoch % 2).not.toBe(1);
});

test('when the active incarnation dies while a standby waits, the standby is active at once', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const old = bench.instance('/web');
  bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  bench.offer('a2');
  bench.status(old, 'failed');
  expect(bench.slot('/web').activeEpoch).toBe(2);
  expect(bench.instance('/web')).toMatchObject({ epoch: 2, standby: false });
});

test('when the new incarnation dies right after the flip, the old one is active again', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  const launches = bench.offer('a2');
  bench.run(launches);
  bench.status(launches[0]!.instance, 'failed');
  expect(bench.slot('/web').activeEpoch).toBe(1);
  expect(bench.instance('/web')).toMatchObject({ epoch: 1, goal: 'run' });
});

test('an app on the host network flips without waiting for the hosts', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { network: { mode: 'host' } });
  bench.deploy(app);
  const old = bench.instance('/web');
  bench.put({ ...app, env: { RELEASE: '2' } });
  bench.run(bench.offer('a2'));
  expect(bench.killed()).toEqual([old.taskId]);
});

test('a change in the middle of an upgrade ends the standbys of the version between', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  const [second] = bench.offer('a2');
  bench.put(anApp('/web', { env: { RELEASE: '3' } }), true);
  expect(bench.killed()).toEqual([second!.instance.taskId]);
  expect(bench.slot('/web').activeEpoch).toBe(1);
});

test('cancelling an upgrade keeps what was not replaced and ends what is new', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  const old = bench.instance('/web');
  const result = bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  const [second] = bench.offer('a2');
  if (result.kind !== 'accepted') throw new Error('refused');
  bench.change({ kind: 'cancel-deployment', deploymentId: result.deploymentId!, force: false });
  expect(bench.killed()).toEqual([second!.instance.taskId]);
  bench.status(second!.instance, 'killed');
  expect(bench.instance('/web')).toMatchObject({ taskId: old.taskId, goal: 'run' });
  expect(bench.app('/web').env).toEqual({});
  expect(bench.world.deployments.size).toBe(0);
});

test('instances that must not share a host are replaced in place, beside their own predecessor', () => {
  const bench = new CoreBench();
  const app = anApp('/web', { instances: 2, constraints: [{ field: 'hostname', operator: 'UNIQUE' }] });
  bench.deploy(app, 'a1', 'a2');
  const hosts = new Map(bench.instances('/web').map(({ slotId, agentId }) => [slotId, agentId]));
  bench.put({ ...app, env: { RELEASE: '2' } });
  const launches = bench.offer(anOffer('a1'), anOffer('a2'));
  expect(launches).toHaveLength(2);
  for (const { instance } of launches) expect(instance.agentId).toBe(hosts.get(instance.slotId));
});

describe('on hosts without room for standbys', () => {
  const roomy = { instances: 2, ...strategy(0.5, 1) };
  /** Hosts that are full offer nothing. */
  const full: readonly string[] = [];
  /** What one instance leaves when it ends, the executor's share aside. */
  const oneFreed = () => anOffer('a1', { scalars: { cpus: 250, mem: 4_096_000, disk: 10_000_000, gpus: 0 } });
  const tooSmall = () => anOffer('a1', { scalars: { cpus: 150, mem: 4_096_000, disk: 10_000_000, gpus: 0 } });

  function upgrading(fields: Partial<App> = roomy): CoreBench {
    const bench = new CoreBench();
    bench.deploy(anApp('/web', fields));
    bench.put(anApp('/web', { ...fields, env: { RELEASE: '2' } }));
    expect(bench.killed()).toEqual([]);
    return bench;
  }

  test.each([
    ['offer nothing', () => full.map((agent) => anOffer(agent))],
    ['offer too little', () => [tooSmall()]],
  ])('that %s, old instances end first, as many as may be missing', (_how, offers) => {
    const bench = upgrading();
    for (let i = 0; i < 6; i++) {
      expect(bench.offer(...offers())).toEqual([]);
      expect(bench.killed(bench.wait(5))).toEqual([]);
    }
    const [first, ...more] = bench.killed(bench.wait(5));
    expect(more).toEqual([]);
    expect(bench.killed(bench.wait(3))).toEqual([]);
    bench.status(first!, 'killed');
    const launches = bench.offer(oneFreed());
    expect(launches.map(({ instance }) => instance.standby)).toEqual([false]);
    bench.run(launches);
    const [second] = bench.killed();
    bench.status(second!, 'killed');
    bench.run(bench.offer(oneFreed()));
    expect(bench.published()).toContain('deployment_success');
  });

  test('a deployment that may not end any waits, and says why', () => {
    const bench = upgrading({ instances: 2 });
    for (let i = 0; i < 20; i++) {
      expect(bench.offer(tooSmall())).toEqual([]);
      expect(bench.killed(bench.wait(60))).toEqual([]);
    }
    expect(bench.world.unplaced.get(appId('/web'))?.reasons).toEqual({ InsufficientCpus: 20 });
    expect(bench.offer('a2')).toHaveLength(2);
  });

  test('one standby that finds a place shows that there may be room for the others', () => {
    const bench = upgrading();
    bench.wait(30);
    const launches = bench.offer(oneFreed());
    expect(launches.map(({ instance }) => instance.standby)).toEqual([true]);
    expect(bench.killed(bench.wait(60))).toEqual([]);
    bench.status(launches[0]!.instance, 'failed');
    expect(bench.killed(bench.wait(30))).toEqual([]);
    expect(bench.killed(bench.wait(6))).toHaveLength(1);
  });

  test('nothing ends before the hosts of a new subscription were heard', () => {
    const bench = upgrading();
    bench.step({ kind: 'disconnected' });
    expect(bench.killed(bench.wait(100))).toEqual([]);
    bench.step({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
    expect(bench.killed(bench.wait(30))).toEqual([]);
    expect(bench.killed(bench.wait(6))).toHaveLength(1);
  });

  test.each([2, 60])(
    'nothing ends for want of room before all hosts were heard since a delay of %i s',
    (backoff) => {
      const fields = {
        instances: 4,
        ...strategy(0.5, 1),
        backoffSeconds: backoff,
        maxLaunchDelaySeconds: 3_600,
      };
      const bench = new CoreBench();
      bench.deploy(anApp('/web', fields));
      bench.status(bench.instance('/web', 3), 'failed');
      bench.put(anApp('/web', { ...fields, env: { RELEASE: '2' } }));
      bench.wait(20);
      const [bad] = bench.offer(oneFreed());
      expect(bad?.instance.standby).toBe(false);
      bench.status(bad!.instance, 'failed');
      expect(bench.killed(bench.wait(backoff + 34))).toEqual([]);
      expect(bench.killed(bench.wait(1))).toHaveLength(1);
    },
  );

  test('what is unreachable makes no room, so it stays until a standby takes over', () => {
    const bench = upgrading({ ...roomy, unreachableStrategy: 'disabled' });
    const [lost, other] = bench.instances('/web');
    bench.status(lost!, 'unreachable');
    expect(bench.killed(bench.wait(60))).toEqual([]);
    expect(bench.instances('/web').map(({ goal }) => goal)).toEqual(['run', 'run']);
    const launches = bench.offer(oneFreed());
    bench.run(launches);
    expect(bench.instances('/web').filter(({ goal }) => goal === 'run')).toMatchObject([
      { taskId: other!.taskId },
      { slotId: lost!.slotId, epoch: 2, standby: false },
    ]);
  });
});
