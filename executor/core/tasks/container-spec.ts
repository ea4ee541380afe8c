import { portRange } from '../../../src/fabric/incarnations.ts';
import type { DockerOptions } from '../../../src/model/docker-parameters.ts';
import type { TaskId } from '../../../src/model/ids.ts';
import type { TaskSpec } from '../../../src/model/task-spec.ts';
import type { DesiredTask, Plug } from './desired.ts';
import { sandboxPath } from './files.ts';

/** The body of Docker's "create a container" request, as far as it is used here; field names are Docker's own. */
export interface ContainerSpec {
  readonly Image: string;
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly StopSignal?: string;
  readonly Hostname?: string;
  readonly Tty?: boolean;
  readonly Labels: Readonly<Record<string, string>>;
  readonly HostConfig: HostConfig;
}

type HostConfig = DockerOptions['hostConfig'] &
  DockerOptions['sandbox'] & {
    readonly NetworkMode: string;
    readonly RestartPolicy: { readonly Name: 'no' };
    readonly LogConfig: { readonly Type: string; readonly Config: Readonly<Record<string, string>> };
    readonly Memory?: number;
    readonly CpuShares?: number;
    readonly Privileged?: boolean;
    readonly Binds?: readonly string[];
    readonly CgroupParent?: string;
  };

/** What the containers of one host have in common. */
export interface ContainerSurroundings {
  /** Identity of this host among others that may use the same Docker Engine. */
  readonly hostKey: string;
  readonly agentId: string;
  /** This run of the executor, see ExecutorLives. */
  readonly runId: string;
  /** Whether the host's kernel speaks IPv6; without it there is no setting of it either. */
  readonly ipv6: boolean;
  /** The cgroup for all containers; absent: where Docker puts them. */
  readonly cgroupParent?: string;
}

/** What of the host's files a task's container gets besides its volumes. */
export interface TaskMounts {
  readonly sandbox: string;
  /** In the order of the specification. */
  readonly secrets: readonly string[];
}

export type ContainerRole = 'sandbox' | 'app';

/** Labels by which containers are recognised as ours. */
export const containerLabels = {
  host: 'patchpanel.host',
  role: 'patchpanel.role',
  task: 'patchpanel.task',
  run: 'patchpanel.run',
  slot: 'patchpanel.slot',
  epoch: 'patchpanel.epoch',
} as const;

/** What the role label says; anything but `sandbox` is treated as an app's container. */
export const roleOf = (label: string | undefined): ContainerRole => (label === 'sandbox' ? 'sandbox' : 'app');

/** The name of a task's container: known before Docker has made it, so that it can be removed in any case. */
export const containerName = (role: ContainerRole, task: TaskId): string =>
  `patchpanel-${role}-${task.replaceAll(/[^a-zA-Z0-9_.-]/g, '_')}`;

const mebibyte = 2 ** 20;
/** Docker accepts no less. */
const smallestMemory = 6 * mebibyte;
/** Room for the runtime that starts the sandbox; the program itself needs a few pages. */
const sandboxMemory = 16 * mebibyte;
const sandboxProcesses = 16;

/**
 * The container that owns the network namespace of a task on the switch: no network of Docker's, the slot's name,
 * resolver and sysctls, and next to nothing else. What joins it sees all of that.
 */
export function sandboxContainer(
  task: DesiredTask,
  plug: Plug,
  image: string,
  surroundings: ContainerSurroundings,
): ContainerSpec {
  const { network } = plug;
  const { sandbox } = task.options;
  return {
    Image: image,
    Cmd: ['/pause'],
    Hostname: network.hostname,
    Labels: ourLabels('sandbox', task.spec, surroundings),
    HostConfig: {
      NetworkMode: 'none',
      ...resolver(plug, sandbox),
      Sysctls: { ...sandbox.Sysctls, ...slotSysctls(plug, surroundings) },
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'none', Config: {} },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Memory: sandboxMemory,
      MemorySwap: sandboxMemory,
      PidsLimit: sandboxProcesses,
      ...cgroup(surroundings),
    },
  };
}

/** A slot's incarnations open connections from their own quarter of the ports, so a user may not change that. */
function slotSysctls(plug: Plug, { ipv6 }: ContainerSurroundings): Record<string, string> {
  const { first, last } = portRange(plug.endpoint.epoch);
  return {
    'net.ipv4.ip_local_port_range': `${first} ${last}`,
    ...(ipv6 ? { 'net.ipv6.conf.all.disable_ipv6': '1' } : {}),
  };
}

