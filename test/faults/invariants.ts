/** A task as the API tells it. */
export interface SeenTask {
  readonly id: string;
  readonly appId: string;
  readonly state: string;
  readonly agentId: string;
  readonly slot: number | null;
  readonly endpoint: string;
  readonly ip?: string;
  readonly mac?: string;
}

export interface SeenContainer {
  readonly agentId: string;
  readonly taskId: string;
  readonly role: string;
  readonly running: boolean;
}

/** A host as it is, and as the API tells it. */
export interface SeenHost {
  readonly name: string;
  readonly agentId: string;
  readonly executors: number;
  /** Names of ports on our bridge that are for endpoints or for nobody; the host's own are left out. */
  readonly ports: readonly string[];
  readonly veths: readonly string[];
  /** How the flows differ from what the host's view compiles to; empty: not at all. */
  readonly flowDifference: string;
  /** Undefined: the API does not know the host. */
  readonly stream:
    { readonly connected: boolean; readonly lag: number; readonly problem: string | null } | undefined;
}

/** Everything that can be seen of a cluster at one moment. */
export interface Observation {
  readonly apps: readonly { readonly id: string; readonly instances: number }[];
  readonly deployments: number;
  readonly tasks: readonly SeenTask[];
  /** Tasks that have not ended, as the Mesos agents know them. */
  readonly mesosTasks: readonly { readonly taskId: string; readonly state: string }[];
  readonly containers: readonly SeenContainer[];
  readonly hosts: readonly SeenHost[];
  /** The address that each slot had when it was first seen, by `app#slot`. */
  readonly leases: ReadonlyMap<string, string>;
}

export const slotOf = ({ appId, slot }: SeenTask): string => `${appId}#${slot}`;

/** What of a cluster at rest is not as it must be; empty: all is well. */
export function findings(seen: Observation): readonly string[] {
  return [
    ...deploymentFindings(seen),
    ...seen.apps.flatMap((app) => appFindings(app, seen)),
    ...addressFindings(seen),
    ...mesosFindings(seen),
    ...containerFindings(seen),
    ...seen.hosts.flatMap((host) => hostFindings(host, seen)),
  ];
}

const deploymentFindings = ({ deployments }: Observation): string[] =>
  deployments === 0 ? [] : [`${deployments} deployments go on`];

function appFindings({ id, instances }: Observation['apps'][number], { tasks }: Observation): string[] {
  const own = tasks.filter(({ appId }) => appId === id);
  const wrong: string[] = [];
  if (own.length !== instances) wrong.push(`${id} has ${own.length} tasks, not ${instances}`);
  // Not those from 0 on: an app that shrinks loses the slots of its youngest instances.
  const slots = new Set(own.map(({ slot }) => slot));
  if (slots.size !== instances) wrong.push(`${id} has ${slots.size} slots, not ${instances}`);
  for (const slot of slots) {
    const active = own.filter((task) => task.slot === slot && task.endpoint === 'active');
    if (active.length !== 1) wrong.push(`${id}#${slot} has ${active.length} active endpoints`);
  }
  for (const task of own) {
    if (task.state !== 'TASK_RUNNING') wrong.push(`${task.id} is ${task.state}`);
    if (task.slot === null) wrong.push(`${task.id} has no slot`);
  }
  return wrong;
}

function addressFindings({ tasks, leases }: Observation): string[] {
  const moved = tasks
    .filter((task) => (leases.get(slotOf(task)) ?? task.ip) !== task.ip)
    .map((task) => `${slotOf(task)} has ${task.ip}, it had ${leases.get(slotOf(task))}`);
  const twice = (what: 'ip' | 'mac') =>
    repeated(tasks.flatMap((task) => task[what] ?? [])).map((value) => `${what} ${value} is there twice`);
  return [...moved, ...twice('ip'), ...twice('mac')];
}

function mesosFindings({ tasks, mesosTasks }: Observation): string[] {
  const ours = tasks.map(({ id }) => id);
  const theirs = mesosTasks.map(({ taskId }) => taskId);
  return [
    ...missing(ours, theirs).map((id) => `${id} is stored, Mesos does not know it`),
    ...missing(theirs, ours).map((id) => `${id} runs in Mesos, nobody has stored it`),
    ...repeated(theirs).map((id) => `${id} runs on two agents`),
  ];
}

function containerFindings({ tasks, containers }: Observation): string[] {
  const wanted = tasks.flatMap(({ id, agentId }) =>
    ['app', 'sandbox'].map((role) => `${role} of ${id} on ${agentId}`),
  );
  const there = containers.map(({ role, taskId, agentId }) => `${role} of ${taskId} on ${agentId}`);
  const dead = containers.filter(({ running }) => !running);
  return [
    ...missing(wanted, there).map((name) => `${name} has no container`),
    ...missing(there, wanted).map((name) => `${name} is a container of nobody`),
    ...dead.map(({ role, taskId }) => `${role} of ${taskId} does not run`),
  ];
}

function hostFindings(host: SeenHost, { tasks }: Observation): string[] {
  const own = tasks.filter(({ agentId }) => agentId === host.agentId).length;
  const wrong: string[] = [];
  const say = (what: string) => wrong.push(`${host.name}: ${what}`);
  if (host.executors > 1) say(`${host.executors} executors`);
  if (own > 0 && host.executors === 0) say('no executor');
  if (host.ports.length !== own) say(`${host.ports.length} ports for ${own} tasks: ${host.ports.join(' ')}`);
  if (host.veths.length !== own) say(`${host.veths.length} veths for ${own} tasks: ${host.veths.join(' ')}`);
  if (host.flowDifference !== '') say(`flows are not those of its view:\n${host.flowDifference}`);
  const { stream } = host;
  if (host.executors === 0) return wrong;
  if (stream?.connected !== true) say('its view stream is not open');
  else if (stream.lag !== 0) say(`its view is ${stream.lag} versions behind`);
  if (stream?.problem != null) say(`it reports: ${stream.problem}`);
  return wrong;
}

const missing = (wanted: readonly string[], there: readonly string[]): string[] => {
  const known = new Set(there);
  return wanted.filter((each) => !known.has(each));
};

const repeated = (values: readonly string[]): string[] => [
  ...new Set(values.filter((value, index) => values.indexOf(value) !== index)),
];
