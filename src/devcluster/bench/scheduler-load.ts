import { sleeper } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { probe } from './probe.ts';
import { onFreshCluster } from './fresh-cluster.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

const launchSizes = [1_000, 10_000] as const;
const appCounts = [1_000, 5_000] as const;
const instancesPerApp = 1_000;
const appsPerRequest = 500;
const samples = { list: 100, one: 500, create: 100 } as const;

type Load = (cluster: SimulatedCluster) => Promise<readonly Figure[]>;

/**
 * Launch rates and memory with many tasks, then the API's latency with many apps; each on an empty store.
 * @throws PatchpanelError `aborted` by the signal, when nothing is left
 */
export async function measureScheduler(signal: AbortSignal): Promise<readonly Figure[]> {
  const loads: Load[] = [
    ...launchSizes.map(
      (tasks): Load =>
        (cluster) =>
          launches(cluster, tasks),
    ),
    ...appCounts.map(
      (apps): Load =>
        (cluster) =>
          latencies(cluster, apps),
    ),
  ];
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

/** Answers while nothing happens, then while tasks are being launched. */
async function latencies(cluster: SimulatedCluster, apps: number): Promise<readonly Figure[]> {
  for (let made = 0; made < apps; made += appsPerRequest) {
    const batch = Array.from({ length: appsPerRequest }, (_, i) => simulated(`/bench-${made + i}`, 1));
    await cluster.apps.deploy('PUT', '/v2/apps', batch);
  }
  const { residentMib } = await cluster.usage();
  return [
    figure('scheduler', `${apps} apps: resident memory of the scheduler`, 'MiB', [residentMib]),
    ...(await answers(cluster, `${apps} apps`, 0)),
    ...(await underLoad(cluster, `${apps} apps, launching`)),
  ];
}

async function underLoad(cluster: SimulatedCluster, what: string): Promise<readonly Figure[]> {
  const load = new AbortController();
  const measured = answers(cluster, what, samples.create).finally(() => load.abort());
  const [figures] = await Promise.all([measured, keepLaunching(cluster, load.signal)]);
  return figures;
}

/** One app after another is launched and removed until the signal. */
async function keepLaunching(cluster: SimulatedCluster, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i += 1) {
    await cluster.apps.deploy('PUT', `/v2/apps/load-${i}`, simulated(`/load-${i}`, instancesPerApp));
    await cluster.apps.deploy('DELETE', `/v2/apps/load-${i}`);
  }
}

async function answers(cluster: SimulatedCluster, what: string, first: number): Promise<readonly Figure[]> {
  const url = cluster.apiUrl;
  const list = await probe({ url, method: 'GET', path: '/v2/apps', count: samples.list });
  const one = await probe({ url, method: 'GET', path: '/v2/apps/bench-{i}', count: samples.one });
  const body = simulated('/created-{i}', 1);
  const create = await probe({ url, method: 'POST', path: '/v2/apps', body, first, count: samples.create });
  return [
    figure('scheduler', `${what}: GET /v2/apps`, 'ms', list, {
      target: { of: 'p99', is: 'at most', limit: 100 },
    }),
    figure('scheduler', `${what}: GET /v2/apps/x`, 'ms', one),
    figure('scheduler', `${what}: POST /v2/apps`, 'ms', create),
  ];
}

/** Little of everything, so that many fit on an agent. */
const simulated = (id: string, instances: number): Record<string, unknown> => ({
  ...sleeper(id, instances),
  cpus: 0.01,
  mem: 8,
});
