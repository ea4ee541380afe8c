import axios from 'axios';
import { PatchpanelError } from '../../runtime/errors.ts';
import { sleep } from '../../runtime/deadline.ts';
import type { SchedulerProcess } from '../scheduler-process.ts';
import { BenchApps, sleeper } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { onFreshCluster } from './fresh-cluster.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

const sessionSeconds = 2;
const takeovers = 20;
const tasks = 10_000;
const instancesPerApp = 1_000;
const awayMs = 30_000;
const patienceMs = 120_000;

/**
 * Two schedulers that share a ZooKeeper, before simulated agents.
 * @throws PatchpanelError `aborted` by the signal, when nothing is left
 */
export const measureFailover = (signal: AbortSignal): Promise<readonly Figure[]> =>
  onFreshCluster(
    async (cluster) => [
      await takeover(cluster),
      ...(await launching(cluster)),
      ...(await startUp(cluster)),
      ...(await withoutZooKeeper(cluster)),
    ],
    signal,
    { count: 2, sessionSeconds },
  );

/** From the leader's SIGKILL until the other one has stored a change. */
async function takeover(cluster: SimulatedCluster): Promise<Figure> {
  const took: number[] = [];
  for (let round = 0; round < takeovers; round += 1) {
    const [leader, standby] = await roles(cluster);
    await untilTrue('the standby to know the leader', () => knowsLeader(standby));
    await leader.kill();
    const started = performance.now();
    await untilTrue('a change to be taken', () => accepts(standby, round));
    took.push(performance.now() - started);
    await leader.start();
  }
  return figure('failover', `takeover with a session of ${sessionSeconds} s`, 's', took.map(inSeconds), {
    target: { of: 'p99', is: 'at most', limit: 2 * sessionSeconds + 1 },
  });
}

/** What ZooKeeper has to do for each launched task, from the request until all run. */
async function launching(cluster: SimulatedCluster): Promise<readonly Figure[]> {
  const [leader] = await roles(cluster);
  const before = {
    sent: await cluster.zookeeper!.transactions(),
    records: await metric(leader, 'records_total'),
  };
  const many = Array.from({ length: tasks / instancesPerApp }, (_, i) => simulated(`/many-${i}`));
  const tookMs = await new BenchApps(leader.apiUrl).deploy('PUT', '/v2/apps', many);
  const sent = Number((await cluster.zookeeper!.transactions()) - before.sent);
  const records = (await metric(leader, 'records_total')) - before.records;
  return [
    figure('failover', `${tasks} tasks with ZooKeeper, until all run`, 'tasks/s', [
      tasks / inSeconds(tookMs),
    ]),
    figure('failover', 'transactions of ZooKeeper for each launched task', 'a task', [sent / tasks]),
    figure('failover', 'records written for each launched task', 'a task', [records / tasks]),
  ];
}

/** A leader begins with many tasks in the store: its process starts, then it asks Mesos about all of them. */
async function startUp(cluster: SimulatedCluster): Promise<readonly Figure[]> {
  const [leader, standby] = await roles(cluster);
  await standby.stop();
  await leader.stop();
  const started = performance.now();
  await leader.start();
  await untilTrue('the scheduler to lead', () => leads(leader));
  const leading = performance.now();
  await untilTrue('reconciliation to begin', async () => (await metric(leader, 'subscribed')) === 1);
  const subscribed = performance.now();
  await untilTrue('reconciliation to end', async () => (await metric(leader, 'reconcile_remaining')) === 0);
  const reconciled = performance.now();
  await standby.start();
  return [
    figure('failover', `start with ${tasks} stored tasks, until the API answers`, 's', [
      inSeconds(leading - started),
    ]),
    figure('failover', `reconciliation of ${tasks} tasks, from SUBSCRIBED`, 's', [
      inSeconds(reconciled - subscribed),
    ]),
  ];
}

/** Clients go on asking and Mesos goes on offering while ZooKeeper hangs. */
async function withoutZooKeeper(cluster: SimulatedCluster): Promise<readonly Figure[]> {
  const [leader] = await roles(cluster);
  const before = await cluster.usage(leader);
  cluster.zookeeper!.pause();
  let most = before.residentMib;
  const end = performance.now() + awayMs;
  while (performance.now() < end) {
    await Promise.all(Array.from({ length: 20 }, (_, n) => accepts(leader, n)));
    most = Math.max(most, (await cluster.usage(leader)).residentMib);
  }
  cluster.zookeeper!.resume();
  return [
    figure('failover', 'resident memory of the leader before ZooKeeper hangs', 'MiB', [before.residentMib]),
    figure('failover', `at most while it hangs for ${awayMs / 1000} s under requests`, 'MiB', [most]),
  ];
}

async function roles(cluster: SimulatedCluster): Promise<readonly [SchedulerProcess, SchedulerProcess]> {
  let leader: SchedulerProcess | undefined;
  await untilTrue('a scheduler to lead', async () => {
    leader = await cluster.schedulers.leader().catch(() => undefined);
    return leader !== undefined;
  });
  const standby = cluster.schedulers.members.find((member) => member !== leader);
  if (leader === undefined || standby === undefined) {
    throw new PatchpanelError('external', 'two schedulers are needed to measure a takeover');
  }
  return [leader, standby];
}

/** Whether this one takes a change, within a second. */
async function accepts(scheduler: SchedulerProcess, n: number): Promise<boolean> {
  const app = { ...simulated(`/taken-${n}`), instances: 0 };
  const answer = await ask(`${scheduler.apiUrl}/v2/apps/taken-${n}?force=true`, 'PUT', app);
  return answer !== undefined && answer.status < 300;
}

async function leads({ apiUrl, advertised }: SchedulerProcess): Promise<boolean> {
  const answer = await ask(`${apiUrl}/v2/info`, 'GET');
  return answer?.status === 200 && String(answer.headers['x-marathon-leader']).endsWith(advertised);
}

const knowsLeader = async ({ apiUrl }: SchedulerProcess): Promise<boolean> =>
  (await ask(`${apiUrl}/v2/leader`, 'GET'))?.status === 200;

/** The value of one of our metrics. */
async function metric({ apiUrl }: SchedulerProcess, name: string): Promise<number> {
  const answer = await ask(`${apiUrl}/metrics/prometheus`, 'GET');
  const line = new RegExp(`^patchpanel_${name} (\\S+)$`, 'm').exec(String(answer?.data));
  return Number(line?.[1]);
}

const ask = (url: string, method: string, data?: unknown) =>
  axios
    .request<unknown>({ url, method, data, timeout: 1_000, proxy: false, validateStatus: () => true })
    .catch(() => undefined);

async function untilTrue(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > end) throw new PatchpanelError('deadline', `waited in vain for ${what}`);
    await sleep(10);
  }
}

const inSeconds = (ms: number): number => ms / 1000;

const simulated = (id: string): Record<string, unknown> => ({
  ...sleeper(id, instancesPerApp),
  cpus: 0.01,
  mem: 8,
});
