import type {
  ExecutorInfo,
  SchedulerCallAcknowledge,
  TaskInfo,
  TaskState,
  TaskStatus,
} from '../../../../proto/mesos.gen.ts';
import { uuidText } from '../../../mesos/uuid.ts';
import type { Allocation } from './allocator.ts';
import { bundleOf } from './bundle.ts';
import {
  count,
  maxCompletedTasks,
  taskKey,
  tell,
  type Agent,
  type Framework,
  type MasterContext,
  type Task,
} from './master-state.ts';
import { isTerminal } from './task-states.ts';

/** A task that the master begins to know, from an ACCEPT or from an agent's report. */
export function addTask(
  framework: Framework,
  agent: Agent,
  info: TaskInfo,
  role: string,
  state: TaskState,
): Task {
  const task: Task = {
    taskId: info.task_id.value,
    frameworkId: framework.id,
    agentId: agent.id,
    executorId: info.executor?.executor_id.value ?? '',
    info,
    role,
    resources: bundleOf(info.resources),
    state,
    told: undefined,
    statuses: [],
  };
  framework.tasks.set(task.taskId, task);
  agent.tasks.set(taskKey(framework.id, task.taskId), task);
  return task;
}

/** An executor's resources as something that can be given back. */
export function executorAllocation(frameworkId: string, agentId: string, info: ExecutorInfo): Allocation {
  const role = info.resources?.[0]?.allocation_info?.role ?? '*';
  return { frameworkId, agentId, role, resources: bundleOf(info.resources) };
}

/** A status update from an agent: it is passed on and remembered. */
export function handleUpdate(
  context: MasterContext,
  agent: Agent,
  frameworkId: string,
  status: TaskStatus,
  latestState: TaskState,
): void {
  const framework = context.state.frameworks.get(frameworkId);
  if (framework === undefined) {
    count(context.state.counters, 'invalid_status_updates');
    return;
  }
  tell(framework, { type: 'UPDATE', update: { status } });
  const task = agent.tasks.get(taskKey(frameworkId, status.task_id.value));
  count(context.state.counters, `${task === undefined ? 'in' : ''}valid_status_updates`);
  count(context.state.counters, 'messages_status_update');
  if (task === undefined) return;
  if (status.uuid !== undefined) task.told = { state: status.state, uuid: uuidText(status.uuid) };
  remember(task, status);
  setState(context, task, latestState, status);
}

/** ACKNOWLEDGE: passed on to the agent; that of the last update of a task ends the master's knowledge of it. */
export function acknowledge(
  context: MasterContext,
  framework: Framework,
  call: SchedulerCallAcknowledge,
): void {
  const agent = context.state.agents.get(call.agent_id.value);
  const { counters } = context.state;
  const task = framework.tasks.get(call.task_id.value);
  // The agent repeats an update that this master has not passed on yet: the acknowledgement of that one counts.
  if (agent?.connection === undefined || (task !== undefined && task.told === undefined)) {
    count(counters, 'invalid_status_update_acknowledgements');
    return;
  }
  count(counters, 'valid_status_update_acknowledgements');
  if (task !== undefined && isTerminal(task.told!.state) && task.told!.uuid === uuidText(call.uuid)) {
    endTask(context, framework, task, task.state);
  }
  agent.connection.send({
    kind: 'acknowledge',
    frameworkId: framework.id,
    taskId: call.task_id.value,
    uuid: call.uuid,
  });
}

/** The master forgets a task, which goes to the bounded list of completed ones. */
export function endTask(context: MasterContext, framework: Framework, task: Task, state: TaskState): void {
  setState(context, task, state, undefined);
  framework.tasks.delete(task.taskId);
  const agent = context.state.agents.get(task.agentId);
  agent?.tasks.delete(taskKey(framework.id, task.taskId));
  agent?.kills.delete(task.taskId);
  framework.completed.push(task);
  if (framework.completed.length > maxCompletedTasks) framework.completed.shift();
}

/** What a task holds, as something that can be given back. */
export function allocationOf(task: Task): Allocation {
  const { frameworkId, role, agentId, resources } = task;
  return { frameworkId, role, agentId, resources };
}

/** Without message, data and uuid, which the master does not keep; one status for each state. */
function remember(task: Task, { data: _data, message: _message, ...kept }: TaskStatus): void {
  if (task.statuses.at(-1)?.state === kept.state) task.statuses.pop();
  task.statuses.push(kept);
}

function setState(
  context: MasterContext,
  task: Task,
  state: TaskState,
  status: TaskStatus | undefined,
): void {
  if (isTerminal(task.state)) return;
  task.state = state;
  if (!isTerminal(state)) return;
  context.allocator.recover(allocationOf(task));
  const short = state.toLowerCase().replace('task_', '');
  count(context.state.counters, `tasks_${short}`);
  const framework = context.state.frameworks.get(task.frameworkId);
  if (framework !== undefined) count(framework.counters, `tasks/terminal/task_${short}`);
  if (status?.reason === undefined || status.source === undefined) return;
  const source = status.source.toLowerCase();
  count(context.state.counters, `task_${short}/${source}/${status.reason.toLowerCase()}`);
}
