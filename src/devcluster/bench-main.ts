import { writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { CommanderError } from 'commander';
import { messageOf } from '../runtime/errors.ts';
import { createLogger } from '../runtime/logger.ts';
import { measureApi } from './bench/api-load.ts';
import { measureFailover } from './bench/failover.ts';
import { figureTable, type Figure } from './bench/figures.ts';
import { measureFabric } from './bench/fabric.ts';
import { measureHandover } from './bench/handover.ts';
import { measureExecutors } from './bench/idle-executor.ts';
import { readOptions, type BenchOptions, type Part } from './bench/options.ts';
import { measureScheduler } from './bench/scheduler-load.ts';
import { measureAttach, measureBurst } from './bench/starts.ts';
import { measureSwitch } from './bench/switch.ts';
import { measureTraffic } from './bench/traffic.ts';
import type { DevCluster } from './cluster.ts';
import { runInForeground } from './foreground.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);

type SimulatedPart = 'scheduler' | 'api' | 'failover' | 'fabric';
type ClusterPart = Exclude<Part, SimulatedPart>;

const simulated: Readonly<Record<SimulatedPart, (signal: AbortSignal) => Promise<readonly Figure[]>>> = {
  scheduler: measureScheduler,
  api: measureApi,
  failover: measureFailover,
  fabric: measureFabric,
};

const onCluster: Readonly<
  Record<ClusterPart, (cluster: DevCluster, options: BenchOptions) => Promise<readonly Figure[]>>
> = {
  switch: (cluster) => measureSwitch(cluster),
  attach: (cluster, { samples }) => measureAttach(cluster, samples),
  burst: (cluster) => measureBurst(cluster),
  traffic: (cluster) => measureTraffic(cluster),
  handover: (cluster) => measureHandover(cluster),
  executor: (cluster) => measureExecutors(cluster),
};

const interrupted = 'interrupted';
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the parts one after the other; the figures, or that it was interrupted. */
async function measure(options: BenchOptions): Promise<readonly Figure[] | typeof interrupted> {
  const figures: Figure[] = [];
  const note = (more: readonly Figure[]) => {
    figures.push(...more);
    say(`\n${figureTable(more)}\n`);
  };
  const clusterParts = options.only.filter((part): part is ClusterPart => !isSimulated(part));
  if (clusterParts.length > 0) {
    const ended = await runInForeground(
      {
        name: 'ppbench',
        hosts: 3,
        api: '127.0.0.1:0',
        masterListen: '127.0.0.1:0',
        controlListen: '127.0.0.1:0',
      },
      { log: createLogger('bench', 'warn'), dockerHost: process.env['DOCKER_HOST'], progress: say },
      async (cluster) => {
        for (const part of clusterParts) {
          say(`measuring: ${part}`);
          note(await onCluster[part](cluster, options));
        }
      },
    );
    if (ended === interrupted) return interrupted;
  }
  for (const part of options.only.filter(isSimulated)) {
    say(`measuring: ${part}`);
    const outcome = await measureUnlessStopped(simulated[part]);
    if (outcome === interrupted) return interrupted;
    note(outcome);
  }
  return figures;
}

const isSimulated = (part: Part): part is SimulatedPart => part in simulated;

async function measureUnlessStopped(
  measureIt: (signal: AbortSignal) => Promise<readonly Figure[]>,
): Promise<readonly Figure[] | typeof interrupted> {
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of stopSignals) process.on(signal, onSignal);
  try {
    return await measureIt(stop.signal);
  } catch (error) {
    if (stop.signal.aborted) return interrupted;
    throw error;
  } finally {
    for (const signal of stopSignals) process.off(signal, onSignal);
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const figures = await measure(options);
  if (figures === interrupted) return 130;
  if (options.out !== undefined) {
    const machine = { cores: cpus().length, memoryMib: Math.round(totalmem() / 1024 ** 2) };
    await writeFile(options.out, `${JSON.stringify({ machine, node: process.version, figures }, null, 2)}\n`);
    say(`written to ${options.out}`);
  }
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode;
  } else {
    process.stderr.write(`bench: ${messageOf(error)}\n`);
    process.exitCode = 1;
  }
}
