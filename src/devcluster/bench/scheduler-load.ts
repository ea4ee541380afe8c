import { sleeper } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { onFreshCluster } from './fresh-cluster.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

const launchSizes = [1_000, 10_000] as const;
const instancesPerApp = 1_000;

type Load = (cluster: SimulatedCluster) => Promise<readonly Figure[]>;

/**
 * Launch rates and memory with many tasks; each on an empty store.
 * @throws PatchpanelError `aborted` by the signal, when nothing is left
 */
export async function measureScheduler(signal: AbortSignal): Promise<readonly Figure[]> {
  const loads = launchSizes.map(
    (tasks): Load =>
      (cluster) =>
        launches(cluster, tasks),
  );
  const figures: Figure[] = [];
  for (const load of loads) figures.push(...(await onFreshCluster(load, signal)));
  return figures;
}

/** From one request to every task RUNNING, stored and acknowledged. */
async function launches(cluster: SimulatedCluster, tasks: number): Promise<readonly Figure[]> {
  const before = await cluster.usage();
  const first = await launch(cluster, 'first', tasks);
  const after = await cluster.usage();
  const next = await launch(cluster, 'next', tasks);
  return [
    rate(`first ${tasks} tasks of a new process, until all run`, tasks, first),
    rate(`next ${tasks} tasks, until all run`, tasks, next),
    figure('scheduler', `first ${tasks} tasks: processor time of the scheduler`, 's', [
      (after.cpuMs - before.cpuMs) / 1000,
    ]),
    figure('scheduler', `first ${tasks} tasks: resident memory of the scheduler`, 'MiB', [after.residentMib]),
  ];
}

function launch(cluster: SimulatedCluster, name: string, tasks: number): Promise<number> {
  const count = tasks / instancesPerApp;
  const apps = Array.from({ length: count }, (_, i) => simulated(`/${name}-${i}`, instancesPerApp));
  return cluster.apps.deploy('PUT', '/v2/apps', apps);
}

const rate = (what: string, tasks: number, tookMs: number): Figure =>
  figure('scheduler', what, 'tasks/s', [tasks / (tookMs / 1000)], {
    target: { of: 'p50', is: 'at least', limit: 1_000 },
  });

/** An app with little of everything, so that many fit on an agent. */
export const simulated = (id: string, instances: number): Record<string, unknown> => ({
  ...sleeper(id, instances),
  cpus: 0.01,
  mem: 8,
});
