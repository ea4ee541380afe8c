import { expect, test } from '@jest/globals';
import { agentId, appId } from '../../src/model/ids.ts';
import type { Instance } from '../../src/model/instance.ts';
import { launchableFrom } from '../../scheduler/core/offers/backoff.ts';
import { anApp, anOffer, CoreBench } from '../support/core-bench.ts';

const problem = 'the executor cannot serve this host: docker version: connect ENOENT';

/** The executor of the instance's host says that it cannot serve it. */
function refuse(bench: CoreBench, instance: Instance): void {
  bench.status(instance, 'failed', {
    source: 'executor',
    reason: 'REASON_CONTAINER_LAUNCH_FAILED',
    message: problem,
    hostUnfit: true,
  });
}

/** Seconds until something is launched on the agent, which offers its resources every second. */
function secondsUntilTried(bench: CoreBench, agent: string): number {
  for (let seconds = 0; seconds < 2_000; seconds++) {
    if (bench.offer(agent).length > 0) return seconds;
    bench.wait(1);
  }
  throw new Error(`nothing was launched on ${agent}`);
}

test('a host that its executor cannot serve gets nothing more for now, and the others get it at once', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }), 'a2');
  bench.put(anApp('/web', { instances: 3 }));
  const [launch] = bench.offer('a1', 'a2');
  expect(launch?.instance.agentId).toBe('a1');
  refuse(bench, launch!.instance);
  expect(launchableFrom(bench.world, bench.app('/web'))).toBe(0);
  expect(bench.effects('revive')).toHaveLength(1);
  expect(bench.offer('a1', 'a2').map(({ instance }) => instance.agentId)).toEqual(['a2']);
  expect(bench.world.lastFailures.get(appId('/web'))).toMatchObject({ host: 'a1.example', message: problem });
});

test('any number of tasks that such a host refuses together leaves the app its delay, and counts as one', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 10 }));
  for (const { instance } of bench.offer('a1')) refuse(bench, instance);
  expect(launchableFrom(bench.world, bench.app('/web'))).toBe(0);
  expect(bench.world.unfitHosts.get(agentId('a1'))).toMatchObject({ problem, pauseMs: 30_000 });
  expect(bench.offer('a2')).toHaveLength(10);
});

test('the queue tells why the offers of such a host do not do', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  refuse(bench, bench.offer('a1')[0]!.instance);
  expect(bench.offer('a1')).toEqual([]);
  expect(bench.world.unplaced.get(appId('/web'))?.reasons).toEqual({ HostUnfit: 1 });
});

test('with no other host it is tried again, after a pause that doubles up to ten minutes, and offers are asked for', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { network: { mode: 'host' } }));
  const pauses = Array.from({ length: 7 }, () => {
    const seconds = secondsUntilTried(bench, 'a1');
    refuse(bench, bench.instance('/web'));
    return seconds;
  });
  expect(pauses).toEqual([0, 30, 60, 120, 240, 480, 600]);
  bench.wait(598);
  expect(bench.wait(2).map(({ kind }) => kind)).toContain('revive');
});

test('once a task runs there nothing is held against the host', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  refuse(bench, bench.offer('a1')[0]!.instance);
  bench.wait(30);
  bench.run(bench.offer('a1'));
  expect(bench.world.unfitHosts.size).toBe(0);
  bench.put(anApp('/more'));
  refuse(bench, bench.offer('a1')[0]!.instance);
  expect(secondsUntilTried(bench, 'a1')).toBe(30);
});

test('an agent that is gone, or that was not tried for long, is not kept in mind', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 2 }));
  for (const agent of ['a1', 'a2']) {
    refuse(
      bench,
      bench.offer(anOffer(agent, { scalars: { cpus: 250, mem: 512_000, disk: 0, gpus: 0 } }))[0]!.instance,
    );
  }
  bench.step({ kind: 'agent-lost', agentId: agentId('a1') });
  expect([...bench.world.unfitHosts.keys()]).toEqual(['a2']);
  bench.run(bench.offer('a3'));
  bench.wait(630);
  expect(bench.world.unfitHosts.size).toBe(0);
});

test('groups of which only such hosts are left do not hold GROUP_BY up', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 4, constraints: [{ field: 'hostname', operator: 'GROUP_BY' }] }));
  const launches = bench.offer('a1', 'a2');
  expect(launches).toHaveLength(4);
  for (const { instance } of launches) {
    if (instance.agentId === 'a1') refuse(bench, instance);
    else bench.status(instance, 'running');
  }
  expect(bench.offer('a1', 'a2').map(({ instance }) => instance.agentId)).toEqual(['a2', 'a2']);
});
