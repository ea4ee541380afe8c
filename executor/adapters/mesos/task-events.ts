import { taskId } from '../../../src/model/ids.ts';
import type { AgentEvent } from '../../../src/mesos/events.ts';
import type { Logger } from '../../../src/runtime/logger.ts';
import { readLeaderMessage } from '../../core/tasks/messages.ts';
import type { Tasks } from '../../serve.ts';
import type { TaskReporter } from '../../tasks/task-reporter.ts';

/** The events that are about tasks. */
export type TaskEventOfAgent = Extract<
  AgentEvent,
  { readonly type: 'LAUNCH' | 'LAUNCH_GROUP' | 'KILL' | 'MESSAGE' }
>;

export interface TaskEventTargets {
  readonly tasks: Tasks;
  readonly reporter: TaskReporter;
  readonly log: Logger;
}

/** Carries out what the agent says of tasks. */
export function handleTaskEvent(event: TaskEventOfAgent, targets: TaskEventTargets): void {
  const { tasks } = targets;
  switch (event.type) {
    case 'LAUNCH':
      return tasks.launch(event.launch.task);
    case 'LAUNCH_GROUP':
      return refuseGroup(
        event.launch_group.task_group.tasks?.map(({ task_id }) => task_id.value) ?? [],
        targets,
      );
    case 'KILL':
      return tasks.kill(event.kill.task_id.value, event.kill.kill_policy);
    case 'MESSAGE':
      return handleMessage(event.message.data, targets);
  }
}

function handleMessage(data: Uint8Array, { log, tasks }: TaskEventTargets): void {
  const leader = readLeaderMessage(data);
  if (leader === undefined) return log.warn('a framework message is not understood', { bytes: data.length });
  tasks.setLeader(leader.url, leader.term);
}

/** The scheduler never launches groups; whoever did is told. */
function refuseGroup(ids: readonly string[], { reporter }: TaskEventTargets): void {
  for (const id of ids) {
    const message = 'this executor runs single tasks only';
    reporter.report(taskId(id), { state: 'TASK_FAILED', message, reason: 'REASON_TASK_GROUP_INVALID' });
    reporter.forget(taskId(id));
  }
}
