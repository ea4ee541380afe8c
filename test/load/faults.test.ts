import { afterAll, describe, expect, test } from '@jest/globals';
import type { FaultKind } from '../faults/plan.ts';
import { Relays } from '../faults/relay.ts';
import { FaultRun } from '../faults/run.ts';
import { Scene } from '../faults/scene.ts';
import { useCluster } from '../support/cluster.ts';

const hosts = ['h1', 'h2', 'h3'];
const limitMs = 600_000;

describe('one scheduler', () => {
  /** The kinds that are over soon; `npm run test:faults` has them all, and more of them. */
  const kinds: readonly FaultKind[] = [
    'scheduler-kill',
    'scheduler-kill-in-step',
    'scheduler-pause',
    'scheduler-stream-cut',
    'master-failover',
    'update-twice',
    'agent-restart',
    'agent-delay',
    'executor-kill',
    'switch-kill',
    'database-loss',
    'app-kill',
    'sandbox-kill',
    'veth-delete',
    'foreign-flow',
    'foreign-port',
  ];
  const plan = { seed: 20_261_127, faults: 7, hosts, kinds };
  const cluster = useCluster({ hosts: 4 });

  test(
    `${plan.faults} faults (seed ${plan.seed}) leave nothing lost, doubled or behind`,
    async () => {
      const run = new FaultRun(new Scene(cluster()), plan, 'h4');
      expect(await run.run()).toMatchObject({ faults: plan.faults });
    },
    limitMs,
  );
});

describe('a leader, one that stands by, and ZooKeeper', () => {
  const kinds: readonly FaultKind[] = [
    'scheduler-kill-in-step',
    'leader-kill',
    'leader-pause',
    'leader-isolated',
    'zookeeper-kill',
    'zookeeper-pause',
    'zookeeper-cut',
  ];
  const plan = { seed: 20_261_128, faults: 6, hosts, kinds };
  const relays = new Relays();
  const cluster = useCluster({
    hosts: 4,
    schedulers: 2,
    schedulerArgs: ['--zk-session-timeout', '3'],
    zookeeperFor: relays.between,
  });
  afterAll(() => relays.close());

  test(
    `${plan.faults} faults (seed ${plan.seed}) leave nothing lost, doubled or behind`,
    async () => {
      const run = new FaultRun(new Scene(cluster(), relays.all), plan, 'h4');
      expect(await run.run()).toMatchObject({ faults: plan.faults });
    },
    limitMs,
  );
});
