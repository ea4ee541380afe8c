import type { CommandInfo, ExecutorInfo, Resource, TaskInfo } from '../../../../proto/mesos.gen.ts';
import {
  addBundles,
  bundleOf,
  containsBundle,
  describeResources,
  resourcesOf,
  type Bundle,
} from './bundle.ts';
import { describeDifference, sameExecutor } from './executor-equality.ts';

/** What a launch is held against. */
export interface LaunchSite {
  readonly frameworkId: string;
  readonly agentId: string;
  readonly role: string;
  /** What is left of the offers. */
  readonly available: Bundle;
  /** The executor of the same id that the master knows on this agent. */
  readonly executor: ExecutorInfo | undefined;
  /** Whether the framework has a task of this id, running, unacknowledged or unreachable. */
  readonly isKnown: (taskId: string) => boolean;
}

/** Why a task may not be launched, in Mesos's words; undefined when it may. */
export function checkTask(task: TaskInfo, site: LaunchSite): string | undefined {
  return (
    checkId(task.task_id.value) ??
    (site.isKnown(task.task_id.value) ? `Task has duplicate ID: ${task.task_id.value}` : undefined) ??
    checkAgent(task, site) ??
    checkExecutor(task, site) ??
    checkResources(task.resources ?? [], 'Task') ??
    checkFit(task, site)
  );
}

function checkId(id: string): string | undefined {
  if (id === '') return 'ID must not be empty';
  if (id.length > 255) return 'ID must not be greater than 255 characters';
  if (id === '.' || id === '..') return `'${id}' is disallowed`;
  return /[\p{Cc}/\\]/u.test(id) ? `'${id}' contains invalid characters` : undefined;
}

function checkAgent(task: TaskInfo, site: LaunchSite): string | undefined {
  if (task.agent_id.value === site.agentId) return undefined;
  return `Task uses invalid agent ${task.agent_id.value} while agent ${site.agentId} is expected`;
}

function checkExecutor(task: TaskInfo, site: LaunchSite): string | undefined {
  const { executor, command } = task;
  if ((executor === undefined) === (command === undefined)) {
    return 'Task should have at least one (but not both) of CommandInfo or ExecutorInfo present';
  }
  if (executor === undefined) return 'Tasks without an executor of their own are not supported here';
  if (executor.type !== undefined && executor.type !== 'CUSTOM') {
    return `'ExecutorInfo.type' must be 'CUSTOM', not '${executor.type}'`;
  }
  if (executor.command === undefined) return "'ExecutorInfo.command' must be set for 'CUSTOM' executor";
  if (executor.framework_id !== undefined && executor.framework_id.value !== site.frameworkId) {
    return `ExecutorInfo has an invalid FrameworkID (Actual: ${executor.framework_id.value} vs Expected: ${site.frameworkId})`;
  }
  return (
    checkId(executor.executor_id.value) ??
    checkCommand(executor.command) ??
    checkResources(executor.resources ?? [], 'Executor') ??
    (site.executor !== undefined && !sameExecutor(site.executor, executor)
      ? describeDifference(site.executor, executor)
      : undefined)
  );
}

function checkCommand(command: CommandInfo): string | undefined {
  for (const { name, type = 'VALUE', value } of command.environment?.variables ?? []) {
    if (type === 'VALUE' && value === undefined) {
      return `Environment variable '${name}' of type 'VALUE' must have a value set`;
    }
  }
  return undefined;
}

function checkResources(resources: readonly Resource[], owner: string): string | undefined {
  if (owner === 'Task' && resources.length === 0) return 'Task uses no resources';
  for (const resource of resources) {
    const { name, type, scalar, ranges } = resource;
    if (type === 'SCALAR' && scalar === undefined) return `Invalid scalar resource: ${name}`;
    if (type === 'SCALAR' && Math.round((scalar?.value ?? 0) * 1000) <= 0) {
      return `${owner} uses invalid resources: Invalid scalar resource: value <= 0`;
    }
    if (type === 'RANGES' && (ranges?.range ?? []).some(({ begin, end }) => begin > end)) {
      return `${owner} uses invalid resources: Invalid ranges resource: begin > end`;
    }
    if (name === 'gpus' && !Number.isInteger(scalar?.value)) return 'GPU resources must be an integer';
  }
  const roles = new Set(resources.map(({ allocation_info: allocation }) => allocation?.role));
  return roles.size > 1 ? `${owner} uses resources allocated to more than one role` : undefined;
}

function checkFit(task: TaskInfo, site: LaunchSite): string | undefined {
  const own = bundleOf(task.resources);
  const extra = site.executor === undefined ? bundleOf(task.executor?.resources) : undefined;
  const total = extra === undefined ? own : addBundles(own, extra);
  const asked = [...(task.resources ?? []), ...(task.executor?.resources ?? [])];
  // Also of an executor that runs already: one task cannot be of two roles.
  const stray = asked.find(({ allocation_info: allocation }) => allocation?.role !== site.role);
  if (stray === undefined && containsBundle(site.available, total)) return undefined;
  const identity = { allocation_info: { role: site.role } };
  const wanted = describeResources(stray === undefined ? resourcesOf(total, identity) : asked);
  const offered = describeResources(resourcesOf(site.available, identity));
  return `Total resources ${wanted} required by task and its executor is more than available ${offered}`;
}
