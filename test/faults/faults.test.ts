import { expect, test } from '@jest/globals';
import { ClusterBench } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { figuresTable } from './figures.ts';
import { ownsDocker } from './perform.ts';
import { faultKinds } from './plan.ts';
import { FaultRun } from './run.ts';

const faults = Number(process.env['PATCHPANEL_FAULTS'] ?? 200);
const seed = Number(process.env['PATCHPANEL_FAULTS_SEED'] ?? Math.floor(Math.random() * 1e9));

const cluster = useCluster({ hosts: 4 });

test(`${faults} faults (seed ${seed}) leave nothing lost, doubled or behind`, async () => {
  process.stderr.write(`seed ${seed}: repeat it with PATCHPANEL_FAULTS_SEED=${seed}\n`);
  const bench = new ClusterBench(cluster());
  const kinds = faultKinds.filter((kind) => ownsDocker(bench) || !kind.startsWith('docker-'));
  const report = await new FaultRun(bench, { seed, faults, hosts: ['h1', 'h2', 'h3'], kinds }, 'h4').run();
  const { rounds, longestOutage, streamBreaks, figures } = report;
  process.stderr.write(
    `${faults} faults in ${rounds} rounds survived (seed ${seed}); longest outage of a slot ` +
      `${(longestOutage.ms / 1000).toFixed(1)} s (${longestOutage.address}); event stream taken up again ${streamBreaks} times\n${figuresTable(figures)}\n`,
  );
  expect(report.faults).toBe(faults);
});
