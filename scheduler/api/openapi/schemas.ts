import { z } from 'zod';
import { appJsonSchema } from '../v2/app-json.ts';
import { name } from './operation.ts';

const text = z.string();
const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 }).describe('UTC with milliseconds');
const anything = z.record(text, z.unknown());

/** What every refusal looks like. */
export const problem = name(
  'Problem',
  z.object({
    message: text,
    details: z
      .union([text, z.array(z.object({ path: text, errors: z.array(text) }))])
      .optional()
      .describe('errors by path, or what the parser of JSON said'),
    deployments: z
      .array(z.object({ id: text }))
      .optional()
      .describe('which deployments hold the lock'),
  }),
);

/** The answer to most changes. */
export const deploymentResult = name('DeploymentResult', z.object({ version: time, deploymentId: text }));

const healthCheckResult = z.object({
  alive: z.boolean(),
  consecutiveFailures: count,
  firstSuccess: time.optional(),
  lastSuccess: time.optional(),
  lastFailure: time.optional(),
  lastFailureCause: text.optional(),
  instanceId: text,
});

/** A task, with its slot where the client wants what Marathon does not have. */
export const task = name(
  'Task',
  z.object({
    id: text,
    appId: text,
    host: text,
    slaveId: text,
    state: text.describe('TASK_RUNNING and so on'),
    ports: z.array(count).describe('host ports'),
    servicePorts: z.array(count).optional(),
    ipAddresses: z.array(z.object({ ipAddress: text, protocol: z.enum(['IPv4', 'IPv6']) })),
    stagedAt: time,
    startedAt: time.optional(),
    version: time,
    healthCheckResults: z.array(healthCheckResult).optional(),
    localVolumes: z.array(anything),
    region: text.optional(),
    zone: text.optional(),
    role: text,
    patchpanel: z
      .object({
        slot: count.nullable(),
        epoch: count,
        endpoint: text,
        network: text.optional(),
        ip: text.optional(),
        mac: text.optional(),
        hostname: text.optional(),
        message: text.optional(),
      })
      .optional()
      .describe('not for clients that accept application/json and nothing else'),
  }),
);

const readinessResult = z.object({
  name: text,
  taskId: text,
  ready: z.boolean(),
  lastResponse: z
    .object({ status: count, contentType: text, body: text.describe('at most the first 4096 bytes') })
    .optional()
    .describe('of a check with preserveLastResponse'),
});

const stats = z
  .object({
    stats: z.object({
      counts: z.object({ staged: count, running: count, healthy: count, unhealthy: count }),
      lifeTime: z.object({ averageSeconds: z.number(), medianSeconds: z.number() }).optional(),
    }),
  })
  .optional();
const taskStats = z.object({
  startedAfterLastScaling: stats,
  withLatestConfig: stats,
  withOutdatedConfig: stats,
  totalSummary: stats,
});

/** A definition as it comes back: with defaults and versions. */
export const app = name(
  'App',
  appJsonSchema.extend({
    version: time,
    versionInfo: z.object({ lastScalingAt: time, lastConfigChangeAt: time }),
  }),
);

/** A definition with its run-time fields. */
export const appInfo = name(
  'AppInfo',
  app.extend({
    tasksStaged: count,
    tasksRunning: count,
    tasksHealthy: count,
    tasksUnhealthy: count,
    deployments: z.array(z.object({ id: text })),
    tasks: z.array(task).optional(),
    readinessCheckResults: z.array(readinessResult).optional(),
    lastTaskFailure: z
      .object({
        appId: text,
        host: text,
        message: text,
        state: text,
        taskId: text,
        timestamp: time,
        version: time,
        slaveId: text,
      })
      .optional(),
    taskStats: taskStats.optional(),
    tasksStats: taskStats.optional(),
  }),
);

/** A group with what is in it. */
export const groupInfo = name(
  'Group',
  z.object({
    id: text,
    apps: z.array(z.union([app, appInfo])).optional(),
    get groups() {
      return z.array(groupInfo).optional();
    },
    pods: z.array(anything).optional(),
    dependencies: z.array(text),
    version: time,
    enforceRole: z.boolean().optional(),
  }),
);

const action = z.object({ action: text, app: text });

/** A deployment under way. */
export const deployment = name(
  'Deployment',
  z.object({
    id: text,
    version: time,
    affectedApps: z.array(text),
    affectedPods: z.array(text),
    steps: z.array(z.object({ actions: z.array(action) })),
    currentActions: z.array(action.extend({ readinessCheckResults: z.array(readinessResult) })),
    currentStep: count,
    totalSteps: count,
  }),
);

const rejections = z.array(z.object({ reason: text, declined: count, processed: count }));

/** An app with tasks that are still to be launched. */
export const queueItem = name(
  'QueueItem',
  z.object({
    app,
    count,
    role: text.optional().describe('not for clients that accept application/json and nothing else'),
    delay: z.object({ timeLeftSeconds: count, overdue: z.boolean() }),
    since: time,
    processedOffersSummary: z.object({
      processedOffersCount: count,
      unusedOffersCount: count,
      lastUnusedOfferAt: time.optional(),
      lastUsedOfferAt: time.optional(),
      rejectSummaryLastOffers: rejections,
      rejectSummaryLaunchAttempt: rejections,
    }),
    lastUnusedOffers: z
      .array(z.object({ offer: anything, reason: z.array(text), timestamp: time }))
      .optional(),
  }),
);

/** `/v2/info`. */
export const info = name(
  'Info',
  z.object({
    name: text,
    version: text,
    buildref: text,
    elected: z.boolean(),
    leader: text.optional(),
    frameworkId: text.optional(),
    marathon_config: anything,
    zookeeper_config: anything,
    http_config: z.object({ http_port: count.nullable(), https_port: count.nullable() }),
  }),
);

/** Dropwizard's form of metrics. */
export const metrics = name(
  'Metrics',
  z.object({
    version: text,
    start: time,
    end: time,
    gauges: z.record(text, z.object({ value: z.number() })),
    counters: z.record(text, z.object({ count: z.number() })),
    histograms: z.record(text, z.object({ count, mean: z.number() })),
    meters: anything,
    timers: anything,
  }),
);
