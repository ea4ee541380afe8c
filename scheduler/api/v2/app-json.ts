import { z } from 'zod';
import { maxInstances, maxProbeSeconds, maxSeconds } from '../../../src/model/bounds.ts';

/**
 * Marathon's app JSON as people send it: the 1.5+ form and the older fields that it replaced. Shapes and simple bounds
 * only; what depends on several fields is checked in normalise.ts.
 */
const text = z.string();
const textMap = z.record(z.string(), z.string());

/** One of a few words, in upper or lower case as one likes: Marathon reads them so. */
const oneOf = <const Words extends readonly [string, ...string[]]>(...words: Words) =>
  z.preprocess(
    (given) =>
      typeof given === 'string'
        ? (words.find((word) => word.toLowerCase() === given.toLowerCase()) ?? given)
        : given,
    z.enum(words),
  );

const protocol = oneOf('tcp', 'udp', 'udp,tcp', 'tcp,udp');
const port = z.int().min(0).max(65_535);

const portDefinition = z.object({
  port: port.optional(),
  protocol: protocol.optional(),
  name: text.optional(),
  labels: textMap.optional(),
});

const portMapping = z.object({
  containerPort: port.optional(),
  hostPort: port.optional(),
  servicePort: port.optional(),
  protocol: protocol.optional(),
  name: text.optional(),
  labels: textMap.optional(),
  networkNames: z.array(text).optional(),
});

const volume = z.object({
  name: text.optional(),
  containerPath: text.optional(),
  hostPath: text.optional(),
  mode: oneOf('RO', 'RW').optional(),
  persistent: z.unknown().optional(),
  external: z.unknown().optional(),
  secret: text.min(1).optional(),
});

const docker = z.object({
  image: text.min(1),
  forcePullImage: z.boolean().optional(),
  privileged: z.boolean().optional(),
  parameters: z.array(z.object({ key: text.min(1), value: text })).optional(),
  pullConfig: z.object({ secret: text.min(1) }).optional(),
  credential: z.unknown().optional(),
  network: oneOf('BRIDGE', 'HOST', 'NONE', 'USER').optional(),
  portMappings: z.array(portMapping).optional(),
});

const container = z.object({
  type: oneOf('DOCKER', 'MESOS').optional(),
  docker: docker.optional(),
  volumes: z.array(volume).optional(),
  portMappings: z.array(portMapping).optional(),
  linuxInfo: z.unknown().optional(),
});

const network = z.object({
  mode: oneOf('container', 'container/bridge', 'host').optional(),
  name: text.optional(),
  labels: textMap.optional(),
});

const seconds = z.int().min(0).max(maxSeconds);
const probeSeconds = z.int().min(0).max(maxProbeSeconds);
const fractionalSeconds = z.number().min(0).max(maxSeconds);
const limit = z.union([z.number().min(0), z.literal('unlimited')], {
  error: ({ input }) => `'${String(input)}' is an invalid resource limit. It must be 'unlimited' or a number`,
});

const healthCheck = z.object({
  protocol: oneOf('HTTP', 'HTTPS', 'TCP', 'COMMAND', 'MESOS_HTTP', 'MESOS_HTTPS', 'MESOS_TCP').optional(),
  path: text.optional(),
  portIndex: z.int().min(0).optional(),
  port: port.optional(),
  command: z.object({ value: text.min(1) }).optional(),
  gracePeriodSeconds: seconds.optional(),
  intervalSeconds: seconds.optional(),
  timeoutSeconds: probeSeconds.optional(),
  maxConsecutiveFailures: z.int().min(0).optional(),
  delaySeconds: seconds.optional(),
  ignoreHttp1xx: z.boolean().optional(),
  ipProtocol: oneOf('IPv4', 'IPv6').optional(),
});

const readinessCheck = z.object({
  name: text.optional(),
  protocol: oneOf('HTTP', 'HTTPS').optional(),
  path: text.optional(),
  portName: text.optional(),
  intervalSeconds: seconds.min(1).optional(),
  timeoutSeconds: probeSeconds.min(1).optional(),
  httpStatusCodesForReady: z.array(z.int().min(100).max(999)).optional(),
  preserveLastResponse: z.boolean().optional(),
});

