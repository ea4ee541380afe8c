import type { FrameworkInfo, SchedulerCallSubscribe } from '../../../../proto/mesos.gen.ts';
import { frameworkIdAt } from './ids.ts';
import { checkFramework } from './framework-check.ts';
import { discardFrameworkOffers } from './master-offers.ts';
import { endTask, executorAllocation } from './master-tasks.ts';
import {
  archive,
  count,
  maxCompletedFrameworks,
  tell,
  type EventStream,
  type Framework,
  type MasterContext,
} from './master-state.ts';
import { isTerminal, rolesOf } from './task-states.ts';
import { version } from './version.ts';

const longestTimerMs = 2 ** 31 - 1;

/** SUBSCRIBE: the stream is already open; a refusal is an ERROR event on it and its end. */
export function subscribe(
  context: MasterContext,
  request: SchedulerCallSubscribe,
  stream: EventStream,
): void {
  const { framework_info: info, suppressed_roles: suppressed = [] } = request;
  const known = info.id === undefined ? undefined : context.state.frameworks.get(info.id.value);
  const problem = checkFramework(info, suppressed, known?.info) ?? checkCompleted(context, info);
  if (problem !== undefined) {
    stream.send({ type: 'ERROR', error: { message: problem } });
    stream.end();
    return;
  }
  const framework = known ?? addFramework(context, info);
  if (framework.stream !== undefined) replaceStream(context, framework);
  // An id that another scheduler chose, or one that a new master learns of, counts as seen again.
  if (info.id !== undefined) framework.reregisteredAt = context.clock.now();
  activate(context, framework, keepImmutable(framework.info, info), new Set(suppressed), stream);
  if (known === undefined) return;
  for (const agent of context.state.agents.values()) {
    agent.connection?.send({ kind: 'update-framework', frameworkId: framework.id });
  }
}

/** The stream broke: offers are taken back and the failover timer runs. */
export function disconnect(context: MasterContext, stream: EventStream): void {
  const framework = [...context.state.frameworks.values()].find((one) => one.stream === stream);
  if (framework === undefined) return;
  framework.stream = undefined;
  context.allocator.deactivate(framework.id);
  discardFrameworkOffers(context, framework);
  const timeoutMs = Math.min((framework.info.failover_timeout ?? 0) * 1000, longestTimerMs);
  framework.cancelFailover = context.clock.after(timeoutMs, () => {
    context.log.info('the scheduler did not come back in time', { framework: framework.id });
    removeFramework(context, framework);
  });
}

/** TEARDOWN and the end of the failover timeout: executors are shut down and the id is used up. */
export function removeFramework(context: MasterContext, framework: Framework): void {
  framework.cancelFailover?.();
  framework.stream?.end();
  framework.stream = undefined;
  discardFrameworkOffers(context, framework);
  for (const agent of context.state.agents.values()) {
    const executors = agent.executors.get(framework.id);
    agent.connection?.send({ kind: 'shutdown-framework', frameworkId: framework.id });
    for (const info of executors?.values() ?? []) {
      context.allocator.recover(executorAllocation(framework.id, agent.id, info));
    }
    agent.executors.delete(framework.id);
  }
  for (const task of framework.tasks.values()) {
    endTask(context, framework, task, isTerminal(task.state) ? task.state : 'TASK_KILLED');
  }
  context.allocator.removeFramework(framework.id);
  framework.unregisteredAt = context.clock.now();
  context.state.frameworks.delete(framework.id);
  archive(context.state.completedFrameworks, framework.id, framework, maxCompletedFrameworks);
}

/** Adds a framework that is only known from an agent; it is not connected and no timer runs for it. */
export function recoverFramework(context: MasterContext, info: FrameworkInfo): Framework {
  const framework = addFramework(context, info);
  framework.recovered = true;
  return framework;
}

function addFramework(context: MasterContext, info: FrameworkInfo): Framework {
  const id = info.id?.value ?? frameworkIdAt(context.identity.id, context.state.nextFramework++);
  const framework: Framework = {
    id,
    info: { ...info, id: { value: id } },
    stream: undefined,
    recovered: false,
    registeredAt: context.clock.now(),
    reregisteredAt: undefined,
    unregisteredAt: undefined,
    tasks: new Map(),
    completed: [],
    unreachable: new Map(),
    offers: new Set(),
    counters: new Map(),
    cancelFailover: undefined,
  };
  context.state.frameworks.set(id, framework);
  return framework;
}

function replaceStream(context: MasterContext, framework: Framework): void {
  tell(framework, { type: 'ERROR', error: { message: 'Framework failed over' } });
  framework.stream?.end();
  discardFrameworkOffers(context, framework);
}

function activate(
  context: MasterContext,
  framework: Framework,
  info: FrameworkInfo,
  suppressed: ReadonlySet<string>,
  stream: EventStream,
): void {
  // Only a framework that the master missed is given offers at once; a quick change of streams keeps its filters.
  const wasAway = framework.stream === undefined;
  framework.cancelFailover?.();
  framework.cancelFailover = undefined;
  framework.info = info;
  framework.stream = stream;
  framework.recovered = false;
  context.allocator.setRoles(framework.id, rolesOf(info), suppressed);
  tell(framework, {
    type: 'SUBSCRIBED',
    subscribed: {
      framework_id: { value: framework.id },
      heartbeat_interval_seconds: context.timings.heartbeatIntervalMs / 1000,
      master_info: masterInfo(context),
    },
  });
  tell(framework, { type: 'HEARTBEAT' });
  count(framework.counters, 'calls');
  count(framework.counters, 'calls/subscribe');
  if (wasAway) context.requestAllocation();
}

/** The master as schedulers and the web see it. */
export function masterInfo(context: MasterContext) {
  const { id, host, port } = context.identity;
  const ip = host.split('.').reduceRight((sum, octet) => sum * 256 + Number(octet), 0);
  return {
    id,
    ip,
    port,
    pid: `master@${host}:${port}`,
    hostname: host,
    version: version.version,
    address: { hostname: host, ip: host, port },
    capabilities: [
      { type: 'AGENT_UPDATE' as const },
      { type: 'AGENT_DRAINING' as const },
      { type: 'QUOTA_V2' as const },
    ],
  };
}

/** `user` and `checkpoint` stay as they were first given; a new value is ignored without a word. */
function keepImmutable(old: FrameworkInfo, info: FrameworkInfo): FrameworkInfo {
  const kept = { ...info, id: old.id, user: old.user };
  return old.checkpoint === undefined ? kept : { ...kept, checkpoint: old.checkpoint };
}

function checkCompleted(context: MasterContext, info: FrameworkInfo): string | undefined {
  const completed = info.id !== undefined && context.state.completedFrameworks.has(info.id.value);
  return completed ? 'Framework has been removed' : undefined;
}
