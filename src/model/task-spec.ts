import { z } from 'zod';
import { maxProbeSeconds } from './bounds.ts';

/** What is asked of a task to learn whether it is well. */
export const probeSpecSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('http'),
    scheme: z.enum(['http', 'https']),
    port: z.int().min(1).max(65_535),
    path: z.string().startsWith('/'),
    /** An informational answer (status below 200) is no result instead of a failure. */
    ignore1xx: z.boolean(),
    /** What counts as a success; 200 to 399 unless told. */
    statuses: z.array(z.int()).optional(),
    /** The answer is told with the outcome. */
    keepsResponse: z.boolean().optional(),
  }),
  z.object({ kind: z.literal('tcp'), port: z.int().min(1).max(65_535) }),
  /** `/bin/sh -c command` in the app's container. */
  z.object({ kind: z.literal('command'), command: z.string().min(1) }),
]);

export type ProbeSpec = z.infer<typeof probeSpecSchema>;

/** One health check with everything resolved: ports are numbers, times are milliseconds. */
export const checkSpecSchema = z.object({
  probe: probeSpecSchema,
  /** From the start of the app to the first probe. */
  delayMs: z.int().nonnegative(),
  /** Failures so soon after the start are not counted until the first success. */
  graceMs: z.int().nonnegative(),
  intervalMs: z.int().positive(),
  /** What timers can count: a longer one would end at once. */
  timeoutMs: z
    .int()
    .positive()
    .max(maxProbeSeconds * 1000),
  /** Failures in a row after which the task has to be replaced; 0: never. */
  maxConsecutiveFailures: z.int().nonnegative(),
});

export type CheckSpec = z.infer<typeof checkSpecSchema>;

/** Asked until the first success: then the task is ready and stays so. */
export const readinessSpecSchema = checkSpecSchema.pick({ probe: true, intervalMs: true, timeoutMs: true });

/** A file to bring into the task's sandbox before it starts. */
export const fetchItemSchema = z.object({
  uri: z.string(),
  extract: z.boolean(),
  executable: z.boolean(),
  cache: z.boolean(),
  destPath: z.string().optional(),
});

export type FetchItem = z.infer<typeof fetchItemSchema>;

/** A file with a secret, of the task alone. */
export const secretFileSchema = z.object({
  containerPath: z.string(),
  /** In base64. A secret. */
  content: z.string(),
});

export type SecretFile = z.infer<typeof secretFileSchema>;

/** By what an executor shows the scheduler whose it is, and by what it knows the scheduler. A secret. */
export const schedulerAccessSchema = z.object({
  /** Good for the one host only. */
  token: z.string(),
  /** PEM of the authority to trust; the ones of the system when absent. */
  authority: z.string().optional(),
});

export type SchedulerAccess = z.infer<typeof schedulerAccessSchema>;

/**
 * What an executor needs to run one task, carried as JSON in `TaskInfo.data`. Versioned by `schema`; an executor
 * refuses a schema that it does not know.
 */
export const taskSpecSchema = z.object({
  schema: z.literal(1),
  taskId: z.string(),
  appId: z.string(),
  /** `/web#0`; (slot, epoch) names this incarnation for ever. */
  slot: z.string(),
  slotIndex: z.int().nonnegative(),
  epoch: z.int().positive(),
  appVersion: z.string(),
  image: z.string(),
  forcePullImage: z.boolean(),
  privileged: z.boolean(),
  parameters: z.array(z.object({ key: z.string(), value: z.string() })),
  /** `/bin/sh -c cmd`. */
  cmd: z.string().optional(),
  /** Arguments for the image's entrypoint. */
  args: z.array(z.string()),
  user: z.string().optional(),
  /** Complete: Marathon's injected variables, then the user's own, which win. Some may be secrets. */
  env: z.record(z.string(), z.string()),
  labels: z.record(z.string(), z.string()),
  fetch: z.array(fetchItemSchema).default([]),
  secretFiles: z.array(secretFileSchema).default([]),
  /** Docker's configuration with credentials for the image's registry. A secret. */
  pullConfig: z.string().optional(),
  tty: z.boolean().default(false),
  limits: z
    .object({
      cpus: z.number().positive().optional(),
      memMib: z.union([z.number(), z.literal('unlimited')]).optional(),
    })
    .default({}),
  /** Why the task cannot be run after all, as the scheduler sees it: it is refused with this. */
  problem: z.string().optional(),
  volumes: z.array(z.object({ containerPath: z.string(), hostPath: z.string(), mode: z.enum(['RO', 'RW']) })),
  cpus: z.number(),
  /** MiB */
  memMib: z.number(),
  killGraceMs: z.int().nonnegative(),
  healthChecks: z.array(checkSpecSchema).default([]),
  readinessCheck: readinessSpecSchema.optional(),
  network: z.discriminatedUnion('mode', [
    z.object({
      mode: z.literal('switch'),
      name: z.string(),
      ip: z.string(),
      prefixLength: z.int(),
      mac: z.string(),
      gateway: z.string(),
      mtu: z.int(),
      /** First label, `0-web`: what `hostname` prints inside. */
      hostname: z.string(),
      /** `patchpanel.internal`: the search domain. */
      domain: z.string(),
      dns: z.array(z.string()),
    }),
    z.object({ mode: z.literal('host') }),
  ]),
  /** Where the executor finds the leader's API; it may move later, then a framework message tells. */
  schedulerUrl: z.string(),
  schedulerAccess: schedulerAccessSchema.optional(),
});

export type TaskSpec = z.infer<typeof taskSpecSchema>;
export type SwitchNetworkSpec = Extract<TaskSpec['network'], { mode: 'switch' }>;
