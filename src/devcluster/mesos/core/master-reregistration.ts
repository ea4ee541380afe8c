import type { ExecutorInfo } from '../../../../proto/mesos.gen.ts';
import { uuidText } from '../../../mesos/uuid.ts';
import { recoverFramework } from './master-frameworks.ts';
import { taskKey, type Agent, type Framework, type MasterContext, type Task } from './master-state.ts';
import { tellStatus } from './master-status.ts';
import { addTask, allocationOf, executorAllocation } from './master-tasks.ts';
import type { Connection, ExecutorReport, TaskReport, ToAgent, ToMaster } from './messages.ts';
import { isTerminal } from './task-states.ts';

/** Tasks that were on their way to the agent and never arrived: it answers that they were dropped. */
export function missingTasks(
  agent: Agent,
  reports: readonly TaskReport[],
): { frameworkId: string; taskId: string }[] {
  const reported = new Set(reports.map(({ frameworkId, info }) => taskKey(frameworkId, info.task_id.value)));
  return [...agent.tasks.values()]
    .filter(({ frameworkId, taskId }) => !reported.has(taskKey(frameworkId, taskId)))
    .map(({ frameworkId, taskId }) => ({ frameworkId, taskId }));
}

/** Executors that the agent no longer has: their end was not heard of. */
export function removeLostExecutors(
  context: MasterContext,
  agent: Agent,
  reports: readonly ExecutorReport[],
): void {
  const alive = new Set(reports.map(({ frameworkId, info }) => taskKey(frameworkId, info.executor_id.value)));
  for (const [frameworkId, executors] of agent.executors) {
    for (const [executorId, info] of executors) {
      if (alive.has(taskKey(frameworkId, executorId))) continue;
      executors.delete(executorId);
      context.allocator.recover(executorAllocation(frameworkId, agent.id, info));
    }
  }
}

/** Takes over what an agent reports that this master did not know or had given up, and tells the frameworks. */
export function adoptReport(
  context: MasterContext,
  agent: Agent,
  connection: Connection<ToAgent>,
  report: Extract<ToMaster, { kind: 'reregister' }>,
  phrase: string,
): void {
  const { state } = context;
  for (const info of report.frameworks) {
    const id = info.id?.value ?? '';
    if (state.completedFrameworks.has(id)) connection.send({ kind: 'shutdown-framework', frameworkId: id });
    else if (!state.frameworks.has(id)) recoverFramework(context, info);
  }
  for (const { frameworkId, info } of report.executors) {
    if (state.frameworks.has(frameworkId)) adoptExecutor(context, agent, frameworkId, info);
  }
  for (const task of report.tasks) {
    const framework = state.frameworks.get(task.frameworkId);
    if (framework === undefined) continue;
    tellStatus(context, framework, {
      taskId: task.info.task_id.value,
      state: task.state,
      reason: 'REASON_AGENT_REREGISTERED',
      message: phrase,
      task: adoptTask(context, framework, agent, task),
    });
  }
}

function adoptExecutor(context: MasterContext, agent: Agent, frameworkId: string, info: ExecutorInfo): void {
  const executors = agent.executors.get(frameworkId) ?? new Map<string, ExecutorInfo>();
  agent.executors.set(frameworkId, executors.set(info.executor_id.value, info));
  const { role, resources } = executorAllocation(frameworkId, agent.id, info);
  context.allocator.allocateExisting(frameworkId, role, agent.id, resources);
}

function adoptTask(context: MasterContext, framework: Framework, agent: Agent, report: TaskReport): Task {
  const role = report.info.resources?.[0]?.allocation_info?.role ?? '*';
  const task = addTask(framework, agent, report.info, role, report.state);
  framework.unreachable.delete(task.taskId);
  if (report.status !== undefined) {
    const { data: _data, message: _message, ...status } = report.status;
    task.statuses.push(status);
  }
  const { unacknowledged } = report;
  if (unacknowledged !== undefined) {
    task.told = { state: unacknowledged.state, uuid: uuidText(unacknowledged.uuid) };
  }
  if (!isTerminal(task.state)) {
    const { resources } = allocationOf(task);
    context.allocator.allocateExisting(framework.id, role, agent.id, resources);
  }
  return task;
}
