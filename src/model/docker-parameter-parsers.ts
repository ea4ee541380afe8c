/** What the parameters of one app add up to while they are read. */
export interface DockerOptionsDraft {
  /** Of the app's container. */
  config: {
    Entrypoint?: string[];
    User?: string;
    WorkingDir?: string;
    StopSignal?: string;
    Labels?: Record<string, string>;
  };
  /** Of the app's container. */
  hostConfig: {
    Ulimits?: { Name: string; Soft: number; Hard: number }[];
    CapAdd?: string[];
    CapDrop?: string[];
    GroupAdd?: string[];
    SecurityOpt?: string[];
    Devices?: { PathOnHost: string; PathInContainer: string; CgroupPermissions: string }[];
    Tmpfs?: Record<string, string>;
    Sysctls?: Record<string, string>;
    ShmSize?: number;
    Init?: boolean;
    ReadonlyRootfs?: boolean;
    MemorySwap?: number;
    MemoryReservation?: number;
    MemorySwappiness?: number;
    CpuPeriod?: number;
    CpuQuota?: number;
    CpusetCpus?: string;
    PidsLimit?: number;
    IpcMode?: string;
    PidMode?: string;
    UsernsMode?: string;
    Runtime?: string;
    OomScoreAdj?: number;
    OomKillDisable?: boolean;
    BlkioWeight?: number;
    StorageOpt?: Record<string, string>;
  };
  /** Of whatever holds the network namespace: the sandbox, or the app's container on the host's network. */
  sandbox: {
    ExtraHosts?: string[];
    Dns?: string[];
    DnsSearch?: string[];
    DnsOptions?: string[];
    Sysctls?: Record<string, string>;
  };
}

/** Puts a value in the draft; a string says why it cannot. */
type Parser = (value: string, draft: DockerOptionsDraft) => string | undefined;

type NumberKey = {
  [K in keyof DockerOptionsDraft['hostConfig']]-?: DockerOptionsDraft['hostConfig'][K] extends
    number | undefined
    ? K
    : never;
}[keyof DockerOptionsDraft['hostConfig']];
type ListKey = 'CapAdd' | 'CapDrop' | 'GroupAdd' | 'SecurityOpt';
type SandboxListKey = 'ExtraHosts' | 'Dns' | 'DnsSearch' | 'DnsOptions';

const byteUnits: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 2 ** 10,
  m: 2 ** 20,
  g: 2 ** 30,
  t: 2 ** 40,
};

/** `64m` → bytes; undefined when it is no size. */
function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([bkmgt]?)b?$/.exec(text.toLowerCase());
  return match === null ? undefined : Math.floor(Number(match[1]) * (byteUnits[match[2] ?? ''] ?? 1));
}

const bytes =
  (key: NumberKey, special?: string): Parser =>
  (value, { hostConfig }) => {
    const size = value === special ? Number(special) : parseBytes(value);
    if (size === undefined) return `${JSON.stringify(value)} is no size; write bytes or 64k, 64m, 1g`;
    hostConfig[key] = size;
    return undefined;
  };

const integer =
  (key: NumberKey, min: number, max: number): Parser =>
  (value, { hostConfig }) => {
    const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max))
      return `${JSON.stringify(value)} is not a whole number from ${min} to ${max}`;
    hostConfig[key] = number;
    return undefined;
  };

const flag =
  (key: 'Init' | 'ReadonlyRootfs' | 'OomKillDisable'): Parser =>
  (value, { hostConfig }) => {
    if (value !== 'true' && value !== 'false' && value !== '') return 'it is true or false';
    hostConfig[key] = value !== 'false';
    return undefined;
  };

const list =
  (key: ListKey): Parser =>
  (value, { hostConfig }) =>
    notEmpty(value) ?? void (hostConfig[key] = [...(hostConfig[key] ?? []), value]);

const sandboxList =
  (key: SandboxListKey, accepts: RegExp, form: string): Parser =>
  (value, { sandbox }) => {
    if (!accepts.test(value)) return `${JSON.stringify(value)} is not of the form ${form}`;
    sandbox[key] = [...(sandbox[key] ?? []), value];
    return undefined;
  };

const text =
  (key: 'User' | 'WorkingDir' | 'StopSignal'): Parser =>
  (value, { config }) =>
    notEmpty(value) ?? void (config[key] = value);

const notEmpty = (value: string): string | undefined => (value === '' ? 'the value is empty' : undefined);

const entrypoint: Parser = (value, { config }) => {
  config.Entrypoint = value === '' ? [] : [value];
  return undefined;
};

const label: Parser = (value, { config }) => {
  const [name, content = ''] = splitOnce(value, '=');
  if (name === '') return 'the form is name=value';
  if (name.startsWith('patchpanel.') || name === 'MESOS_TASK_ID')
    return `the label ${name} is set by Patchpanel`;
  config.Labels = { ...config.Labels, [name]: content };
  return undefined;
};

const ulimit: Parser = (value, { hostConfig }) => {
  const match = /^([a-z]+)=(-?\d+)(?::(-?\d+))?$/.exec(value);
  if (match === null)
    return `${JSON.stringify(value)} is not of the form name=soft:hard, as nofile=1024:4096`;
  const soft = Number(match[2]);
  const limit = { Name: match[1] ?? '', Soft: soft, Hard: match[3] === undefined ? soft : Number(match[3]) };
  if (limit.Hard !== -1 && limit.Soft > limit.Hard) return 'the soft limit is above the hard one';
  hostConfig.Ulimits = [...(hostConfig.Ulimits ?? []), limit];
  return undefined;
};

