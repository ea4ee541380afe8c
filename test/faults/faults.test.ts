import { afterAll, expect, test } from '@jest/globals';
import { useCluster } from '../support/cluster.ts';
import { figuresTable } from './figures.ts';
import { breakable } from './perform.ts';
import { kindsFor } from './plan.ts';
import { Relays } from './relay.ts';
import { FaultRun } from './run.ts';
import { Scene } from './scene.ts';

const faults = Number(process.env['PATCHPANEL_FAULTS'] ?? 200);
const seed = Number(process.env['PATCHPANEL_FAULTS_SEED'] ?? Math.floor(Math.random() * 1e9));
/** One has its state for itself, two share it in ZooKeeper. */
const schedulers = Number(process.env['PATCHPANEL_FAULTS_SCHEDULERS'] ?? 2);

/** Only these, divided by commas; all by default. */
const only = process.env['PATCHPANEL_FAULTS_KINDS']?.split(',');

const relays = new Relays();
const cluster = useCluster({
  hosts: 4,
  schedulers,
  schedulerArgs: schedulers > 1 ? ['--zk-session-timeout', '3'] : [],
  zookeeperFor: relays.between,
});
afterAll(() => relays.close());

test(`${faults} faults (seed ${seed}) leave nothing lost, doubled or behind`, async () => {
  process.stderr.write(`seed ${seed}: repeat it with PATCHPANEL_FAULTS_SEED=${seed}\n`);
  const scene = new Scene(cluster(), relays.all);
  const kinds = kindsFor(breakable(scene)).filter((kind) => only?.includes(kind) ?? true);
  const run = new FaultRun(scene, { seed, faults, hosts: ['h1', 'h2', 'h3'], kinds }, 'h4');
  const report = await run.run();
  const { rounds, longestOutage, streamBreaks, takeovers, figures } = report;
  process.stderr.write(
    `${faults} faults in ${rounds} rounds survived (seed ${seed}); longest outage of a slot ` +
      `${(longestOutage.ms / 1000).toFixed(1)} s (${longestOutage.address}); event stream taken up again ` +
      `${streamBreaks} times; ${takeovers} takeovers\n${figuresTable(figures)}\n`,
  );
  expect(report.faults).toBe(faults);
});
