import { figure, type Figure } from './figures.ts';
import { followDeployment, probe } from './probe.ts';
import { simulated } from './scheduler-load.ts';
import { onFreshCluster } from './fresh-cluster.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** The second is what a large cluster has; the first shows what of its answers depends on that. */
const appCounts = [10, 5_000] as const;
const tasksPerApp = 5;
const appsPerRequest = 500;
const samples = { list: 100, one: 500, create: 100, rounds: 10 } as const;
/** Apps that are scaled up and down. */
const scaled = 10;
const streams = 100;
const streamedTasks = 1_000;
const loadTasks = 1_000;

/**
 * The API's latency with few and with many apps, at rest and while tasks are launched, and what a hundred event
 * streams cost.
 * @throws PatchpanelError `aborted` by the signal, when nothing is left
 */
export async function measureApi(signal: AbortSignal): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const apps of appCounts) {
    figures.push(...(await onFreshCluster((cluster) => latencies(cluster, apps), signal)));
  }
  figures.push(...(await onFreshCluster(eventStreams, signal)));
  return figures;
}

/** Answers while nothing happens, then while tasks are being launched. */
async function latencies(cluster: SimulatedCluster, apps: number): Promise<readonly Figure[]> {
  for (let made = 0; made < apps; made += appsPerRequest) {
    const size = Math.min(appsPerRequest, apps - made);
    const batch = Array.from({ length: size }, (_, i) => simulated(`/bench-${made + i}`, tasksPerApp));
    await cluster.apps.deploy('PUT', '/v2/apps', batch);
  }
  const what = `${apps} apps of ${tasksPerApp} tasks`;
  const { residentMib } = await cluster.usage();
  return [
    figure('api', `${what}: resident memory of the scheduler`, 'MiB', [residentMib]),
    ...(await answers(cluster, what, 0)),
    ...(await underLoad(cluster, `${what}, launching`)),
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
    await cluster.apps.deploy('PUT', `/v2/apps/load-${i}`, simulated(`/load-${i}`, loadTasks));
    await cluster.apps.deploy('DELETE', `/v2/apps/load-${i}`);
  }
}

async function answers(cluster: SimulatedCluster, what: string, first: number): Promise<readonly Figure[]> {
  const url = cluster.apiUrl;
  const list = await probe({ url, method: 'GET', path: '/v2/apps', count: samples.list });
  const embedded = '/v2/apps/bench-3?embed=app.tasks&embed=app.counts&embed=app.failures&embed=app.taskStats';
  const one = await probe({ url, method: 'GET', path: embedded, count: samples.one });
  const body = simulated('/created-{i}', 1);
  const create = await probe({ url, method: 'POST', path: '/v2/apps', body, first, count: samples.create });
  const limit = { target: { of: 'p99', is: 'at most', limit: 100 } } as const;
  return [
    figure('api', `${what}: GET /v2/apps`, 'ms', list.total, limit),
    figure('api', `${what}: GET /v2/apps, first byte`, 'ms', list.firstByte),
    figure('api', `${what}: GET /v2/apps/x with everything embedded`, 'ms', one.total),
    figure('api', `${what}: PUT /v2/apps/x that scales it`, 'ms', await scaling(url)),
    figure('api', `${what}: POST /v2/apps`, 'ms', create.total),
  ];
}

/** Some apps get one task more and one less in turns. */
async function scaling(url: string): Promise<readonly number[]> {
  const times: number[] = [];
  for (let round = 0; round < samples.rounds; round += 1) {
    const body = { instances: tasksPerApp + 1 - (round % 2) };
    const path = '/v2/apps/bench-{i}?force=true';
    times.push(...(await probe({ url, method: 'PUT', path, body, count: scaled })).total);
  }
  return times;
}

/** A thousand tasks are launched while nobody and then while a hundred clients read every event. */
async function eventStreams(cluster: SimulatedCluster): Promise<readonly Figure[]> {
  const launched = (name: string) =>
    cluster.apps.deploy('PUT', `/v2/apps/${name}`, simulated(`/${name}`, streamedTasks));
  await launched('warm');
  const alone = await launched('alone');
  const before = await cluster.usage();
  const { tookMs, eventsOfOne, bytesOfOne, spreadMs } = await followDeployment({
    url: cluster.apiUrl,
    clients: streams,
    path: '/v2/apps/watched',
    body: simulated('/watched', streamedTasks),
  });
  const after = await cluster.usage();
  const what = `${streams} event streams`;
  return [
    figure('api', `${streamedTasks} tasks launched, nobody reads events`, 'ms', [alone]),
    figure('api', `${streamedTasks} tasks launched, ${what}`, 'ms', [tookMs]),
    figure('api', `${what}: events that each client got`, '', [eventsOfOne]),
    figure('api', `${what}: sent to all`, 'MiB', [(bytesOfOne * streams) / 1024 ** 2]),
    figure('api', `${what}: the last event at the last client after the first`, 'ms', [spreadMs]),
    figure('api', `${what}: processor time of the scheduler`, 's', [(after.cpuMs - before.cpuMs) / 1000]),
    figure('api', `${what}: resident memory of the scheduler`, 'MiB', [after.residentMib]),
  ];
}
