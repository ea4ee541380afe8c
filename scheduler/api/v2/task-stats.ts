import type { App } from '../../../src/model/app.ts';
import { versionTime } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { countTasks, type TaskCounts } from '../../core/slots/task-counts.ts';

/**
 * Marathon's statistics of an app's tasks, in up to four windows; one without tasks is left out.
 * `instances` are the app's live ones, `now` is in milliseconds since 1970.
 */
export function presentTaskStats(
  app: App,
  instances: readonly Instance[],
  now: number,
): Readonly<Record<string, unknown>> {
  const { lastScalingAt, lastConfigChangeAt } = app.versionInfo;
  const windows: Readonly<Record<string, readonly Instance[]>> = {
    startedAfterLastScaling: instances.filter(({ stagedAt }) => stagedAt > versionTime(lastScalingAt)),
    withLatestConfig: instances.filter(({ version }) => version >= lastConfigChangeAt),
    withOutdatedConfig: instances.filter(({ version }) => version < lastConfigChangeAt),
    totalSummary: instances,
  };
  const present = Object.entries(windows).filter(([, tasks]) => tasks.length > 0);
  return Object.fromEntries(present.map(([name, tasks]) => [name, { stats: statsOf(tasks, now) }]));
}

function statsOf(instances: readonly Instance[], now: number): Readonly<Record<string, unknown>> {
  const seconds = instances
    .flatMap(({ startedAt }) => (startedAt === undefined ? [] : [(now - startedAt) / 1000]))
    .sort((a, b) => a - b);
  return {
    counts: countTasks(instances),
    ...(seconds.length === 0
      ? {}
      : { lifeTime: { averageSeconds: average(seconds), medianSeconds: medianOf(seconds) } }),
  };
}

/** The counts under Marathon's names. */
export const presentCounts = ({ staged, running, healthy, unhealthy }: TaskCounts) => ({
  tasksStaged: staged,
  tasksRunning: running,
  tasksHealthy: healthy,
  tasksUnhealthy: unhealthy,
});

const average = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2;
}
