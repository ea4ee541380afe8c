import type { FastifyRequest } from 'fastify';
import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import { isoTime } from '../../../src/model/ids.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import { noTasks, type TaskCounts } from '../../core/slots/task-counts.ts';
import { incarnationsOf } from '../../core/tables.ts';
import type { TaskFailure, World } from '../../core/world.ts';
import { wantsExtensions } from '../http/extended.ts';
import { queryValues } from '../request.ts';
import { presentHealthCheck } from './health-checks.ts';
import { presentReadiness } from './readiness-checks.ts';
import { presentTask } from './present-task.ts';
import { presentCounts, presentTaskStats } from './task-stats.ts';

/** An app in Marathon's 1.5+ JSON: options that are unset are left out, defaults are always written. */
export function presentApp(app: App): Record<string, unknown> {
  return {
    id: app.id,
    ...(app.cmd === undefined ? {} : { cmd: app.cmd }),
    ...(app.args.length === 0 ? {} : { args: app.args }),
    ...(app.user === undefined ? {} : { user: app.user }),
    ...(Object.keys(app.env).length === 0 ? {} : { env: app.env }),
    ...(app.secrets === undefined ? {} : { secrets: app.secrets }),
    ...(app.tty === undefined ? {} : { tty: app.tty }),
    ...(app.resourceLimits === undefined ? {} : { resourceLimits: app.resourceLimits }),
    ...(app.fetch.length === 0 ? {} : { fetch: app.fetch }),
    instances: app.instances,
    cpus: app.cpus,
    mem: app.mem,
    disk: app.disk,
    gpus: app.gpus,
    executor: app.executor,
    ...(app.constraints.length === 0 ? {} : { constraints: app.constraints.map(presentConstraint) }),
    ...(app.acceptedResourceRoles.length === 0 ? {} : { acceptedResourceRoles: app.acceptedResourceRoles }),
    backoffSeconds: app.backoffSeconds,
    backoffFactor: app.backoffFactor,
    maxLaunchDelaySeconds: app.maxLaunchDelaySeconds,
    container: {
      type: 'DOCKER',
      docker: {
        image: app.container.image,
        forcePullImage: app.container.forcePullImage,
        privileged: app.container.privileged,
        parameters: app.container.parameters,
        ...(app.container.pullConfig === undefined ? {} : { pullConfig: app.container.pullConfig }),
      },
      volumes: app.container.volumes,
      ...(app.network.mode === 'host' ? {} : { portMappings: app.container.portMappings }),
    },
    networks: [presentNetwork(app)],
    ...(app.network.mode === 'host' ? { portDefinitions: app.portDefinitions } : {}),
    requirePorts: app.requirePorts,
    ...(app.dependencies.length === 0 ? {} : { dependencies: app.dependencies }),
    ...(app.healthChecks.length === 0 ? {} : { healthChecks: app.healthChecks.map(presentHealthCheck) }),
    ...(app.readinessChecks.length === 0 ? {} : { readinessChecks: app.readinessChecks }),
    labels: app.labels,
    upgradeStrategy: app.upgradeStrategy,
    unreachableStrategy: app.unreachableStrategy,
    killSelection: app.killSelection,
    ...(app.taskKillGracePeriodSeconds === undefined
      ? {}
      : { taskKillGracePeriodSeconds: app.taskKillGracePeriodSeconds }),
    role: app.role,
    version: app.version,
    versionInfo: app.versionInfo,
  };
}

function presentNetwork(app: App): Record<string, unknown> {
  if (app.network.mode === 'host') return { mode: 'host' };
  const where =
    app.network.mode === 'bridge'
      ? { mode: 'container/bridge' }
      : { mode: 'container', name: app.network.name };
  return {
    ...where,
    ...(Object.keys(app.network.labels).length === 0 ? {} : { labels: app.network.labels }),
  };
}

