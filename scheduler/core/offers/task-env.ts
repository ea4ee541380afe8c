import type { App } from '../../../src/model/app.ts';
import type { Instance, Slot } from '../../../src/model/instance.ts';
import { objectNumber } from '../../../src/fabric/cookie.ts';
import { fullName } from '../../../src/fabric/names.ts';

/** One port of a task, in the order of the app's mappings or definitions. */
export interface TaskPort {
  /** What the app asked for; 0: any. */
  readonly requested: number;
  /** Where the task is reached: the host port if it has one, else the container's. */
  readonly effective: number;
  /** Where the app listens in its own network namespace. */
  readonly inside: number;
  /** The port that was taken of the host, if any. */
  readonly onHost?: number;
  /** True when the number was taken from the host or made up: it could not be known from the app. */
  readonly allocated: boolean;
  readonly protocol: string;
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A label whose name or value is longer is not put into the environment, as Marathon does. */
const maxLabelName = 493;
const maxLabelValue = 512;

/** The ports of an instance. `instance.hostPorts` are handed out in order to those that take one of the host. */
export function taskPorts(app: App, instance: Instance): readonly TaskPort[] {
  const hostPorts = instance.hostPorts.values();
  if (app.network.mode === 'host') {
    return app.portDefinitions.map(({ port, ...rest }) => {
      const onHost = hostPorts.next().value ?? port;
      return { ...rest, requested: port, effective: onHost, inside: onHost, onHost, allocated: true };
    });
  }
  return app.container.portMappings.map(({ containerPort, hostPort, protocol, name, labels }, index) => {
    const onHost = hostPort === undefined ? undefined : hostPorts.next().value;
    const inside = containerPort === 0 ? (onHost ?? madeUpPort(instance, index)) : containerPort;
    return {
      requested: containerPort,
      effective: onHost ?? inside,
      inside,
      ...(onHost === undefined ? {} : { onHost }),
      allocated: onHost !== undefined || containerPort === 0,
      protocol,
      ...(name === undefined ? {} : { name }),
      labels,
    };
  });
}

/**
 * The environment of a task: what Marathon injects, the slot's own facts, and the app's variables, which win over
 * both; those that are secrets are left out. `domain` is the network's; absent for tasks on the host's network. `prefix` goes before the names of host and ports.
 */
export function taskEnvironment(
  app: App,
  instance: Instance,
  slot: Slot,
  domain: string | undefined,
  prefix: string,
): Record<string, string> {
  return {
    ...taskContext(app, instance),
    ...prefixed(prefix, { ...portVariables(taskPorts(app, instance)), HOST: instance.hostname }),
    PATCHPANEL_SLOT: String(slot.index),
    PATCHPANEL_EPOCH: String(instance.epoch),
    ...addressVariables(slot, domain),
    ...plainVariables(app.env),
  };
}

const prefixed = (
  prefix: string,
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> =>
  prefix === ''
    ? variables
    : Object.fromEntries(Object.entries(variables).map(([name, value]) => [`${prefix}${name}`, value]));

/** Without those that are secrets, whose values are not known here. */
const plainVariables = (env: App['env']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );

function taskContext(app: App, instance: Instance): Record<string, string> {
  return {
    MESOS_TASK_ID: instance.taskId,
    MARATHON_APP_ID: app.id,
    MARATHON_APP_VERSION: app.version,
    MARATHON_APP_DOCKER_IMAGE: app.container.image,
    MARATHON_APP_RESOURCE_CPUS: double(app.cpus),
    MARATHON_APP_RESOURCE_MEM: double(app.mem),
    MARATHON_APP_RESOURCE_DISK: double(app.disk),
    MARATHON_APP_RESOURCE_GPUS: String(app.gpus),
    MARATHON_APP_ENFORCE_GROUP_ROLE: 'FALSE',
    ...labelVariables(app.labels),
  };
}

function labelVariables(labels: App['labels']): Record<string, string> {
  const kept = Object.entries(labels).filter(
    ([name, value]) => name.length < maxLabelName && value.length < maxLabelValue,
  );
  const named = kept.map(([name, value]) => [name.replaceAll(/[^A-Za-z0-9_]+/g, '_').toUpperCase(), value]);
  return {
    MARATHON_APP_LABELS: named.map(([name]) => name).join(' '),
    ...Object.fromEntries(named.map(([name, value]) => [`MARATHON_APP_LABEL_${name}`, value])),
  };
}

function portVariables(ports: readonly TaskPort[]): Record<string, string> {
  if (ports.length === 0) return {};
  const allocated = ports.filter((port) => port.allocated).map((port) => String(port.effective));
  const variables: Record<string, string> = { PORTS: allocated.join(',') };
  if (allocated[0] !== undefined) variables.PORT = allocated[0];
  for (const [index, port] of ports.entries()) {
    const value = String(port.effective);
    variables[`PORT${index}`] = value;
    variables[`PORT_${port.requested === 0 ? value : port.requested}`] = value;
    if (port.name !== undefined) variables[`PORT_${port.name.toUpperCase()}`] = value;
  }
  return variables;
}

function addressVariables(slot: Slot, domain: string | undefined): Record<string, string> {
  if (slot.lease === undefined || domain === undefined) return {};
  return {
    PATCHPANEL_NETWORK: slot.lease.network,
    PATCHPANEL_IP: slot.lease.ip,
    PATCHPANEL_MAC: slot.lease.mac,
    PATCHPANEL_HOSTNAME: fullName(slot.lease.hostname, domain),
  };
}

/** A number as Java prints a double: `1.0`, `0.1`. */
const double = (value: number): string => (Number.isInteger(value) ? `${value}.0` : String(value));

/**
 * For a mapping that leaves the choice to us, the same for this task whenever it is asked for: 1025 … 32767, below the
 * ports that incarnations open connections from.
 */
const madeUpPort = (instance: Instance, index: number): number =>
  1025 + (objectNumber(`${instance.taskId} ${index}`) % 31_743);
