import { hostname } from 'node:os';
import { z } from 'zod';
import { guardedDockerParameters } from '../src/model/docker-parameters.ts';
import { messageOf } from '../src/runtime/errors.ts';
import { isZooKeeperAddress, parseZooKeeperAddress } from '../src/zookeeper/address.ts';
import { placements } from '../src/model/placement.ts';
import { forbiddable } from '../src/model/app-rules.ts';

const address = z
  .string()
  .regex(
    /^(https?:\/\/)?(\[[0-9a-fA-F:.]+\]|[^:/\s]+):\d{1,5}$/,
    'must be host:port or https://host:port, for example 0.0.0.0:8080',
  )
  .transform((text) => {
    const hostAndPort = text.replace(/^https?:\/\//, '');
    const colon = hostAndPort.lastIndexOf(':');
    return {
      host: hostAndPort.slice(0, colon).replaceAll(/[[\]]/g, ''),
      port: Number(hostAndPort.slice(colon + 1)),
      tls: text.startsWith('https:'),
    };
  })
  .refine(({ port }) => port <= 65_535, 'the port must be at most 65535');

const splitAtCommas = (part: unknown): readonly unknown[] =>
  typeof part === 'string' ? part.split(',') : [part];

const isTree = (part: unknown): boolean => typeof part === 'string' && isZooKeeperAddress(part);

/** `a,b` or several values. */
const list = <T extends z.ZodType>(item: T) =>
  z.preprocess((value) => [value].flat().flatMap(splitAtCommas), z.array(item).min(1));

const zooKeeperTree = z.string().superRefine((text, context) => {
  try {
    const { path } = parseZooKeeperAddress(text);
    if (path === '') context.addIssue('needs a path of its own, for example zk://host:2181/patchpanel');
  } catch (error) {
    context.addIssue(messageOf(error));
  }
});

const master = z
  .string()
  .min(1)
  .refine(
    (text) => !/^(https?:\/\/)?[^/]*@/.test(text),
    'cannot hold a user: give --principal and --secret-file',
  );

/** One `zk://…`, whose commas are its own, or a list. */
const masters = z
  .preprocess(
    (value) => [value].flat().flatMap((part: unknown) => (isTree(part) ? [part] : splitAtCommas(part))),
    z.array(master).min(1),
  )
  .refine((all) => all.length === 1 || !all.some(isTree), 'zk://… finds all masters: give it alone')
  .superRefine((all, context) => {
    const problem = all
      .filter(isTree)
      .flatMap((tree) => zooKeeperTree.safeParse(tree).error?.issues ?? [])[0];
    if (problem !== undefined) context.addIssue(problem.message);
  });

const positive = z.coerce.number().positive();
const count = z.coerce.number().int().nonnegative();

/** Mesos: no leading slash or hyphen, no white space, no `.`, `..` or `*` among the parts; `*` alone is fine. */
const role = z
  .string()
  .regex(/^(\*|(?![-/])(?!.*(^|\/)(\.|\.\.|\*)(\/|$))[^\s/][^\s]*)$/, 'is not a Mesos role');

/** Everything that can be set. Flags win over the environment, that over the file, that over these defaults. */
export const configSchema = z.strictObject({
  /** Mesos masters to try in turn, or where they announce themselves in ZooKeeper. */
  master: masters,
  /** Where the API listens. */
  listen: list(address).default([{ host: '127.0.0.1', port: 8080, tls: false }]),
  /** How executors and the Mesos fetcher reach the API. */
  advertiseUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** Where Mesos sends people who look for the framework. */
  webuiUrl: z.url({ protocol: /^https?$/ }).optional(),
  /** What a proxy puts before our paths; they are answered with it and without. */
  pathPrefix: z
    .string()
    .regex(/^(\/[A-Za-z0-9._~-]+)+\/?$/, 'must be a path such as /service/patchpanel')
    .transform((path) => path.replace(/\/$/, ''))
    .optional(),
  stateDir: z.string().min(1).default('/var/lib/patchpanel-scheduler'),
  /** Where several schedulers share their state and elect a leader; instead of the state directory. */
  zk: zooKeeperTree.optional(),
  /** Seconds after which a scheduler that is not heard of leads no more. */
  zkSessionTimeout: z.coerce.number().min(1).max(60).default(10),
  role: role.default('*'),
  frameworkName: z.string().min(1).default('patchpanel'),
  /** Whom executors run as. */
  user: z
    .string()
    // PATCHPANEL_USER=name:password is the command line's.
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]*$/, 'is no name of a system user')
    .default('root'),
  principal: z.string().min(1).optional(),
  /** The principal's secret itself. */
  secret: z.string().min(1).optional(),
  /** A file with the principal's secret. */
  secretFile: z.string().min(1).optional(),
  /** PEM files of the certificate (with its chain) and the key of the `https://` addresses. */
  tlsCert: z.string().min(1).optional(),
  tlsKey: z.string().min(1).optional(),
  /** PEM file of the authority that executors are to trust, where it is not one that everybody trusts. */
  tlsCa: z.string().min(1).optional(),
  /** JSON file of those who may use the API; without it everybody may. */
  usersFile: z.string().min(1).optional(),
  /** `name:password` of the one user who may use the API, where there is no file of users. */
  httpCredentials: z
    .string()
    .regex(/^[^:]+:./, 'must be name:password')
    .optional(),
  /** Origins whose pages may read the API; `*`: all. */
  accessControlAllowOrigin: list(z.string().min(1)).or(z.tuple([])).default([]),
  /** Where it is written down who changed what. */
  auditFile: z.string().min(1).optional(),
  /** Requests a second that one address may make; 0: any number. */
  rateLimit: count.default(0),
  /** Directory of secrets for apps, each a file. */
  secretsDir: z.string().min(1).optional(),
  /** What an app runs that names no image. */
  defaultImage: z.string().min(1).optional(),
  /** Goes before the names HOST, PORT… in the environment of tasks. */
  envVarsPrefix: z
    .string()
    .regex(/^[A-Za-z0-9_]*$/, 'must be letters, digits and _')
    .default(''),
  /** Docker parameters that apps may use besides those that are always allowed. */
  allowDockerParameter: list(z.enum(guardedDockerParameters as [string, ...string[]]))
    .or(z.tuple([]))
    .default([]),
  /** What no app may ask for. */
  forbid: list(z.enum(forbiddable)).or(z.tuple([])).default([]),
  encoding: z.enum(['protobuf', 'json']).default('protobuf'),
  /** Made by the build: names the executor's tarball beside it. */
  executorManifest: z.string().min(1).optional(),
  executorCpus: positive.default(0.1),
  /** MiB */
  executorMem: positive.default(128),
  /** JSON list of networks to have beside the default one. */
  networksFile: z.string().min(1).optional(),
  /** `flow`: one tunnel port on each host; `mesh`: one for each peer. */
  interconnect: z.enum(['flow', 'mesh']).default('flow'),
  /** What frames between hosts are wrapped in. */
  encapsulation: z.enum(['vxlan', 'geneve']).default('vxlan'),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  /** Seconds that the tasks outlive a scheduler that is gone. */
  failoverTimeout: positive.default(604_800),
  hostname: z.string().min(1).default(hostname()),
  /** Seconds that an unused offer is refused for. */
  declineSeconds: count.default(120),
  /** Which hosts apps prefer that do not say it by a label. */
  placement: z.enum(placements).default('spread'),
  /** What of an offer apps use that have no `acceptedResourceRoles`. */
  acceptedResourceRolesDefaultBehavior: z.enum(['any', 'unreserved', 'reserved']).default('any'),
  /** Launches in each interval, those that run by then not counted; 0: any number. */
  launchTokens: count.default(0),
  /** Seconds. */
  launchTokenInterval: positive.default(30),
  /** Launches on one host's offers at a time; 0: any number. */
  maxInstancesPerOffer: count.default(0),
  /** Seconds before announced maintenance in which nothing is launched on the agent. */
  drainingSeconds: count.default(600),
  /** Seconds between two requests for offers, at least. */
  minReviveInterval: positive.default(5),
  /** Seconds between repeated kills of a task. */
  killRetry: positive.default(10),
  /** Seconds that a task may take to run. */
  launchTimeout: positive.default(300),
  /** Seconds between two reconciliations. */
  reconcileInterval: positive.default(600),
  /** Seconds that an old incarnation waits for hosts that do not acknowledge its successor. */
  flipDeadline: positive.default(10),
  /** Seconds that a replaced unreachable instance is remembered, to be killed when it comes back. */
  unreachableKeep: positive.default(86_400),
  /** Older definitions that are kept of each app. */
  maxVersions: count.default(50),
  /** Accepted changes that are remembered, for older versions of groups. */
  maxRevisions: count.default(500),
  /** Deployments that may run at the same time. */
  maxRunningDeployments: count.min(1).default(100),
  /** Deployments that are remembered after their end. */
  maxEndedDeployments: count.default(100),
  /** Seconds that a deployment may take whose apps do not say; 0: as long as it takes. */
  deploymentDeadline: count.default(0),
});

/** The settings of one scheduler process. */
export type Config = z.infer<typeof configSchema>;

/** The settings as they may be printed: without secrets. */
export function printable(config: Config): Readonly<Record<string, unknown>> {
  const listen = config.listen.map(({ host, port, tls }) => `${tls ? 'https://' : ''}${host}:${port}`);
  const { httpCredentials, secret, zk } = config;
  return {
    ...config,
    listen,
    master: config.master.map(withoutPassword),
    ...(zk === undefined ? {} : { zk: withoutPassword(zk) }),
    ...(httpCredentials === undefined ? {} : { httpCredentials: httpCredentials.replace(/:.*/s, ':***') }),
    ...(secret === undefined ? {} : { secret: '***' }),
  };
}

/** `zk://user:secret@host` → `zk://user:***@host` */
export const withoutPassword = (text: string): string => text.replace(/(\/\/[^/@:]*):[^/@]*@/, '$1:***@');

/** How executors reach us when the configuration does not say. */
export function advertiseUrl(config: Config): string {
  if (config.advertiseUrl !== undefined) return config.advertiseUrl.replace(/\/+$/, '');
  const [first] = config.listen;
  return `http${first?.tls === true ? 's' : ''}://${config.hostname}:${first?.port ?? 8080}`;
}
