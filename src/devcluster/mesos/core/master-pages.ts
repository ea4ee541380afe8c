import type { Offer as OfferMessage, Resource } from '../../../../proto/mesos.gen.ts';
import { addBundles, bundleOf, emptyBundle, resourcesOf, type Bundle } from './bundle.ts';
import { masterInfo } from './master-frameworks.ts';
import { holdingsOn, usedOn } from './master-agents.ts';
import type { Agent, Framework, MasterContext, Offer, Task } from './master-state.ts';
import { executorEntry, taskEntry } from './master-task-pages.ts';
import { summaryOf } from './resource-summary.ts';
import { isTerminal, rolesOf } from './task-states.ts';
import { version } from './version.ts';

const agentCapabilities = [
  'MULTI_ROLE',
  'HIERARCHICAL_ROLE',
  'RESERVATION_REFINEMENT',
  'RESOURCE_PROVIDER',
  'RESIZE_VOLUME',
  'AGENT_OPERATION_FEEDBACK',
  'AGENT_DRAINING',
  'TASK_RESOURCE_LIMITS',
];

/** `GET /state` */
export function statePage(context: MasterContext): object {
  const { state, identity, timings } = context;
  const { capabilities } = masterInfo(context);
  const pid = `master@${identity.host}:${identity.port}`;
  const agents = [...state.agents.values()];
  return {
    ...version,
    start_time: context.startedAt / 1000,
    elected_time: context.startedAt / 1000,
    id: identity.id,
    pid,
    hostname: identity.host,
    capabilities: capabilities.map(({ type }) => type),
    activated_slaves: agents.filter((agent) => agent.connection !== undefined).length,
    deactivated_slaves: agents.filter((agent) => agent.connection === undefined).length,
    unreachable_slaves: state.unreachableAgents.size,
    leader: pid,
    leader_info: { id: identity.id, pid, port: identity.port, hostname: identity.host },
    flags: {
      agent_ping_timeout: `${timings.pingTimeoutMs / 1000}secs`,
      allocation_interval: `${timings.allocationIntervalMs / 1000}secs`,
      max_agent_ping_timeouts: String(timings.maxPings),
      registry: 'in_memory',
    },
    slaves: agents.map((agent) => agentEntry(context, agent)),
    recovered_slaves: [],
    ...frameworksOf(context),
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

/** `GET /slaves`; all of them or the one asked for. */
export function slavesPage(context: MasterContext, id: string | null): object {
  const agents = [...context.state.agents.values()].filter((agent) => id === null || agent.id === id);
  const slaves = agents.map((agent) => ({
    ...agentEntry(context, agent),
    reserved_resources_full: {},
    unreserved_resources_full: (agent.info.resources ?? []).map((resource) => ({ ...resource, role: '*' })),
    used_resources_full: byRole(holdingsOn(agent)),
    offered_resources_full: byRole(offersIn(context, agent.offers)),
  }));
  return { slaves, recovered_slaves: [] };
}

/** `GET /frameworks`; all of them or the one asked for. */
export function frameworksPage(context: MasterContext, id: string | null): object {
  return { ...frameworksOf(context, id), unregistered_frameworks: [] };
}

/** `GET /roles` */
export function rolesPage(context: MasterContext): object {
  const names = new Set([...context.state.frameworks.values()].flatMap(({ info }) => rolesOf(info)));
  const roles = [...names].sort().map((name) => roleEntry(context, name));
  return { roles };
}

function frameworksOf(context: MasterContext, id: string | null = null) {
  const { frameworks, completedFrameworks } = context.state;
  const entries = (all: ReadonlyMap<string, Framework>) =>
    [...all.values()]
      .filter((framework) => id === null || framework.id === id)
      .map((framework) => frameworkEntry(context, framework));
  return { frameworks: entries(frameworks), completed_frameworks: entries(completedFrameworks) };
}

function agentEntry(context: MasterContext, agent: Agent) {
  const { info, total, connection, reregisteredAt } = agent;
  const offered = offeredOn(context, agent.offers);
  const attributes = (info.attributes ?? []).map(({ name, scalar, text }) => [
    name,
    scalar?.value ?? text?.value,
  ]);
  return {
    id: agent.id,
    hostname: info.hostname,
    port: agent.endpoint.port,
    attributes: Object.fromEntries(attributes) as object,
    ...(info.domain === undefined ? {} : { domain: info.domain }),
    pid: `slave(1)@${agent.endpoint.host}:${agent.endpoint.port}`,
    registered_time: agent.registeredAt / 1000,
    ...(reregisteredAt === undefined ? {} : { reregistered_time: reregisteredAt / 1000 }),
    resources: summaryOf(total),
    used_resources: summaryOf(usedOn(agent)),
    offered_resources: summaryOf(offered),
    reserved_resources: {},
    unreserved_resources: summaryOf(total),
    active: connection !== undefined,
    deactivated: false,
    version: version.version,
    capabilities: agentCapabilities,
  };
}

function frameworkEntry(context: MasterContext, framework: Framework): object {
  const { info, stream } = framework;
  const used = usedBy(context, framework);
  const offered = offeredOn(context, framework.offers);
  return {
    id: framework.id,
    name: info.name,
    used_resources: summaryOf(used),
    offered_resources: summaryOf(offered),
    capabilities: (info.capabilities ?? []).map(({ type }) => type),
    hostname: info.hostname ?? '',
    webui_url: info.webui_url ?? '',
    active: stream !== undefined,
    connected: stream !== undefined,
    recovered: framework.recovered,
    user: info.user,
    failover_timeout: info.failover_timeout ?? 0,
    checkpoint: info.checkpoint ?? false,
    registered_time: framework.registeredAt / 1000,
    unregistered_time: (framework.unregisteredAt ?? 0) / 1000,
    resources: summaryOf(addBundles(used, offered)),
    ...(framework.reregisteredAt === undefined ? {} : { reregistered_time: framework.reregisteredAt / 1000 }),
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    ...(info.labels === undefined ? {} : { labels: info.labels.labels ?? [] }),
    roles: rolesOf(info),
    tasks: [...framework.tasks.values()].map(taskEntry),
    unreachable_tasks: [...framework.unreachable.values()].map(taskEntry),
    completed_tasks: framework.completed.map(taskEntry),
    offers: offersIn(context, framework.offers).map(offerEntry),
    executors: [...context.state.agents.values()].flatMap((agent) =>
      [...(agent.executors.get(framework.id)?.values() ?? [])].map((one) => executorEntry(agent.id, one)),
    ),
    offer_constraints: {},
  };
}

function offerEntry(offer: Offer): object {
  return {
    id: offer.id,
    framework_id: offer.frameworkId,
    allocation_info: { role: offer.role } satisfies OfferMessage['allocation_info'],
    slave_id: offer.agentId,
    resources: summaryOf(offer.resources),
  };
}

function roleEntry(context: MasterContext, name: string): object {
  const frameworks = [...context.state.frameworks.values()].filter(({ info }) =>
    rolesOf(info).includes(name),
  );
  const allocated = sum(frameworks.map((framework) => usedBy(context, framework, name)));
  const offers = offersIn(context, context.state.offers.keys()).filter(({ role }) => role === name);
  const offered = sum(offers.map(({ resources }) => resources));
  return {
    name,
    weight: 1,
    quota: { role: name, guarantee: {}, limit: {}, consumed: quantities(allocated) },
    resources: quantities(addBundles(allocated, offered)),
    allocated: quantities(allocated),
    offered: quantities(offered),
    reserved: {},
    frameworks: frameworks.map(({ id }) => id),
  };
}

/** Scalars as they are, ranges as how many numbers they hold. */
function quantities({ scalars, ranges }: Bundle): Record<string, number> {
  const sizes = [...ranges].map(([name, list]): [string, number] => [
    name,
    list.reduce((size, { begin, end }) => size + end - begin + 1, 0),
  ]);
  return Object.fromEntries([
    ...[...scalars].map(([name, milli]) => [name, milli / 1000] as const),
    ...sizes,
  ]);
}

/** What the framework's tasks and executors hold, all roles together unless one is named. */
function usedBy(context: MasterContext, framework: Framework, role?: string): Bundle {
  const holders: Bundle[] = [];
  for (const task of framework.tasks.values()) {
    if (role === undefined || task.role === role) holders.push(liveResources(task));
  }
  for (const agent of context.state.agents.values()) {
    for (const { resources = [] } of agent.executors.get(framework.id)?.values() ?? []) {
      const own = resources[0]?.allocation_info?.role ?? '*';
      if (role === undefined || own === role) holders.push(bundleOf(resources));
    }
  }
  return sum(holders);
}

/** Everything in the offers of this set. */
export function offeredOn(context: MasterContext, ids: Iterable<string>): Bundle {
  return sum(offersIn(context, ids).map(({ resources }) => resources));
}

/** Sums for each role, as resources. */
function byRole(parts: readonly { readonly role: string; readonly resources: Bundle }[]): Resource[] {
  const sums = new Map<string, Bundle>();
  for (const { role, resources } of parts)
    sums.set(role, addBundles(sums.get(role) ?? emptyBundle, resources));
  return [...sums].flatMap(([role, bundle]) => resourcesOf(bundle, { role: '*', allocation_info: { role } }));
}

const liveResources = (task: Task): Bundle => (isTerminal(task.state) ? emptyBundle : task.resources);
const sum = (bundles: readonly Bundle[]): Bundle => bundles.reduce(addBundles, emptyBundle);

function offersIn(context: MasterContext, ids: Iterable<string>): Offer[] {
  return [...ids].flatMap((id) => context.state.offers.get(id) ?? []);
}
