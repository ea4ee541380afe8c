import { z } from 'zod';
import { PatchpanelError } from '../runtime/errors.ts';

/** Longest name of a cluster: Linux allows 15 characters for a link and `<name>-mgmt` is one. */
const maxNameLength = 9;

/** Longest state directory: a Unix socket's path has at most 107 bytes and ours lie a few folders below it. */
const maxStateDirLength = 60;

const listenAddress = z
  .string()
  .regex(
    /^\d{1,3}(\.\d{1,3}){3}:\d{1,5}$/,
    'must be ip:port, for example 127.0.0.1:8080; port 0 takes a free one',
  );

const hostResources = z.object({
  cpus: z.number().positive(),
  /** MiB */
  mem: z.number().positive(),
  /** MiB */
  disk: z.number().positive(),
  ports: z.array(z.object({ begin: z.int().nonnegative(), end: z.int().max(65_535) })),
});

/** Options of the one-machine cluster; the defaults are those of `patchpanel dev`. */
const devClusterOptionsSchema = z.object({
  /** Names every link, namespace and process of the cluster: two clusters side by side need two names. */
  name: z
    .string()
    .max(maxNameLength)
    .regex(/^[a-z][a-z0-9]*$/, 'must be lower-case letters and digits and start with a letter')
    .default('pp'),
  hosts: z.int().min(1).max(64).default(3),
  /** Logs and everything else that has a file; `/var/lib/patchpanel-dev/<name>` unless told. */
  stateDir: z.string().startsWith('/').max(maxStateDirLength).optional(),
  /** Where people reach the scheduler's API. */
  api: listenAddress.default('127.0.0.1:8080'),
  masterListen: listenAddress.default('127.0.0.1:5050'),
  /** The controls (cut a host, restart its switch, …) over HTTP. */
  controlListen: listenAddress.default('127.0.0.1:5049'),
  /** False: master, agents and hosts only, for tests that bring their own framework. */
  scheduler: z.boolean().default(true),
  /** More than one: they share their state in a ZooKeeper of the cluster, one leads, and the masters are found there. */
  schedulers: z.int().min(1).max(5).default(1),
  /** More command line for the scheduler, after ours. */
  schedulerArgs: z.array(z.string()).default([]),
  /** Read by the executors through their agent, as `--executor_environment_variables` does; wins over ours. */
  executorEnv: z.record(z.string(), z.string()).default({}),
  /** Resources of each host. */
  resources: hostResources.default({
    cpus: 4,
    mem: 4096,
    disk: 10_000,
    ports: [{ begin: 31_000, end: 32_000 }],
  }),
  /** Subnets that containers get addresses from: unreachable outside the cluster's switches while it runs. */
  subnets: z.array(z.string()).default(['10.32.0.0/16']),
  /** The build's output; found beside this program unless told. */
  distDir: z.string().optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

/** As given: everything is optional. */
export type DevClusterOptions = z.input<typeof devClusterOptionsSchema>;

/** Complete and checked. */
export type DevClusterConfig = z.output<typeof devClusterOptionsSchema> & { readonly stateDir: string };

/**
 * Checks the options and fills in the defaults.
 * @throws PatchpanelError `invalid` that names the option
 */
export function devClusterConfig(options: DevClusterOptions): DevClusterConfig {
  const parsed = devClusterOptionsSchema.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new PatchpanelError('invalid', `option ${issue?.path.join('.')}: ${issue?.message}`);
  }
  return { ...parsed.data, stateDir: parsed.data.stateDir ?? `/var/lib/patchpanel-dev/${parsed.data.name}` };
}

/** What the controls tell of one host. */
export interface DevHostStatus {
  readonly name: string;
  readonly hostname: string;
  readonly netns: string;
  /** Address that the agent and the executor use towards master and scheduler. */
  readonly managementIp: string;
  /** Tunnel endpoint address. */
  readonly underlayIp: string;
  readonly power: 'on' | 'off';
  readonly management: 'up' | 'cut';
  readonly underlay: 'up' | 'cut';
  readonly switch: 'running' | 'stopped';
  readonly agent: 'running' | 'stopped';
  readonly agentId: string | undefined;
  readonly executorPids: readonly number[];
}

/** What the controls tell of one scheduler. */
export interface DevSchedulerStatus {
  readonly apiUrl: string;
  readonly state: 'running' | 'stopped';
}

/** What `patchpanel dev status` shows. */
export interface DevClusterStatus {
  readonly name: string;
  readonly stateDir: string;
  readonly apiUrl: string | undefined;
  readonly masterUrl: string;
  readonly controlUrl: string;
  readonly dockerHost: string;
  /** Of all schedulers: whether one of them runs. */
  readonly scheduler: 'running' | 'stopped' | 'none';
  readonly schedulers: readonly DevSchedulerStatus[];
  /** `127.0.0.1:port` of the cluster's ZooKeeper, where there are several schedulers. */
  readonly zookeeper: string | undefined;
  readonly hosts: readonly DevHostStatus[];
}
