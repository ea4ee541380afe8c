import { table } from '../cli/output.ts';
import { messageOf } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { deployMs, loggedStarts, plainStarts } from './bench/attach.ts';
import type { DevCluster } from './cluster.ts';
import { runInForeground } from './foreground.ts';

const samples = 20;
const burst = 50;

const say = (line: string) => void process.stdout.write(`${line}\n`);

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))] ??
  Number.NaN;

const row = (what: string, values: readonly number[], plain: readonly number[]): string[] => [
  what,
  String(values.length),
  quantile(values, 0.5).toFixed(0),
  quantile(values, 0.99).toFixed(0),
  (quantile(values, 0.5) / quantile(plain, 0.5)).toFixed(2),
];

/** Starts of single tasks beside plain containers, then many at once; every figure of one run. */
async function measure(cluster: DevCluster): Promise<void> {
  await deployMs(cluster, 3);
  const warm = (await loggedStarts(cluster)).length;
  const plain = await plainStarts(cluster, samples);
  for (let instances = 4; instances < 4 + samples; instances += 1) await deployMs(cluster, instances);
  const starts = (await loggedStarts(cluster)).slice(warm);
  const totals = starts.map(({ totalMs }) => totalMs);
  const attaches = starts.map(({ attachMs }) => attachMs);
  await deployMs(cluster, 0);
  const burstMs = await deployMs(cluster, burst);
  await deployMs(cluster, 0);
  say(
    table(
      ['WHAT', 'N', 'P50 MS', 'P99 MS', 'P50 / PLAIN'],
      [
        row('container without a network', plain, plain),
        row('task, from launch to running', totals, plain),
        row('  of it the network part', attaches, plain),
      ],
      'nothing measured',
    ),
  );
  say(
    `${burst} tasks at once on ${cluster.members.length} hosts: all run after ${(burstMs / 1000).toFixed(1)} s`,
  );
}

try {
  const ended = await runInForeground(
    {
      name: 'ppbench',
      hosts: 3,
      api: '127.0.0.1:0',
      masterListen: '127.0.0.1:0',
      controlListen: '127.0.0.1:0',
    },
    { log: createLogger('bench', 'warn'), dockerHost: process.env['DOCKER_HOST'], progress: say },
    measure,
  );
  if (ended === 'interrupted') process.exitCode = 130;
} catch (error) {
  process.stderr.write(`bench: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