const fetchUri = z.object({
  uri: text.min(1).max(1024),
  extract: z.boolean().optional(),
  executable: z.boolean().optional(),
  cache: z.boolean().optional(),
  destPath: text.optional(),
});

export const appJsonSchema = z.object({
  id: text.min(1),
  cmd: text.min(1).optional(),
  args: z.array(text).optional(),
  instances: z.int().min(0).max(maxInstances).optional(),
  cpus: z.number().min(0.001).optional(),
  mem: z.number().min(0).optional(),
  disk: z.number().min(0).optional(),
  gpus: z.int().min(0).optional(),
  env: z
    .record(
      z.string(),
      z.union([text, z.object({ secret: text })], {
        error: 'must be a string, or {"secret": "name"}: put quotes around numbers, true and false',
      }),
    )
    .optional(),
  secrets: z.record(z.string(), z.object({ source: text.min(1) })).optional(),
  labels: textMap.optional(),
  user: text.min(1).optional(),
  role: text.optional(),
  executor: text.optional(),
  executorResources: z.unknown().optional(),
  resourceLimits: z.object({ cpus: limit.optional(), mem: limit.optional() }).optional(),
  container: container.optional(),
  networks: z.array(network).optional(),
  ipAddress: z
    .object({
      networkName: text.optional(),
      discovery: z.unknown().optional(),
      labels: textMap.optional(),
      groups: z.array(text).optional(),
    })
    .optional(),
  portDefinitions: z.array(portDefinition).optional(),
  ports: z.array(port).optional(),
  requirePorts: z.boolean().optional(),
  constraints: z.array(z.array(text)).optional(),
  acceptedResourceRoles: z.array(text).min(1).optional(),
  dependencies: z.array(text).optional(),
  fetch: z.array(fetchUri).optional(),
  uris: z.array(text.min(1).max(1024)).optional(),
  storeUrls: z.unknown().optional(),
  healthChecks: z.array(healthCheck).optional(),
  readinessChecks: z.array(readinessCheck).max(1).optional(),
  check: z.unknown().optional(),
  backoffSeconds: fractionalSeconds.optional(),
  backoffFactor: z.number().min(1).optional(),
  maxLaunchDelaySeconds: fractionalSeconds.optional(),
  upgradeStrategy: z
    .object({
      maximumOverCapacity: z.number().min(0).max(1),
      minimumHealthCapacity: z.number().min(0).max(1),
    })
    .optional(),
  unreachableStrategy: z
    .union(
      [
        z.literal('disabled'),
        z.object({ inactiveAfterSeconds: seconds.default(0), expungeAfterSeconds: seconds.default(0) }),
      ],
      { error: 'must be "disabled", or an object with inactiveAfterSeconds and expungeAfterSeconds' },
    )
    .optional(),
  killSelection: oneOf('YOUNGEST_FIRST', 'OLDEST_FIRST').optional(),
  taskKillGracePeriodSeconds: seconds.optional(),
  residency: z.unknown().optional(),
  tty: z.boolean().optional(),
  // Run-time fields that clients send back after a GET; read and dropped.
  version: text.optional(),
  versionInfo: z.unknown().optional(),
  deployments: z.unknown().optional(),
  tasks: z.unknown().optional(),
  tasksStaged: z.unknown().optional(),
  tasksRunning: z.unknown().optional(),
  tasksHealthy: z.unknown().optional(),
  tasksUnhealthy: z.unknown().optional(),
  lastTaskFailure: z.unknown().optional(),
  readinessCheckResults: z.unknown().optional(),
  tasksStats: z.unknown().optional(),
});

/** Marathon's app JSON after the shape check. */
export type AppJson = z.infer<typeof appJsonSchema>;

/** A PUT or PATCH body: any field may be absent. */
export const appUpdateSchema = appJsonSchema.partial();
export type AppUpdateJson = z.infer<typeof appUpdateSchema>;
