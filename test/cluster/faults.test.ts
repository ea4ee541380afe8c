import { expect, test } from '@jest/globals';
import type { FaultKind } from '../faults/plan.ts';
import { FaultRun } from '../faults/run.ts';
import { ClusterBench } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

/** The kinds that are over soon; `npm run test:faults` has them all, and more of them. */
const kinds: readonly FaultKind[] = [
  'scheduler-kill',
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
const seed = 20_261_127;
const faults = 7;

const cluster = useCluster({ hosts: 4 });

test(`${faults} faults (seed ${seed}) leave nothing lost, doubled or behind`, async () => {
  const bench = new ClusterBench(cluster());
  const run = new FaultRun(bench, { seed, faults, hosts: ['h1', 'h2', 'h3'], kinds }, 'h4');
  expect(await run.run()).toMatchObject({ faults });
}, 600_000);
