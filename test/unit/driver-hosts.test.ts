import { expect, test } from '@jest/globals';
import { EventBus } from '../../scheduler/driver/event-bus.ts';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { Scheduler } from '../../scheduler/driver/scheduler.ts';
import { MemoryStore } from '../../scheduler/store/memory-store.ts';
import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import { agentId, appId, executorId } from '../../src/model/ids.ts';
import { CoreBench } from '../support/core-bench.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { recordingLogger } from '../support/recording-logger.ts';

const weekMs = 7 * 86_400_000;
const hourMs = 3_600_000;

test('hosts that do not come within an hour of the start may be forgotten, and what is kept of them goes', async () => {
  const clock = new ManualClock();
  const bench = new CoreBench();
  bench.now = clock.now() - weekMs;
  const [gone, there] = ['a1', 'a2'].map((id, index) => {
    const facts = {
      agentId: agentId(id),
      executorId: executorId('e'),
      hostname: `${id}.example`,
      underlayIp: `172.16.0.${index + 1}`,
      underlayMtu: 1_500,
      datapath: 'netdev' as const,
      ovsVersion: '3.1',
      dockerVersion: '20',
    };
    bench.step({ kind: 'host-facts', facts });
    return facts.agentId;
  });
  const scheduler = new Scheduler({
    interconnect: defaultInterconnect,
    world: bench.world,
    term: 1,
    step: (event) => {
      bench.now = clock.now();
      return bench.step(event);
    },
    store: new MemoryStore(),
    mesos: { prepare: () => () => undefined, release: () => undefined },
    bus: new EventBus(16, () => undefined),
    clock,
    log: recordingLogger(),
    metrics: new SchedulerMetrics(),
    onFatal: (error) => {
      throw error;
    },
  });
  const decided = () => scheduler.change({ kind: 'reset-delay', appId: appId('/none') });
  scheduler.start();
  const sink = { write: () => undefined, end: () => undefined, outstandingBytes: 0 };
  scheduler.connectView(gone!, undefined, sink)();
  scheduler.connectView(there!, undefined, sink);
  clock.advance(hourMs - 1);
  await decided();
  expect([...bench.world.hosts.keys()]).toEqual([gone, there]);
  expect(scheduler.hostStatus(gone!)).toMatchObject({ connected: false });
  clock.advance(1);
  await decided();
  expect([...bench.world.hosts.keys()]).toEqual([there]);
  expect(scheduler.hostStatus(gone!)).toBeUndefined();
  expect(scheduler.hostStatus(there!)).toBeDefined();
  await scheduler.close();
});
