import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import { isoTime } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import { isTerminal } from '../../../src/model/instance.ts';
import type { World } from '../../core/world.ts';
import { presentHealthCheck } from './health-checks.ts';
import { presentReadiness } from './readiness-checks.ts';
import { presentTask } from './present-task.ts';

/** An app in Marathon's 1.5+ JSON: options that are unset are left out, defaults are always written. */
export function presentApp(app: App): Record<string, unknown> {
  return {
    id: app.id,
    ...(app.cmd === undefined ? {} : { cmd: app.cmd }),
    ...(app.args.length === 0 ? {} : { args: app.args }),
    ...(app.user === undefined ? {} : { user: app.user }),
    ...(Object.keys(app.env).length === 0 ? {} : { env: app.env }),
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
      },
      volumes: app.container.volumes,
      ...(app.network.mode === 'host' ? {} : { portMappings: app.container.portMappings }),
    },
    networks: [presentNetwork(app)],
    ...(app.network.mode === 'host' ? { portDefinitions: app.portDefinitions } : {}),
    requirePorts: app.requirePorts,
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
  return {
    mode: 'container',
    name: app.network.name,
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
}

/** `embed=apps.tasks` and its spellings; what is unknown is ignored, as Marathon does. */
export function parseEmbed(values: readonly string[], always: Embed): Embed {
  const names = new Set(values.map((value) => value.replace(/^(group\.apps|apps|app)\./, '')));
  const failures = names.has('failures');
  return {
    tasks: always.tasks || failures || names.has('tasks'),
    lastTaskFailure: always.lastTaskFailure || failures || names.has('lastTaskFailure'),
    readiness: always.readiness || failures || names.has('readiness'),
  };
}

/** The live and just-ended instances of an app, in slot order, oldest incarnation first. */
export function instancesOf(world: World, app: AppId): Instance[] {
  const slots = world.slotsOfApp.get(app);
  if (slots === undefined) return [];
  const instances: Instance[] = [];
  for (const slot of slots) {
    for (const id of world.instancesOfSlot.get(slot) ?? []) {
      const instance = world.instances.get(id);
      if (instance !== undefined) instances.push(instance);
    }
  }
  const indexOf = (instance: Instance) => world.slots.get(instance.slotId)?.index ?? 0;
  return instances.sort((a, b) => indexOf(a) - indexOf(b) || a.epoch - b.epoch);
}

// The definition never changes under one object, so its text is made once.
const texts = new WeakMap<App, string>();

function definitionText(app: App): string {
  let text = texts.get(app);
  if (text === undefined) {
    text = JSON.stringify(presentApp(app)).slice(0, -1);
    texts.set(app, text);
  }
  return text;
}

/** AppInfo (definition and run-time fields) as JSON text; long lists stay quick because definitions are cached. */
export function appInfoText(world: World, app: App, embed: Embed): string {
  return `${definitionText(app)},${JSON.stringify(runtimeFields(world, app, embed)).slice(1)}`;
}

function runtimeFields(world: World, app: App, embed: Embed): Record<string, unknown> {
  const failure = world.lastFailures.get(app.id);
  const instances = embed.tasks || embed.readiness ? liveInstancesOf(world, app.id) : [];
  return {
    ...taskCounts(world, app.id),
    deployments: deploymentsOf(world, app.id),
    ...(embed.readiness && app.readinessChecks.length > 0
      ? { readinessCheckResults: presentReadiness(app, instances) }
      : {}),
    ...(embed.tasks ? { tasks: instances.map((instance) => presentTask(world, instance)) } : {}),
    ...(embed.lastTaskFailure && failure !== undefined
      ? {
          lastTaskFailure: {
            appId: failure.appId,
            host: failure.host,
            message: failure.message,
            state: failure.state,
            taskId: failure.taskId,
            timestamp: isoTime(failure.timestamp),
            version: failure.version,
            slaveId: failure.agentId,
          },
        }
      : {}),
  };
}

function liveInstancesOf(world: World, app: AppId): Instance[] {
  return instancesOf(world, app).filter((instance) => !isTerminal(instance.condition));
}

/** Without the order of instancesOf, which costs more than all the rest of a long list. */
function taskCounts(world: World, app: AppId): Record<string, number> {
  const counts = { tasksStaged: 0, tasksRunning: 0, tasksHealthy: 0, tasksUnhealthy: 0 };
  for (const slot of world.slotsOfApp.get(app) ?? []) {
    for (const id of world.instancesOfSlot.get(slot) ?? []) {
      const instance = world.instances.get(id);
      if (instance === undefined || isTerminal(instance.condition)) continue;
      if (instance.condition === 'provisioned' || instance.condition === 'staging') counts.tasksStaged += 1;
      if (instance.condition === 'running') counts.tasksRunning += 1;
      if (instance.healthy === true) counts.tasksHealthy += 1;
      if (instance.healthy === false) counts.tasksUnhealthy += 1;
    }
  }
  return counts;
}

function deploymentsOf(world: World, app: AppId): { id: string }[] {
  const found: { id: string }[] = [];
  for (const deployment of world.deployments.values()) {
    if (deployment.affectedApps.includes(app)) found.push({ id: deployment.id });
  }
  return found;
}