const device: Parser = (value, { hostConfig }) => {
  const [host = '', inside = host, permissions = 'rwm'] = value.split(':');
  if (!host.startsWith('/') || !inside.startsWith('/') || !/^[rwm]{1,3}$/.test(permissions)) {
    return `${JSON.stringify(value)} is not of the form /dev/x[:/dev/y[:rwm]]`;
  }
  const entry = { PathOnHost: host, PathInContainer: inside, CgroupPermissions: permissions };
  hostConfig.Devices = [...(hostConfig.Devices ?? []), entry];
  return undefined;
};

const tmpfs: Parser = (value, { hostConfig }) => {
  const [path, options = ''] = splitOnce(value, ':');
  if (!path.startsWith('/')) return `${JSON.stringify(value)} is not of the form /path[:options]`;
  hostConfig.Tmpfs = { ...hostConfig.Tmpfs, [path]: options };
  return undefined;
};

/** Those of the network belong to the namespace's owner, the others to the app's container. */
const sysctl: Parser = (value, { hostConfig, sandbox }) => {
  const [name, setting] = splitOnce(value, '=');
  if (name === '' || setting === undefined) return `${JSON.stringify(value)} is not of the form name=value`;
  const owner = name.startsWith('net.') ? sandbox : hostConfig;
  owner.Sysctls = { ...owner.Sysctls, [name]: setting };
  return undefined;
};

const cpus: Parser = (value, { hostConfig }) => {
  if (!/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(value)) return `${JSON.stringify(value)} is not of the form 0-3,5`;
  hostConfig.CpusetCpus = value;
  return undefined;
};

function splitOnce(value: string, separator: string): [string, string | undefined] {
  const at = value.indexOf(separator);
  return at === -1 ? [value, undefined] : [value.slice(0, at), value.slice(at + separator.length)];
}

/** Every allowed key with what it does; the keys are those of `docker run`. */
export const parameterParsers: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['add-host', sandboxList('ExtraHosts', /^[^:\s]+:\S+$/, 'name:address')],
  ['cap-add', list('CapAdd')],
  ['cap-drop', list('CapDrop')],
  ['cpu-period', integer('CpuPeriod', 1000, 1_000_000)],
  ['cpu-quota', integer('CpuQuota', -1, 10 ** 9)],
  ['cpuset-cpus', cpus],
  ['device', device],
  ['dns', sandboxList('Dns', /^[0-9a-fA-F.:]+$/, 'an IP address')],
  ['dns-opt', sandboxList('DnsOptions', /^\S+$/, 'name:value')],
  ['dns-search', sandboxList('DnsSearch', /^\S+$/, 'a domain')],
  ['entrypoint', entrypoint],
  ['group-add', list('GroupAdd')],
  ['init', flag('Init')],
  ['label', label],
  ['memory-reservation', bytes('MemoryReservation')],
  ['memory-swap', bytes('MemorySwap', '-1')],
  ['memory-swappiness', integer('MemorySwappiness', 0, 100)],
  ['pids-limit', integer('PidsLimit', -1, 2 ** 22)],
  ['read-only', flag('ReadonlyRootfs')],
  ['security-opt', list('SecurityOpt')],
  ['shm-size', bytes('ShmSize')],
  ['stop-signal', text('StopSignal')],
  ['sysctl', sysctl],
  ['tmpfs', tmpfs],
  ['ulimit', ulimit],
  ['user', text('User')],
  ['workdir', text('WorkingDir')],
]);

const oneOf =
  (key: 'IpcMode' | 'PidMode' | 'UsernsMode', values: readonly string[]): Parser =>
  (value, { hostConfig }) => {
    if (!values.includes(value)) return `it is one of ${values.join(', ')}`;
    hostConfig[key] = value;
    return undefined;
  };

const runtime: Parser = (value, { hostConfig }) => notEmpty(value) ?? void (hostConfig.Runtime = value);

const storageOption: Parser = (value, { hostConfig }) => {
  const [name, setting] = splitOnce(value, '=');
  if (name === '' || setting === undefined) return `${JSON.stringify(value)} is not of the form name=value`;
  hostConfig.StorageOpt = { ...hostConfig.StorageOpt, [name]: setting };
  return undefined;
};

/** Keys that an operator may allow: they give an app more of the host than the others. */
export const guardedParameters: ReadonlyMap<string, Parser> = new Map<string, Parser>([
  ['blkio-weight', integer('BlkioWeight', 10, 1000)],
  ['ipc', oneOf('IpcMode', ['none', 'private', 'shareable', 'host'])],
  ['oom-kill-disable', flag('OomKillDisable')],
  ['oom-score-adj', integer('OomScoreAdj', -1000, 1000)],
  ['pid', oneOf('PidMode', ['host'])],
  ['runtime', runtime],
  ['storage-opt', storageOption],
  ['userns', oneOf('UsernsMode', ['host'])],
]);

/** Known options of `docker run` that have another place in an app's definition. */
export const refusedParameters: ReadonlyMap<string, string> = new Map([
  ['cpu-shares', 'it follows from "cpus"'],
  ['cpus', 'use "cpus" of the app, or cpu-quota and cpu-period for a hard limit'],
  ['env', 'use "env"'],
  ['hostname', 'the slot has a name of its own'],
  ['ip', 'use the network label "patchpanel.ip"'],
  ['log-driver', "output goes to the files of the task's sandbox"],
  ['log-opt', "output goes to the files of the task's sandbox"],
  ['memory', 'use "mem"'],
  ['mac-address', 'it follows from the address of the slot'],
  ['name', 'Patchpanel names containers'],
  ['net', 'use "networks"'],
  ['network', 'use "networks"'],
  ['privileged', 'use "container.docker.privileged"'],
  ['publish', 'use "container.portMappings"'],
  ['restart', 'the scheduler restarts tasks'],
  ['rm', 'containers are always removed'],
  ['volume', 'use "container.volumes"'],
]);
