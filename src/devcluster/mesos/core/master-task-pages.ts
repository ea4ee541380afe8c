import type { ExecutorInfo, TaskStatus } from '../../../../proto/mesos.gen.ts';
import { bundleOf } from './bundle.ts';
import type { MasterContext, Task } from './master-state.ts';
import { summaryOf } from './resource-summary.ts';

const defaultLimit = 100;

/** `GET /tasks`: 100 of them unless `limit` says otherwise, newest framework state first unless `order=asc`. */
export function tasksPage(context: MasterContext, query: URLSearchParams): object {
  const { frameworks, completedFrameworks } = context.state;
  const tasks = [...frameworks.values(), ...completedFrameworks.values()]
    .filter(({ id }) => [null, id].includes(query.get('framework_id')))
    .flatMap(({ tasks: live, unreachable, completed }) => [
      ...live.values(),
      ...unreachable.values(),
      ...completed,
    ])
    .filter(({ taskId }) => [null, taskId].includes(query.get('task_id')))
    .sort((a, b) => startOf(b) - startOf(a));
  if (query.get('order') === 'asc') tasks.reverse();
  const offset = Number(query.get('offset') ?? 0);
  const limit = Number(query.get('limit') ?? defaultLimit);
  return { tasks: tasks.slice(offset, offset + limit).map(taskEntry) };
}

/** One task on `/state`, `/frameworks` and `/tasks`. */
export function taskEntry(task: Task): object {
  const { info } = task;
  return {
    id: task.taskId,
    name: info.name,
    framework_id: task.frameworkId,
    executor_id: task.executorId,
    slave_id: task.agentId,
    state: task.state,
    resources: summaryOf(task.resources),
    role: task.role,
    statuses: task.statuses.map(statusEntry),
    ...(info.labels?.labels === undefined ? {} : { labels: info.labels.labels }),
    ...(info.discovery === undefined ? {} : { discovery: info.discovery }),
    ...(info.container === undefined ? {} : { container: info.container }),
  };
}

/** One executor of a framework on `/state` and `/frameworks`. */
export function executorEntry(agentId: string, info: ExecutorInfo): object {
  const { command } = info;
  return {
    executor_id: info.executor_id.value,
    name: info.name ?? '',
    framework_id: info.framework_id?.value ?? '',
    command: {
      shell: command?.shell ?? true,
      value: command?.value ?? '',
      argv: command?.arguments ?? [],
      environment: { variables: command?.environment?.variables ?? [] },
      uris: command?.uris ?? [],
    },
    resources: summaryOf(bundleOf(info.resources)),
    role: info.resources?.[0]?.allocation_info?.role ?? '*',
    type: info.type ?? 'CUSTOM',
    slave_id: agentId,
  };
}

function statusEntry({ state, timestamp, labels, container_status: container, healthy }: TaskStatus): object {
  return {
    state,
    timestamp,
    ...(labels === undefined ? {} : { labels: labels.labels ?? [] }),
    ...(container === undefined
      ? {}
      : {
          container_status: { container_id: container.container_id, network_infos: container.network_infos },
        }),
    ...(healthy === undefined ? {} : { healthy }),
  };
}

const startOf = ({ statuses }: Task): number => statuses[0]?.timestamp ?? Number.POSITIVE_INFINITY;
