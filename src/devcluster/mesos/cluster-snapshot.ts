import { agentId } from '../../model/ids.ts';
import type { AgentHost } from './agents/agent-host.ts';
import type { Executor } from './core/agent-state.ts';
import { executorsIn } from './core/agent-state.ts';
import type { Framework } from './core/master-state.ts';
import { isTerminal } from './core/task-states.ts';
import type { MasterGroup } from './masters/master-group.ts';
import type { AgentSnapshot, ClusterSnapshot, ExecutorSnapshot, FrameworkSnapshot } from './snapshot.ts';

/** The cluster as it is now. */
export function snapshotOf(masters: MasterGroup, hosts: Iterable<AgentHost>): ClusterSnapshot {
  const { master } = masters;
  return {
    masters: masters.urls.map((url) => ({ url, leader: master !== undefined && url === masters.url })),
    agents: [...hosts].map((host) => agentSnapshot(masters, host)),
    frameworks: [...(master?.context.state.frameworks.values() ?? [])].map(frameworkSnapshot),
  };
}

function agentSnapshot(masters: MasterGroup, host: AgentHost): AgentSnapshot {
  const id = host.disk.agentId ?? '';
  return {
    agentId: agentId(id),
    hostname: host.options.hostname,
    endpoint: `${host.endpoint.host}:${host.endpoint.port}`,
    process: processState(host),
    link: host.isCut ? 'cut' : 'up',
    registration: registration(masters, id),
    executors: executorsIn(host.disk)
      .filter((executor) => executor.state !== 'terminated')
      .map(executorSnapshot),
  };
}

function processState({ agent }: AgentHost): AgentSnapshot['process'] {
  if (agent === undefined) return 'down';
  return agent.isRecovering ? 'recovering' : 'up';
}

function registration({ master }: MasterGroup, id: string): AgentSnapshot['registration'] {
  const state = master?.context.state;
  const agent = state?.agents.get(id);
  if (agent !== undefined) return agent.connection === undefined ? 'disconnected' : 'active';
  return state?.unreachableAgents.has(id) === true ? 'unreachable' : 'unknown';
}

function executorSnapshot(executor: Executor): ExecutorSnapshot {
  const { frameworkId, info, containerId, state, pid, directory, queued, launched } = executor;
  const live = [...launched].filter(([, task]) => !isTerminal(task.state));
  return {
    frameworkId,
    executorId: info.executor_id.value,
    containerId,
    state,
    pid,
    directory,
    tasks: [
      ...[...queued.keys()].map((taskId) => ({ taskId, state: 'TASK_STAGING' })),
      ...live.map(([taskId, task]) => ({ taskId, state: task.state })),
    ],
  };
}

function frameworkSnapshot({ id, info, stream, tasks }: Framework): FrameworkSnapshot {
  return {
    frameworkId: id,
    name: info.name,
    connected: stream !== undefined,
    tasks: [...tasks.values()].map(({ taskId, state }) => ({ taskId, state })),
  };
}