function resolver({ network }: Plug, given: DockerOptions['sandbox']): DockerOptions['sandbox'] {
  const own = `${network.hostname}:${network.ip}`;
  const ownFull = `${network.hostname}.${network.domain}:${network.ip}`;
  return {
    Dns: given.Dns ?? network.dns,
    DnsSearch: [network.domain, ...(given.DnsSearch ?? [])],
    ...(given.DnsOptions === undefined ? {} : { DnsOptions: given.DnsOptions }),
    ExtraHosts: [ownFull, own, ...(given.ExtraHosts ?? [])],
  };
}

/** The container of the app itself; it joins the namespace of the sandbox, or the host's network. */
export function appContainer(
  task: DesiredTask,
  surroundings: ContainerSurroundings,
  mounts: TaskMounts,
): ContainerSpec {
  const { spec, options, plug } = task;
  const name = containerName('app', task.taskId);
  return {
    Image: spec.image,
    ...command(spec, options),
    Env: Object.entries({ MESOS_SANDBOX: sandboxPath, MESOS_CONTAINER_NAME: name, ...spec.env }).map(
      ([variable, value]) => `${variable}=${value}`,
    ),
    ...(spec.tty ? { Tty: true } : {}),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...options.config,
    Labels: { ...spec.labels, ...options.config.Labels, ...ourLabels('app', spec, surroundings) },
    HostConfig: {
      ...(plug === undefined ? options.sandbox : {}),
      ...memoryOf(spec),
      ...(spec.limits.cpus === undefined ? {} : cpuLimit(spec.limits.cpus)),
      ...options.hostConfig,
      ...(plug === undefined
        ? { Sysctls: { ...options.hostConfig.Sysctls, ...options.sandbox.Sysctls } }
        : {}),
      NetworkMode: plug === undefined ? 'host' : `container:${containerName('sandbox', task.taskId)}`,
      RestartPolicy: { Name: 'no' },
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
      CpuShares: Math.max(2, Math.round(spec.cpus * 1024)),
      Privileged: spec.privileged,
      Binds: [
        `${mounts.sandbox}:${sandboxPath}:rw`,
        ...spec.volumes.map(
          (volume) => `${volume.hostPath}:${volume.containerPath}:${volume.mode.toLowerCase()}`,
        ),
        ...spec.secretFiles.map(({ containerPath }, index) => `${mounts.secrets[index]}:${containerPath}:ro`),
      ],
      ...cgroup(surroundings),
    },
  };
}

/** Without a limit of its own, what the task asked for is the limit; with one, what it is left when memory is short. */
function memoryOf({
  memMib,
  limits,
}: TaskSpec): Pick<HostConfig, 'Memory' | 'MemorySwap' | 'MemoryReservation'> {
  const bytes = (mib: number) => Math.max(smallestMemory, Math.round(mib * mebibyte));
  const { memMib: limit } = limits;
  if (limit === undefined) return { Memory: bytes(memMib), MemorySwap: bytes(memMib) };
  if (limit === 'unlimited') return { MemoryReservation: bytes(memMib) };
  return { Memory: bytes(limit), MemorySwap: bytes(limit), MemoryReservation: bytes(memMib) };
}

const cpuPeriod = 100_000;

const cpuLimit = (cpus: number): Pick<HostConfig, 'CpuPeriod' | 'CpuQuota'> => ({
  CpuPeriod: cpuPeriod,
  // The kernel takes no less than a millisecond.
  CpuQuota: Math.max(1000, Math.round(cpus * cpuPeriod)),
});

/** `cmd` goes to a shell in place of the image's entrypoint; `args` go to the entrypoint, as with Mesos. */
function command(spec: TaskSpec, options: DockerOptions): Pick<ContainerSpec, 'Entrypoint' | 'Cmd'> {
  if (spec.cmd === undefined) return spec.args.length === 0 ? {} : { Cmd: spec.args };
  if (options.config.Entrypoint !== undefined) return { Cmd: ['/bin/sh', '-c', spec.cmd] };
  return { Entrypoint: ['/bin/sh'], Cmd: ['-c', spec.cmd] };
}

const cgroup = ({ cgroupParent }: ContainerSurroundings): { CgroupParent?: string } =>
  cgroupParent === undefined ? {} : { CgroupParent: cgroupParent };

function ourLabels(
  role: ContainerRole,
  spec: TaskSpec,
  surroundings: ContainerSurroundings,
): Record<string, string> {
  return {
    [containerLabels.host]: surroundings.hostKey,
    [containerLabels.role]: role,
    [containerLabels.task]: spec.taskId,
    [containerLabels.run]: surroundings.runId,
    [containerLabels.slot]: spec.slot,
    [containerLabels.epoch]: String(spec.epoch),
    'patchpanel.agent': surroundings.agentId,
    MESOS_TASK_ID: spec.taskId,
  };
}