function presentConstraint(constraint: App['constraints'][number]): string[] {
  const { field, operator, value } = constraint;
  return value === undefined ? [field, operator] : [field, operator, value];
}

/** What GET adds to an app beyond counts and deployments. */
export interface Embed {
  readonly tasks: boolean;
  readonly lastTaskFailure: boolean;
  readonly readiness: boolean;
  readonly taskStats: boolean;
  /** Also what Marathon does not have. */
  readonly extended: boolean;
}

/** What is shown without being asked for: of one app more than of each in a list. */
const always: Readonly<Record<'list' | 'one', ReadonlySet<string>>> = {
  list: new Set(),
  one: new Set(['tasks', 'lastTaskFailure', 'readiness']),
};

/** `embed=apps.tasks` and its spellings; what is unknown is ignored, as Marathon does. */
export function parseEmbed(request: FastifyRequest, shown: 'list' | 'one'): Embed {
  const values = queryValues(request, 'embed').map((value) => value.replace(/^(group\.apps|apps|app)\./, ''));
  const names = new Set([...values, ...always[shown]]);
  const failures = names.has('failures');
  return {
    tasks: failures || names.has('tasks'),
    lastTaskFailure: failures || names.has('lastTaskFailure'),
    readiness: names.has('readiness'),
    taskStats: names.has('taskStats'),
    extended: wantsExtensions(request),
  };
}

/** The live and just-ended instances of an app, in slot order, oldest incarnation first. */
export function instancesOf(world: World, app: AppId): Instance[] {
  const slots: Slot[] = [];
  for (const id of world.slotsOfApp.get(app) ?? []) {
    const slot = world.slots.get(id);
    if (slot !== undefined) slots.push(slot);
  }
  return slots.sort((a, b) => a.index - b.index).flatMap(({ id }) => incarnationsOf(world, id));
}

/** What is counted of an app's tasks; the same object as long as the counts are the same. */
export const taskCountsOf = (world: World, app: AppId): TaskCounts => world.taskCounts.get(app) ?? noTasks;

/** What AppInfo has besides the definition. */
export function runTimeFields(world: World, app: App, embed: Embed, now: number): Record<string, unknown> {
  const failure = embed.lastTaskFailure ? world.lastFailures.get(app.id) : undefined;
  const detailed = embed.tasks || embed.readiness || embed.taskStats;
  const instances = detailed ? liveInstancesOf(world, app.id) : [];
  const job = world.jobs.get(app.id);
  return {
    ...presentCounts(taskCountsOf(world, app.id)),
    deployments: job === undefined ? [] : [{ id: job.deploymentId }],
    ...(embed.readiness && app.readinessChecks.length > 0
      ? { readinessCheckResults: presentReadiness(app, instances) }
      : {}),
    ...(embed.tasks
      ? { tasks: instances.map((instance) => presentTask(world, instance, embed.extended)) }
      : {}),
    ...(failure === undefined ? {} : { lastTaskFailure: presentFailure(failure) }),
    ...(embed.taskStats ? presentStats(app, instances, embed, now) : {}),
  };
}

function presentFailure(failure: TaskFailure): Record<string, unknown> {
  return {
    appId: failure.appId,
    host: failure.host,
    message: failure.message,
    state: failure.state,
    taskId: failure.taskId,
    timestamp: isoTime(failure.timestamp),
    version: failure.version,
    slaveId: failure.agentId,
  };
}

/** The newest Marathon calls it `tasksStats`; its clients and its documentation say `taskStats`. */
function presentStats(
  app: App,
  instances: readonly Instance[],
  { extended }: Embed,
  now: number,
): Record<string, unknown> {
  const taskStats = presentTaskStats(app, instances, now);
  return extended ? { taskStats, tasksStats: taskStats } : { taskStats };
}

/** The instances of an app that have not ended, as instancesOf() orders them. */
export function liveInstancesOf(world: World, app: AppId): Instance[] {
  return instancesOf(world, app).filter((instance) => !isTerminal(instance.condition));
}
