import type { Bundle } from './bundle.ts';
import { addBundles, emptyBundle } from './bundle.ts';
import { usedOn } from './master-agents.ts';
import type { Framework, MasterContext } from './master-state.ts';
import { offeredOn } from './master-pages.ts';
import { rolesOf } from './task-states.ts';

const scalars = ['cpus', 'mem', 'disk', 'gpus'] as const;
const activeStates = ['staging', 'starting', 'running', 'killing', 'unreachable'] as const;
const endStates = [
  'finished',
  'failed',
  'killed',
  'lost',
  'error',
  'dropped',
  'gone',
  'gone_by_operator',
] as const;
const masterCounters = [
  'messages_register_slave',
  'messages_reregister_slave',
  'messages_register_framework',
  'messages_reregister_framework',
  'messages_launch_tasks',
  'messages_decline_offers',
  'messages_revive_offers',
  'messages_suppress_offers',
  'messages_kill_task',
  'messages_reconcile_tasks',
  'messages_status_update',
  'messages_status_update_acknowledgement',
  'messages_framework_to_executor',
  'messages_executor_to_framework',
  'messages_exited_executor',
  'valid_status_updates',
  'invalid_status_updates',
  'valid_status_update_acknowledgements',
  'invalid_status_update_acknowledgements',
  'valid_framework_to_executor_messages',
  'invalid_framework_to_executor_messages',
  'valid_executor_to_framework_messages',
  'invalid_executor_to_framework_messages',
  'slave_registrations',
  'slave_reregistrations',
  'slave_removals',
  'slave_removals/reason_unhealthy',
  'slave_removals/reason_unregistered',
  'slave_removals/reason_registered',
  'slave_unreachable_scheduled',
  'slave_unreachable_completed',
  'slave_unreachable_canceled',
  'dropped_messages',
] as const;
const callTypes =
  'accept acknowledge decline kill message reconcile request revive shutdown subscribe suppress teardown update_framework'.split(
    ' ',
  );
const eventTypes = 'error failure heartbeat message offers rescind subscribed update'.split(' ');

/** `GET /metrics/snapshot`: the names that tools read; every value is a number. */
export function metricsPage(context: MasterContext): Record<string, number> {
  return {
    ...allocatorMetrics(context),
    ...clusterMetrics(context),
    ...taskMetrics(context),
    ...counterMetrics(context),
    ...Object.assign(
      {},
      ...[...context.state.frameworks.values()].map((one) => frameworkMetrics(context, one)),
    ),
  };
}

function allocatorMetrics(context: MasterContext): Record<string, number> {
  const { allocator, clock, state } = context;
  const agents = [...state.agents.values()];
  const total = sum(agents.map((agent) => agent.total));
  const held = addBundles(sum(agents.map(usedOn)), offeredOn(context, state.offers.keys()));
  const metrics: Record<string, number> = {
    'allocator/mesos/allocation_runs': state.counters.get('allocation_runs') ?? 0,
    'allocator/mesos/event_queue_dispatches': 0,
    'allocator/event_queue_dispatches': 0,
  };
  for (const name of ['cpus', 'mem', 'disk']) {
    metrics[`allocator/mesos/resources/${name}/total`] = amount(total, name);
    metrics[`allocator/mesos/resources/${name}/offered_or_allocated`] = amount(held, name);
  }
  for (const role of new Set([...state.frameworks.values()].flatMap(({ info }) => rolesOf(info)))) {
    metrics[`allocator/mesos/offer_filters/roles/${role}/active`] = allocator.activeFilters(
      role,
      clock.now(),
    );
    metrics[`allocator/mesos/roles/${role}/shares/dominant`] = allocator.shareOfRole(role);
  }
  return metrics;
}

function clusterMetrics(context: MasterContext): Record<string, number> {
  const { state, clock, startedAt } = context;
  const agents = [...state.agents.values()];
  const connected = agents.filter((agent) => agent.connection !== undefined).length;
  const frameworks = [...state.frameworks.values()];
  const subscribed = frameworks.filter(({ stream }) => stream !== undefined).length;
  const metrics: Record<string, number> = {
    'master/elected': 1,
    'master/uptime_secs': (clock.now() - startedAt) / 1000,
    'master/slaves_active': connected,
    'master/slaves_connected': connected,
    'master/slaves_inactive': agents.length - connected,
    'master/slaves_disconnected': agents.length - connected,
    'master/slaves_unreachable': state.unreachableAgents.size,
    'master/frameworks_active': subscribed,
    'master/frameworks_connected': subscribed,
    'master/frameworks_inactive': frameworks.length - subscribed,
    'master/frameworks_disconnected': frameworks.length - subscribed,
    'master/outstanding_offers': state.offers.size,
  };
  const total = sum(agents.map((agent) => agent.total));
  const used = sum(agents.map(usedOn));
  for (const name of scalars) {
    const [all, some] = [amount(total, name), amount(used, name)];
    metrics[`master/${name}_total`] = all;
    metrics[`master/${name}_used`] = some;
    metrics[`master/${name}_percent`] = all === 0 ? 0 : some / all;
  }
  return metrics;
}

function taskMetrics({ state }: MasterContext): Record<string, number> {
  const tasks = [...state.frameworks.values()].flatMap((framework) => [
    ...framework.tasks.values(),
    ...framework.unreachable.values(),
  ]);
  const metrics: Record<string, number> = {};
  for (const name of activeStates) {
    metrics[`master/tasks_${name}`] = tasks.filter(
      (task) => task.state === `TASK_${name.toUpperCase()}`,
    ).length;
  }
  for (const name of endStates) metrics[`master/tasks_${name}`] = state.counters.get(`tasks_${name}`) ?? 0;
  return metrics;
}

function counterMetrics({ state }: MasterContext): Record<string, number> {
  const metrics: Record<string, number> = {};
  for (const name of masterCounters) metrics[`master/${name}`] = state.counters.get(name) ?? 0;
  for (const [name, value] of state.counters) if (name.startsWith('task_')) metrics[`master/${name}`] = value;
  return metrics;
}

function frameworkMetrics(context: MasterContext, framework: Framework): Record<string, number> {
  const { id, info, counters, stream, tasks } = framework;
  const names = [
    'calls',
    ...callTypes.map((type) => `calls/${type}`),
    'events',
    ...eventTypes.map((type) => `events/${type}`),
    ...['sent', 'accepted', 'declined', 'rescinded'].map((name) => `offers/${name}`),
    'operations',
    'operations/launch',
    ...endStates.map((name) => `tasks/terminal/task_${name}`),
  ];
  const entries = names.map((name): [string, number] => [name, counters.get(name) ?? 0]);
  entries.push(['subscribed', stream === undefined ? 0 : 1]);
  for (const name of activeStates) {
    const state = `TASK_${name.toUpperCase()}`;
    const count = [...tasks.values()].filter((task) => task.state === state).length;
    entries.push([`tasks/active/task_${name}`, count]);
  }
  for (const role of rolesOf(info)) {
    entries.push([`roles/${role}/suppressed`, context.allocator.isSuppressed(id, role) ? 1 : 0]);
  }
  const prefix = `master/frameworks/${encodeURIComponent(info.name)}/${id}`;
  return Object.fromEntries(entries.map(([name, value]) => [`${prefix}/${name}`, value]));
}

const amount = (bundle: Bundle, name: string): number => (bundle.scalars.get(name) ?? 0) / 1000;
const sum = (bundles: readonly Bundle[]): Bundle => bundles.reduce(addBundles, emptyBundle);
