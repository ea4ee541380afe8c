import type { AgentInfo } from '../../../../proto/mesos.gen.ts';
import type { Allocation } from './allocator.ts';
import { addBundles, bundleOf, emptyBundle, type Bundle } from './bundle.ts';
import { agentIdAt } from './ids.ts';
import { rescindAgentOffers } from './master-offers.ts';
import { adoptReport, missingTasks, removeLostExecutors } from './master-reregistration.ts';
import { watch } from './master-pings.ts';
import { count, executorsOf, tell, type Agent, type MasterContext } from './master-state.ts';
import { allocationOf, executorAllocation, handleUpdate } from './master-tasks.ts';
import { isTerminal } from './task-states.ts';
import type { Connection, Endpoint, ToAgent, ToMaster } from './messages.ts';

type Reregister = Extract<ToMaster, { kind: 'reregister' }>;

/** A message from an agent. Those of agents that are not registered (any more) are dropped. */
export function receive(context: MasterContext, connection: Connection<ToAgent>, message: ToMaster): void {
  if (message.kind === 'register') return register(context, connection, message.info, message.endpoint);
  if (message.kind === 'reregister') return reregister(context, connection, message);
  const agent = agentOf(context, connection);
  if (agent === undefined) return;
  switch (message.kind) {
    case 'status-update':
      handleUpdate(context, agent, message.frameworkId, message.status, message.latestState);
      return;
    case 'executor-message':
      return forwardMessage(context, agent, message);
    case 'executor-exited':
      return removeExecutor(context, agent, message);
    case 'pong':
      agent.answered = true;
  }
}

/** The connection to an agent broke: its offers are taken back, its tasks may go on. */
export function disconnectAgent(context: MasterContext, connection: Connection<ToAgent>): void {
  const agent = agentOf(context, connection);
  if (agent === undefined) return;
  agent.connection = undefined;
  context.allocator.setAgentActive(agent.id, false);
  rescindAgentOffers(context, agent);
}

function register(
  context: MasterContext,
  connection: Connection<ToAgent>,
  info: AgentInfo,
  endpoint: Endpoint,
): void {
  const id = agentIdAt(context.identity.id, context.state.nextAgent++);
  addAgent(context, { ...info, id: { value: id } }, endpoint, connection, context.clock.now());
  count(context.state.counters, 'slave_registrations');
  count(context.state.counters, 'messages_register_slave');
  connection.send({ kind: 'registered', agentId: id });
  context.requestAllocation();
}

function reregister(context: MasterContext, connection: Connection<ToAgent>, message: Reregister): void {
  count(context.state.counters, 'slave_reregistrations');
  count(context.state.counters, 'messages_reregister_slave');
  const known = context.state.agents.get(message.agentId);
  if (known === undefined) adopt(context, connection, message);
  else resume(context, known, connection, message);
  context.requestAllocation();
}

/** The master knows the agent: it was away for a moment or restarted. */
function resume(
  context: MasterContext,
  agent: Agent,
  connection: Connection<ToAgent>,
  message: Reregister,
): void {
  if (agent.connection !== connection) agent.connection?.close();
  rescindAgentOffers(context, agent);
  agent.connection = connection;
  context.state.connections.set(connection, agent);
  agent.info = message.info;
  agent.endpoint = message.endpoint;
  agent.reregisteredAt = context.clock.now();
  agent.missedPings = 0;
  agent.answered = true;
  removeLostExecutors(context, agent, message.executors);
  connection.send({ kind: 'reregistered', missing: missingTasks(agent, message.tasks) });
  for (const [taskId, frameworkId] of agent.kills) {
    connection.send({ kind: 'kill-task', frameworkId, taskId, policy: undefined });
  }
  for (const { id } of message.frameworks) {
    if (id === undefined || context.state.frameworks.has(id.value)) continue;
    connection.send({ kind: 'shutdown-framework', frameworkId: id.value });
  }
  context.allocator.setAgentActive(agent.id, true);
}

/** The master had declared the agent unreachable, or is a new one. */
function adopt(context: MasterContext, connection: Connection<ToAgent>, message: Reregister): void {
  const wasUnreachable = context.state.unreachableAgents.delete(message.agentId);
  const phrase = wasUnreachable ? 'Unreachable agent re-reregistered' : 'Unknown agent reregistered';
  const now = context.clock.now();
  const agent = addAgent(context, message.info, message.endpoint, connection, now);
  agent.reregisteredAt = now;
  connection.send({ kind: 'reregistered', missing: [] });
  adoptReport(context, agent, connection, message, phrase);
}

function addAgent(
  context: MasterContext,
  info: AgentInfo,
  endpoint: Endpoint,
  connection: Connection<ToAgent>,
  now: number,
): Agent {
  const agent: Agent = {
    id: info.id!.value,
    info,
    endpoint,
    connection,
    total: bundleOf(info.resources),
    registeredAt: now,
    reregisteredAt: undefined,
    executors: new Map(),
    tasks: new Map(),
    offers: new Set(),
    kills: new Map(),
    missedPings: 0,
    answered: true,
    cancelPing: undefined,
  };
  context.state.agents.set(agent.id, agent);
  context.state.connections.set(connection, agent);
  context.allocator.addAgent(agent.id, agent.total);
  watch(context, agent);
  return agent;
}

function removeExecutor(
  context: MasterContext,
  agent: Agent,
  { frameworkId, executorId, status }: Extract<ToMaster, { kind: 'executor-exited' }>,
): void {
  count(context.state.counters, 'messages_exited_executor');
  const info = executorsOf(agent, frameworkId).get(executorId);
  if (info === undefined) return;
  agent.executors.get(frameworkId)?.delete(executorId);
  context.allocator.recover(executorAllocation(frameworkId, agent.id, info));
  const framework = context.state.frameworks.get(frameworkId);
  if (framework === undefined) return;
  tell(framework, {
    type: 'FAILURE',
    failure: { agent_id: { value: agent.id }, executor_id: { value: executorId }, status },
  });
}

function forwardMessage(
  context: MasterContext,
  agent: Agent,
  { frameworkId, executorId, data }: Extract<ToMaster, { kind: 'executor-message' }>,
): void {
  const { counters } = context.state;
  count(counters, 'messages_executor_to_framework');
  const framework = context.state.frameworks.get(frameworkId);
  count(counters, `${framework === undefined ? 'in' : ''}valid_executor_to_framework_messages`);
  if (framework === undefined) return;
  tell(framework, {
    type: 'MESSAGE',
    message: { agent_id: { value: agent.id }, executor_id: { value: executorId }, data },
  });
}

function agentOf(context: MasterContext, connection: Connection<ToAgent>): Agent | undefined {
  const agent = context.state.connections.get(connection);
  return agent?.connection === connection ? agent : undefined;
}

/** What each task and executor holds on an agent. */
export function holdingsOn(agent: Agent): Allocation[] {
  const tasks = [...agent.tasks.values()].filter(({ state }) => !isTerminal(state)).map(allocationOf);
  const executors = [...agent.executors].flatMap(([frameworkId, infos]) =>
    [...infos.values()].map((info) => executorAllocation(frameworkId, agent.id, info)),
  );
  return [...tasks, ...executors];
}

/** The same in one sum. */
export function usedOn(agent: Agent): Bundle {
  return holdingsOn(agent).reduce((sum, { resources }) => addBundles(sum, resources), emptyBundle);
}
