import type {
  ContainerInfoDockerInfo,
  ExecutorInfo,
  Port,
  Resource,
  TaskInfo,
} from '../../../proto/mesos.gen.ts';
import { durationInfo } from '../../../src/mesos/duration.ts';
import { reservedRoles, take, unreserved } from '../../../src/mesos/resources.ts';
import { subtractResources } from '../../../src/mesos/resource-sets.ts';
import { toMilli } from '../../../src/model/resources.ts';
import type { App } from '../../../src/model/app.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { TaskSpec } from '../../../src/model/task-spec.ts';
import type { Launch } from '../../core/effects.ts';
import type { Accepted } from '../../core/offers/offer-pool.ts';
import { taskPorts, type TaskPort } from '../../core/offers/task-env.ts';

/** A launch with everything that the shell had to look up for it. */
export interface PreparedLaunch {
  readonly launch: Launch;
  /** What the executor gets; made when the call is, since one frame can have launches by the thousand. */
  readonly spec: () => TaskSpec;
  /** What of the offers it may use, as the core decided. */
  readonly accepted: Accepted;
  /** As stored when the executor was first used. */
  readonly executor: ExecutorInfo;
}

/**
 * The task infos of launches on one host, each with its share of the offered resources. Undefined when the offers do
 * not hold enough: they are not what was decided on, so nothing is launched.
 */
export function taskInfos(
  prepared: readonly PreparedLaunch[],
  offered: readonly Resource[],
  runningExecutors: ReadonlySet<string>,
): readonly TaskInfo[] | undefined {
  const infos: TaskInfo[] = [];
  let rest: readonly Resource[] | undefined = offered;
  const charged = new Set(runningExecutors);
  for (const one of prepared) {
    // Mesos charges an executor once; its share must be left in the offer.
    const executorId = one.executor.executor_id.value;
    if (!charged.has(executorId)) rest = withoutExecutor(rest, one.executor);
    charged.add(executorId);
    const division: ReturnType<typeof take> =
      rest === undefined ? undefined : take(rest, needOf(one.launch), rolesOf(one, rest));
    if (division === undefined) return undefined;
    infos.push(taskInfo(one, division.taken));
    rest = division.rest;
  }
  return infos;
}

/** Where the executor's share is not among the offers, Mesos is left to say so in its answer. */
function withoutExecutor(
  resources: readonly Resource[] | undefined,
  executor: ExecutorInfo,
): readonly Resource[] | undefined {
  if (resources === undefined) return undefined;
  return subtractResources(resources, executor.resources ?? []) ?? resources;
}

/** Of which roles the app's share is to be; undefined: of any. */
function rolesOf(
  { accepted }: PreparedLaunch,
  resources: readonly Resource[],
): readonly string[] | undefined {
  switch (accepted) {
    case 'any':
      return undefined;
    case 'unreserved':
      return [unreserved];
    case 'reserved':
      return reservedRoles(resources);
  }
}

function needOf({ app, instance }: Launch): Parameters<typeof take>[1] {
  return {
    scalars: {
      cpus: toMilli(app.cpus),
      mem: toMilli(app.mem),
      disk: toMilli(app.disk),
      gpus: toMilli(app.gpus),
    },
    ports: instance.hostPorts.map((port) => ({ begin: port, end: port })),
  };
}

function taskInfo(
  { launch, executor, ...prepared }: PreparedLaunch,
  resources: readonly Resource[],
): TaskInfo {
  const { app, instance } = launch;
  const spec = prepared.spec();
  const name = reversedId(app.id);
  return {
    name,
    task_id: { value: instance.taskId },
    agent_id: { value: instance.agentId },
    resources,
    executor,
    data: new TextEncoder().encode(JSON.stringify(spec)),
    // For people and tools that look at Mesos: our executor reads only `data`.
    container: {
      type: 'DOCKER',
      docker: dockerInfo(app, instance),
      ...(spec.network.mode === 'switch' ? { network_infos: [{ name: spec.network.name }] } : {}),
    },
    labels: { labels: labelsOf(app.labels) },
    kill_policy: { grace_period: durationInfo(spec.killGraceMs) },
    discovery: {
      visibility: 'FRAMEWORK',
      name,
      ports: { ports: taskPorts(app, instance).flatMap((port) => discoveryPorts(port, spec)) },
    },
  };
}

const dockerNetworks = { container: 'USER', bridge: 'BRIDGE', host: 'HOST' } as const;

function dockerInfo(app: App, instance: Instance): ContainerInfoDockerInfo {
  const mapped = app.network.mode === 'host' ? [] : taskPorts(app, instance);
  const mappings = mapped.flatMap(({ inside, onHost, protocol }) =>
    onHost === undefined
      ? []
      : protocol.split(',').map((each) => ({ host_port: onHost, container_port: inside, protocol: each })),
  );
  return {
    image: app.container.image,
    network: dockerNetworks[app.network.mode],
    ...(mappings.length === 0 ? {} : { port_mappings: mappings }),
  };
}

/** `/shop/db` → `db.shop`: what Mesos-DNS makes its names of. */
const reversedId = (id: string): string => id.slice(1).split('/').toReversed().join('.');

const labelsOf = (labels: Readonly<Record<string, string>>): { key: string; value: string }[] =>
  Object.entries(labels).map(([key, value]) => ({ key, value }));

/** One entry for each protocol, with the labels by which Marathon's tools tell whose address the number belongs to. */
function discoveryPorts(port: TaskPort, { network }: TaskSpec): Port[] {
  const scope =
    network.mode === 'host' || port.onHost !== undefined
      ? { 'network-scope': 'host' }
      : { 'network-scope': 'container', 'network-name': network.name };
  return port.protocol.split(',').map((protocol) => ({
    number: port.effective,
    protocol,
    ...(port.name === undefined ? {} : { name: port.name }),
    labels: { labels: labelsOf({ ...port.labels, ...scope }) },
  }));
}
