import type { FrameworkInfo, TaskState } from '../../../../proto/mesos.gen.ts';

const terminal: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_LOST',
  'TASK_DROPPED',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
]);

const partitionAwareOnly: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_DROPPED',
  'TASK_UNREACHABLE',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
  'TASK_UNKNOWN',
]);

/** Whether nothing more can happen to a task in this state. */
export const isTerminal = (state: TaskState): boolean => terminal.has(state);

/** What a framework is told: those that are not PARTITION_AWARE only know TASK_LOST. */
export function visibleState(framework: FrameworkInfo, state: TaskState): TaskState {
  return partitionAwareOnly.has(state) && !hasCapability(framework, 'PARTITION_AWARE') ? 'TASK_LOST' : state;
}

export function hasCapability(framework: FrameworkInfo, capability: string): boolean {
  return (framework.capabilities ?? []).some(({ type }) => type === capability);
}

/** The roles that a framework subscribes to: `roles` with MULTI_ROLE, else the one `role`. */
export function rolesOf(framework: FrameworkInfo): readonly string[] {
  return hasCapability(framework, 'MULTI_ROLE') ? (framework.roles ?? []) : [framework.role ?? '*'];
}
