import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseConfigFile } from '../src/runtime/config-file.ts';
import { PatchpanelError, messageOf } from '../src/runtime/errors.ts';
import { nearest } from '../src/runtime/nearest.ts';

const flexibleNumber = (schema: z.ZodNumber) => z.preprocess((value) => numberFromText(value), schema);

/** Everything about the host that an executor can be told; each has a name in the environment and one in the file. */
export const executorConfigSchema = z.object({
  /** Directory of Open vSwitch's sockets. */
  ovsRunDir: z.string().min(1).default('/var/run/openvswitch'),
  /** `unix:///path` or `tcp://host:port` */
  dockerHost: z.string().min(1).default('unix:///var/run/docker.sock'),
  /** What outlives this executor on the host: its identity, the last view, counters. */
  stateDir: z.string().startsWith('/', 'it must be an absolute path').default('/var/lib/patchpanel'),
  /** What programs that outlive this executor need until a reboot: the name server's files. */
  runDir: z.string().startsWith('/', 'it must be an absolute path').default('/run/patchpanel'),
  /** The resolvers that other names than ours are asked of. */
  resolvConf: z.string().startsWith('/', 'it must be an absolute path').default('/etc/resolv.conf'),
  /** Tunnel endpoint address; discovered when absent. */
  underlayIp: z.ipv4().optional(),
  datapath: z.enum(['auto', 'system', 'netdev']).default('auto'),
  bridge: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,15}$/, 'it must be a name of an interface, at most 15 characters')
    .default('br-patchpanel'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Fixed address of the scheduler's API, for debugging. */
  schedulerUrl: z.url().optional(),
  /** How the agent is spoken to; JSON is for reading along. */
  mesosEncoding: z.enum(['protobuf', 'json']).default('protobuf'),
  /** Without a task for so long, the executor ends. */
  idleExitSeconds: flexibleNumber(z.number().positive()).default(300),
  /** How long containers of an executor that died wait for the next one of the host before they are removed. */
  orphanSeconds: flexibleNumber(z.number().positive()).default(60),
  /** How long an app's start waits until all hosts know its address. */
  convergeTimeoutMs: flexibleNumber(z.int().positive()).default(10_000),
  /** Size of a task's stdout or stderr file after which it is rotated. */
  outputMaxBytes: flexibleNumber(z.int().min(1024)).default(10 * 1024 * 1024),
  /** Files of each, the current one included. */
  outputFiles: flexibleNumber(z.int().min(1).max(100)).default(3),
  /** Most bytes of one file that a task fetches, and of what one archive unpacks to. */
  fetchMaxBytes: flexibleNumber(z.int().positive()).default(10 * 1024 ** 3),
  /** Size of the cache of fetched files. */
  fetchCacheBytes: flexibleNumber(z.int().nonnegative()).default(2 * 1024 ** 3),
  /** Docker's configuration with credentials for registries; it need not be there. */
  dockerConfig: z
    .string()
    .startsWith('/', 'it must be an absolute path')
    .default('/etc/patchpanel/docker-config.json'),
  /** `auto`, `none` or the path of the cgroup for containers. */
  cgroupParent: z.union([z.literal(['auto', 'none']), z.string().startsWith('/')]).default('auto'),
});

export type ExecutorConfig = z.infer<typeof executorConfigSchema>;

type ConfigKey = keyof ExecutorConfig;

/** The environment variable of each setting. */
export const configVariables: Readonly<Record<ConfigKey, string>> = {
  ovsRunDir: 'OVS_RUNDIR',
  dockerHost: 'DOCKER_HOST',
  stateDir: 'PATCHPANEL_STATE_DIR',
  runDir: 'PATCHPANEL_RUN_DIR',
  resolvConf: 'PATCHPANEL_RESOLV_CONF',
  underlayIp: 'PATCHPANEL_UNDERLAY_IP',
  datapath: 'PATCHPANEL_DATAPATH',
  bridge: 'PATCHPANEL_BRIDGE',
  logLevel: 'PATCHPANEL_LOG_LEVEL',
  schedulerUrl: 'PATCHPANEL_SCHEDULER_URL',
  mesosEncoding: 'PATCHPANEL_MESOS_ENCODING',
  idleExitSeconds: 'PATCHPANEL_IDLE_EXIT_SECONDS',
  orphanSeconds: 'PATCHPANEL_ORPHAN_SECONDS',
  convergeTimeoutMs: 'PATCHPANEL_CONVERGE_TIMEOUT_MS',
  outputMaxBytes: 'PATCHPANEL_OUTPUT_MAX_BYTES',
  outputFiles: 'PATCHPANEL_OUTPUT_FILES',
  fetchMaxBytes: 'PATCHPANEL_FETCH_MAX_BYTES',
  fetchCacheBytes: 'PATCHPANEL_FETCH_CACHE_BYTES',
  dockerConfig: 'PATCHPANEL_DOCKER_CONFIG',
  cgroupParent: 'PATCHPANEL_CGROUP_PARENT',
};

const defaultFile = '/etc/patchpanel/executor.yaml';

/**
 * The settings of this host: each from the environment, else from the file (`PATCHPANEL_CONFIG`,
 * /etc/patchpanel/executor.yaml when that exists; YAML or JSON), else its default.
 * @throws PatchpanelError `invalid` that names the variable or the file's key
 */
export function readExecutorConfig(
  variables: Readonly<Record<string, string | undefined>>,
  readFile: (file: string) => string | undefined = readOptionalFile,
): ExecutorConfig {
  const named = variables['PATCHPANEL_CONFIG'];
  const file = named ?? defaultFile;
  const fromFile = parseFile(file, readFile(file), named !== undefined);
  const fromEnvironment = Object.fromEntries(
    Object.entries(configVariables)
      .map(([key, name]) => [key, variables[name]] as const)
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = executorConfigSchema.safeParse({ ...fromFile, ...fromEnvironment });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = String(issue?.path[0] ?? '?');
  const where = key in fromEnvironment ? configVariables[key as ConfigKey] : `${key} in ${file}`;
  throw new PatchpanelError('invalid', `${where} is wrong: ${issue?.message ?? ''}`);
}

function parseFile(
  file: string,
  text: string | undefined,
  required: boolean,
): Readonly<Record<string, unknown>> {
  if (text === undefined) {
    if (!required) return {};
    throw new PatchpanelError('invalid', `PATCHPANEL_CONFIG names ${file}, which does not exist`);
  }
  const settings = parseConfigFile(file, text);
  const unknown = Object.keys(settings).find((key) => !Object.hasOwn(configVariables, key));
  if (unknown === undefined) return settings;
  const known = Object.keys(configVariables);
  const meant = nearest(unknown, known);
  const hint = meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`;
  throw new PatchpanelError('invalid', `${file} has a setting ${unknown}; ${hint}`);
}

function readOptionalFile(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new PatchpanelError('invalid', `cannot read ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** Text that is a number as a number; anything else as it is, for the schema to judge. */
function numberFromText(value: unknown): unknown {
  return typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
}
