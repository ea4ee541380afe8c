import { rescindAgentOffers } from './master-offers.ts';
import {
  archive,
  count,
  maxUnreachableTasks,
  tell,
  type Agent,
  type MasterContext,
  type Task,
} from './master-state.ts';
import { tellStatus } from './master-status.ts';
import { allocationOf, endTask, executorAllocation } from './master-tasks.ts';
import { isTerminal } from './task-states.ts';

const maxUnreachableAgents = 1000;

/** Pings an agent from now on; one that misses too many in a row is unreachable. */
export function watch(context: MasterContext, agent: Agent): void {
  agent.answered = false;
  agent.connection?.send({ kind: 'ping' });
  agent.cancelPing = context.clock.after(context.timings.pingTimeoutMs, () => {
    agent.missedPings = agent.answered ? 0 : agent.missedPings + 1;
    if (agent.missedPings >= context.timings.maxPings) {
      markUnreachable(context, agent, 'health check timed out');
    } else {
      watch(context, agent);
    }
  });
}

/** Gives an agent up: its tasks become TASK_UNREACHABLE and every framework is told of the failure. */
export function markUnreachable(context: MasterContext, agent: Agent, message: string): void {
  const sinceMs = context.clock.now();
  const { state, allocator } = context;
  agent.cancelPing?.();
  count(state.counters, 'slave_unreachable_scheduled');
  count(state.counters, 'slave_unreachable_completed');
  count(state.counters, 'slave_removals');
  count(state.counters, 'slave_removals/reason_unhealthy');
  archive(state.unreachableAgents, agent.id, { info: agent.info, sinceMs }, maxUnreachableAgents);
  state.agents.delete(agent.id);
  for (const task of agent.tasks.values()) loseTask(context, task, message, sinceMs);
  rescindAgentOffers(context, agent);
  for (const [frameworkId, executors] of agent.executors) {
    for (const info of executors.values()) allocator.recover(executorAllocation(frameworkId, agent.id, info));
  }
  allocator.removeAgent(agent.id);
  for (const framework of state.frameworks.values()) {
    tell(framework, { type: 'FAILURE', failure: { agent_id: { value: agent.id } } });
  }
  agent.connection?.close();
  agent.connection = undefined;
}

function loseTask(context: MasterContext, task: Task, message: string, sinceMs: number): void {
  const framework = context.state.frameworks.get(task.frameworkId);
  if (framework === undefined) return;
  if (isTerminal(task.state)) {
    endTask(context, framework, task, task.state);
    return;
  }
  tellStatus(context, framework, {
    taskId: task.taskId,
    state: 'TASK_UNREACHABLE',
    reason: 'REASON_AGENT_REMOVED',
    message,
    unreachableSinceMs: sinceMs,
    // Health and container belong to a running task; only the executor is named.
    task: { ...task, statuses: [] },
  });
  task.state = 'TASK_UNREACHABLE';
  context.allocator.recover(allocationOf(task));
  framework.tasks.delete(task.taskId);
  archive(framework.unreachable, task.taskId, task, maxUnreachableTasks);
}
