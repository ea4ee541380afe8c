import { executorsIn, type AgentContext, type Executor } from './agent-state.ts';
import type { TaskReport, ToMaster } from './messages.ts';

/** What an agent tells a master when it registers again: everything that it has. */
export function reregistration(context: AgentContext, agentId: string): ToMaster {
  const { state, info, endpoint } = context;
  const executors = executorsIn(state);
  return {
    kind: 'reregister',
    agentId,
    info: { ...info, id: { value: agentId } },
    endpoint,
    frameworks: [...state.frameworks.values()].map((framework) => framework.info),
    executors: executors
      .filter((executor) => executor.state !== 'terminated')
      .map((executor) => ({ frameworkId: executor.frameworkId, info: executor.info })),
    tasks: executors.flatMap((executor) => reports(context, executor)),
  };
}

function reports(context: AgentContext, executor: Executor): TaskReport[] {
  const { frameworkId } = executor;
  const executorId = executor.info.executor_id.value;
  const queued = [...executor.queued.values()].map((info): TaskReport => ({
    frameworkId,
    executorId,
    info,
    state: 'TASK_STAGING',
    unacknowledged: undefined,
    status: undefined,
  }));
  const launched = [...executor.launched.values()].map(({ info, state, status }): TaskReport => {
    const head = context.updates.head(frameworkId, info.task_id.value);
    const unacknowledged = head?.uuid && { state: head.state, uuid: head.uuid };
    return { frameworkId, executorId, info, state, unacknowledged, status };
  });
  return [...queued, ...launched];
}
