import type {
  CommandInfo,
  ExecutorInfo,
  Filters,
  OfferOperation,
  SchedulerCallAccept,
  TaskInfo,
} from '../../../../proto/mesos.gen.ts';
import { addBundles, bundleOf, emptyBundle, subtractBundles, type Bundle } from './bundle.ts';
import { forgetOffer, refusedUntil, removeOffer } from './master-offers.ts';
import {
  count,
  executorsOf,
  type Agent,
  type Framework,
  type MasterContext,
  type Offer,
} from './master-state.ts';
import { tellStatus } from './master-status.ts';
import { addTask } from './master-tasks.ts';
import { withRole } from './messages.ts';
import { checkTask } from './task-check.ts';

/** The offers of one ACCEPT taken together, as far as they are not used up. */
interface Basket {
  readonly agent: Agent;
  readonly role: string;
  available: Bundle;
}

/** ACCEPT: launches what can be launched; what is left of the offers is declined with the call's filters. */
export function accept(context: MasterContext, framework: Framework, call: SchedulerCallAccept): void {
  const ids = (call.offer_ids ?? []).map(({ value }) => value);
  const tasks = (call.operations ?? []).flatMap((operation) => operation.launch?.task_infos ?? []);
  const offers = findOffers(context, framework, ids);
  if (typeof offers === 'string') {
    dropAll(context, framework, ids, tasks, offers);
    return;
  }
  const first = offers[0]!;
  const agent = context.state.agents.get(first.agentId)!;
  const basket: Basket = { agent, role: first.role, available: emptyBundle };
  for (const offer of offers) {
    basket.available = addBundles(basket.available, offer.resources);
    forgetOffer(context, offer);
  }
  count(framework.counters, `offers/${tasks.length === 0 ? 'declined' : 'accepted'}`, offers.length);
  for (const operation of call.operations ?? []) perform(context, framework, basket, operation);
  declineRest(context, framework, basket, call.filters);
}

/** The offers, or why they cannot be used together. */
function findOffers(context: MasterContext, framework: Framework, ids: readonly string[]): Offer[] | string {
  if (ids.length === 0) return 'No offers specified';
  const offers: Offer[] = [];
  for (const id of ids) {
    const offer = context.state.offers.get(id);
    if (offers.some((other) => other.id === id)) return `Duplicate offer ${id} in offer list`;
    if (offer === undefined) return `Offer ${id} is no longer valid`;
    if (offer.frameworkId !== framework.id) {
      return `Offer ${id} has invalid framework ${offer.frameworkId} while framework ${framework.id} is expected`;
    }
    const { agentId, role } = offers[0] ?? offer;
    if (offer.agentId !== agentId) {
      return `Aggregated offers must belong to one single agent. Offer ${id} uses agent ${offer.agentId} and agent ${agentId}`;
    }
    if (offer.role !== role) {
      return `Aggregated offers must be allocated to the same role. Offer ${id} uses role ${offer.role} but another is using role ${role}`;
    }
    offers.push(offer);
  }
  return offers;
}

function dropAll(
  context: MasterContext,
  framework: Framework,
  ids: readonly string[],
  tasks: readonly TaskInfo[],
  problem: string,
): void {
  for (const id of ids) {
    const offer = context.state.offers.get(id);
    if (offer?.frameworkId === framework.id) removeOffer(context, offer);
  }
  for (const task of tasks) {
    tellStatus(context, framework, {
      taskId: task.task_id.value,
      agentId: task.agent_id.value,
      state: 'TASK_DROPPED',
      reason: 'REASON_INVALID_OFFERS',
      message: `Task launched with invalid offers: ${problem}`,
    });
  }
}

function perform(
  context: MasterContext,
  framework: Framework,
  basket: Basket,
  operation: OfferOperation,
): void {
  if (operation.type !== 'LAUNCH') {
    context.log.warn('this operation is not supported and was left out', { operation: operation.type });
    return;
  }
  count(framework.counters, 'operations');
  count(framework.counters, 'operations/launch');
  for (const info of operation.launch?.task_infos ?? []) launch(context, framework, basket, info);
}

function launch(context: MasterContext, framework: Framework, basket: Basket, given: TaskInfo): void {
  const { agent, role } = basket;
  const info = complete(given, framework.id, role);
  const executorId = info.executor?.executor_id.value;
  const known = executorId === undefined ? undefined : executorsOf(agent, framework.id).get(executorId);
  const problem = checkTask(info, {
    frameworkId: framework.id,
    agentId: agent.id,
    role,
    available: basket.available,
    executor: known,
    isKnown: (taskId) => framework.tasks.has(taskId) || framework.unreachable.has(taskId),
  });
  if (problem !== undefined || info.executor === undefined) {
    tellStatus(context, framework, {
      taskId: info.task_id.value,
      agentId: info.agent_id.value,
      state: 'TASK_ERROR',
      reason: 'REASON_TASK_INVALID',
      message: problem ?? '',
    });
    return;
  }
  if (known === undefined) addExecutor(framework, basket, info.executor);
  basket.available = subtractBundles(basket.available, bundleOf(info.resources));
  addTask(framework, agent, info, role, 'TASK_STAGING');
  agent.connection?.send({
    kind: 'run-task',
    framework: framework.info,
    executor: info.executor,
    task: info,
    launchExecutor: known === undefined,
  });
}

function addExecutor(framework: Framework, basket: Basket, info: ExecutorInfo): void {
  const { agent } = basket;
  const executors = agent.executors.get(framework.id) ?? new Map<string, ExecutorInfo>();
  executors.set(info.executor_id.value, info);
  agent.executors.set(framework.id, executors);
  basket.available = subtractBundles(basket.available, bundleOf(info.resources));
}

/** The task with what the master adds: the role of the offer, the executor's framework, types of variables. */
function complete(task: TaskInfo, frameworkId: string, role: string): TaskInfo {
  const { executor } = task;
  return {
    ...task,
    resources: withRole(task.resources, role),
    executor: executor && {
      ...executor,
      framework_id: executor.framework_id ?? { value: frameworkId },
      resources: withRole(executor.resources, role),
      command: executor.command && withVariableTypes(executor.command),
    },
  };
}

/** Variables with their type spelled out, as a master passes them on. */
function withVariableTypes(command: CommandInfo): CommandInfo {
  const variables = command.environment?.variables;
  if (variables === undefined) return command;
  return {
    ...command,
    environment: { variables: variables.map((variable) => ({ type: 'VALUE', ...variable })) },
  };
}

function declineRest(
  context: MasterContext,
  framework: Framework,
  { agent, role, available }: Basket,
  filters: Filters | undefined,
): void {
  context.allocator.recover(
    { frameworkId: framework.id, role, agentId: agent.id, resources: available },
    refusedUntil(context, filters ?? 'default'),
  );
}
