import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AgentHost } from '../agents/agent-host.ts';
import { executorsIn, type Executor } from '../core/agent-state.ts';
import { resourceSummary } from '../core/resource-summary.ts';
import { isTerminal } from '../core/task-states.ts';
import { wrongMethod } from './call-body.ts';
import { send } from './exchange.ts';
import { version } from '../core/version.ts';

/** The pages of an agent that tools read. */
export function handleAgentPages(
  host: AgentHost,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET') return send(response, wrongMethod(request.method ?? '', 'GET'));
  switch (name) {
    case '/health':
      return send(response, { status: 200 });
    case '/version':
      return send(response, { status: 200, body: version });
    case '/state':
      return send(response, { status: 200, body: statePage(host) });
    case '/metrics/snapshot':
      return send(response, { status: 200, body: metricsPage(host) });
    default:
      return send(response, { status: 404 });
  }
}

function statePage({ disk, options, endpoint, agent }: AgentHost): object {
  const { cpus, mem, disk: space, gpus = 0 } = options.resources;
  return {
    ...version,
    id: disk.agentId ?? '',
    hostname: options.hostname,
    pid: `slave(1)@${endpoint.host}:${endpoint.port}`,
    resources: { cpus, mem, disk: space, gpus },
    attributes: options.attributes ?? {},
    recovering: agent?.isRecovering ?? true,
    frameworks: [...disk.frameworks.values()].map(({ info, executors }) => ({
      id: info.id?.value,
      name: info.name,
      user: info.user,
      checkpoint: info.checkpoint ?? false,
      executors: [...executors.values()].map(executorEntry),
    })),
    completed_frameworks: [],
  };
}

function executorEntry(executor: Executor): object {
  const { info, containerId, directory } = executor;
  const tasks = [...executor.launched.values()].map(({ info: task, state }) => ({
    id: task.task_id.value,
    name: task.name,
    framework_id: executor.frameworkId,
    executor_id: info.executor_id.value,
    state,
    resources: resourceSummary(task.resources),
  }));
  return {
    id: info.executor_id.value,
    name: info.name ?? '',
    source: info.source ?? '',
    container: containerId,
    directory,
    resources: resourceSummary(info.resources),
    tasks: tasks.filter(({ state }) => !isTerminal(state)),
    queued_tasks: [...executor.queued.values()].map((task) => ({ id: task.task_id.value, name: task.name })),
    completed_tasks: tasks.filter(({ state }) => isTerminal(state)),
  };
}

function metricsPage({ disk, agent }: AgentHost): object {
  const executors = executorsIn(disk);
  const countOf = (state: Executor['state']) => executors.filter((one) => one.state === state).length;
  const tasks = executors.flatMap(({ launched }) => [...launched.values()]);
  return {
    'slave/registered': agent?.isRegistered === true ? 1 : 0,
    'slave/frameworks_active': disk.frameworks.size,
    'slave/executors_registering': countOf('registering'),
    'slave/executors_running': countOf('running'),
    'slave/executors_terminating': countOf('terminating'),
    'slave/tasks_staging': tasks.filter(({ state }) => state === 'TASK_STAGING').length,
    'slave/tasks_starting': tasks.filter(({ state }) => state === 'TASK_STARTING').length,
    'slave/tasks_running': tasks.filter(({ state }) => state === 'TASK_RUNNING').length,
  };
}
