import { sleep } from '../../runtime/deadline.ts';
import type { DevCluster } from '../cluster.ts';
import { BenchApps } from './apps.ts';
import { figure, type Figure } from './figures.ts';
import { usageOfGroup } from './usage.ts';

const app = '/bench-idle';
const tasksPerHost = 10;
/** What a start leaves to do (output files, reports) is over by then. */
const settleMs = 5_000;
const windowMs = 30_000;

/** Memory and processor time of executors whose tasks run and change nothing; one value for each host. */
export async function measureExecutors(cluster: DevCluster): Promise<readonly Figure[]> {
  const bench = new BenchApps(cluster.scheduler?.apiUrl ?? '');
  try {
    await bench.scale(app, tasksPerHost * cluster.members.length);
    const groups = cluster.members.flatMap((member) => member.status().executorPids);
    await sleep(settleMs);
    const before = await Promise.all(groups.map(usageOfGroup));
    const started = performance.now();
    await sleep(windowMs);
    const after = await Promise.all(groups.map(usageOfGroup));
    const elapsedMs = performance.now() - started;
    const busy = after.map(({ cpuMs }, i) => ((cpuMs - (before[i]?.cpuMs ?? 0)) / elapsedMs) * 100);
    const resident = after.map(({ residentMib }) => residentMib);
    const what = `executor with ${tasksPerHost} tasks`;
    return [
      figure('executor', `${what}, resident memory`, 'MiB', resident, {
        target: { of: 'p99', is: 'at most', limit: 100 },
      }),
      figure('executor', `${what}, idle for ${windowMs / 1000} s`, '% of a core', busy, {
        target: { of: 'p99', is: 'at most', limit: 1 },
      }),
    ];
  } finally {
    await bench.remove(app);
  }
}
