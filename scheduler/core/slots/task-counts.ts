import type { Instance } from '../../../src/model/instance.ts';
import { isTerminal } from '../../../src/model/instance.ts';

/**
 * Marathon's four counts of tasks: starting, ending and unreachable ones are in neither of the first two, those that
 * have ended are in none. An object of it never changes: other counts are another object.
 */
export interface TaskCounts {
  readonly staged: number;
  readonly running: number;
  readonly healthy: number;
  readonly unhealthy: number;
}

/** Of an app that has none. */
export const noTasks: TaskCounts = { staged: 0, running: 0, healthy: 0, unhealthy: 0 };

const isStaged = ({ condition }: Instance): boolean => condition === 'provisioned' || condition === 'staging';
const isRunning = ({ condition }: Instance): boolean => condition === 'running';
const isHealthy = ({ condition, healthy }: Instance): boolean => healthy === true && !isTerminal(condition);
const isUnhealthy = ({ condition, healthy }: Instance): boolean =>
  healthy === false && !isTerminal(condition);

/** The counts of these instances. */
export function countTasks(instances: Iterable<Instance>): TaskCounts {
  const counts = { ...noTasks };
  for (const instance of instances) {
    if (isStaged(instance)) counts.staged += 1;
    if (isRunning(instance)) counts.running += 1;
    if (isHealthy(instance)) counts.healthy += 1;
    if (isUnhealthy(instance)) counts.unhealthy += 1;
  }
  return counts;
}

/** The counts with `after` in the place of `before`; the same object where that changes none. */
export function recounted(
  counts: TaskCounts,
  before: Instance | undefined,
  after: Instance | undefined,
): TaskCounts {
  const change = (counted: (instance: Instance) => boolean): number =>
    Number(after !== undefined && counted(after)) - Number(before !== undefined && counted(before));
  const [staged, running] = [change(isStaged), change(isRunning)];
  const [healthy, unhealthy] = [change(isHealthy), change(isUnhealthy)];
  if (staged === 0 && running === 0 && healthy === 0 && unhealthy === 0) return counts;
  return {
    staged: counts.staged + staged,
    running: counts.running + running,
    healthy: counts.healthy + healthy,
    unhealthy: counts.unhealthy + unhealthy,
  };
}

/** True when no task is in any of the counts. */
export const isNone = ({ staged, running, healthy, unhealthy }: TaskCounts): boolean =>
  staged === 0 && running === 0 && healthy === 0 && unhealthy === 0;
