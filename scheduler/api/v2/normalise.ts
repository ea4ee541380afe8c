import type {
  App,
  AppNetwork,
  Constraint,
  FetchUri,
  HealthCheck,
  ReadinessCheck,
} from '../../../src/model/app.ts';
import { isSingleInstance } from '../../../src/model/app-rules.ts';
import { deploymentPolicyProblems } from '../../../src/model/deployment-policy.ts';
import { handoverProblems } from '../../../src/model/handover.ts';
import { placementLabel, placementProblem } from '../../../src/model/placement.ts';
import { versionAt, type AppId, type NetworkName, type PathId } from '../../../src/model/ids.ts';
import { nameProblem } from '../../../src/fabric/names.ts';
import { Details, type Detail } from '../problems.ts';
import { parseAppId, readDependencies } from './app-id.ts';
import type { AppJson } from './app-json.ts';
import { networkOf } from './app-network.ts';
import { portsOf, type Ports } from './app-ports.ts';
import type { NormaliseDefaults } from './normalise-defaults.ts';
import { healthChecksOf } from './health-checks.ts';
import { readinessChecksOf } from './readiness-checks.ts';
import { fetchOf } from './app-files.ts';
import { secretsOf, type Secretive } from './app-secrets.ts';
import { checkUnsupported } from './unsupported.ts';
import { parseConstraints } from './constraints.ts';

export type Normalised =
  | { readonly kind: 'app'; readonly app: App }
  | { readonly kind: 'invalid'; readonly details: readonly Detail[] };

const commandRule = "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.";

/**
 * Marathon's JSON, old forms included, → an app with every default filled in; or every error, by path. The version
 * fields are placeholders that the core replaces. What an app may be (app-rules.ts) the core judges, which knows what
 * it was.
 */
export function normalise(json: AppJson, defaults: NormaliseDefaults): Normalised {
  const details = new Details();
  const id = parseAppId(json.id);
  if ('error' in id) details.add('/id', id.error);
  checkUnsupported(json, details);
  checkCommand(json, defaults, details);
  checkLimits(json, details);
  const network = networkOf(json, defaults, details);
  const labels = json.labels ?? {};
  for (const { label, problem } of [...handoverProblems(labels), ...deploymentPolicyProblems(labels)]) {
    details.add(`/labels/${label}`, problem);
  }
  const misplaced = placementProblem(json.labels ?? {});
  if (misplaced !== undefined) details.add(`/labels/${placementLabel}`, misplaced);
  if ('id' in id && network.mode !== 'host') checkName(id.id, network.name, defaults, details);
  const ports = portsOf(json, network, defaults, details);
  const named = network.mode === 'host' ? ports.definitions : ports.mappings;
  const checked: Parsed = {
    secretive: secretsOf(json, defaults, details),
    fetch: fetchOf(json, details),
    constraints: parseConstraints(json.constraints ?? [], details),
    dependencies: 'id' in id ? readDependencies(json.dependencies ?? [], id.id, details) : [],
    healthChecks: healthChecksOf(json.healthChecks ?? [], named.length, details),
    readinessChecks: readinessChecksOf(
      json.readinessChecks ?? [],
      named.flatMap(({ name }) => name ?? []),
      details,
    ),
  };
  checkStrategies(json, defaults.role, details);
  checkLabels(json, details);
  const image = json.container?.docker?.image ?? defaults.defaultImage;
  if ('error' in id || image === undefined) return { kind: 'invalid', details: details.list() };
  const app = assemble(json, id.id, image, network, ports, checked, defaults);
  checkSize(app, details);
  return details.empty ? { kind: 'app', app } : { kind: 'invalid', details: details.list() };
}

/** Of an app's definition as JSON. Each task carries it through Mesos, and each version of it is kept. */
const maxDefinitionBytes = 1024 * 1024;

function checkSize(app: App, details: Details): void {
  const bytes = Buffer.byteLength(JSON.stringify(app));
  details.require(
    bytes <= maxDefinitionBytes,
    '/',
    `the definition takes ${bytes} bytes, and one may take ${maxDefinitionBytes}: put large texts into the image or ` +
      `into files that the task fetches (fetch), not into env, labels, cmd or args`,
  );
}

/** Lists that were parsed and checked on their own. */
interface Parsed {
  readonly secretive: Secretive;
  readonly fetch: readonly FetchUri[];
  readonly constraints: readonly Constraint[];
  readonly dependencies: readonly PathId[];
  readonly healthChecks: readonly HealthCheck[];
  readonly readinessChecks: readonly ReadinessCheck[];
}

function assemble(
  json: AppJson,
  id: AppId,
  image: string,
  network: AppNetwork,
  ports: Ports,
  { secretive, fetch, constraints, dependencies, healthChecks, readinessChecks }: Parsed,
  defaults: NormaliseDefaults,
): App {
  const version = versionAt(defaults.now);
  return {
    id,
    ...(json.cmd === undefined ? {} : { cmd: json.cmd }),
    args: json.args ?? [],
    instances: json.instances ?? 1,
    cpus: json.cpus ?? 1,
    mem: json.mem ?? 128,
    disk: json.disk ?? 0,
    gpus: 0,
    env: json.env ?? {},
    ...(Object.keys(secretive.secrets).length === 0 ? {} : { secrets: secretive.secrets }),
    labels: json.labels ?? {},
    ...(json.user === undefined ? {} : { user: json.user }),
    ...(json.tty === true ? { tty: true } : {}),
    ...limitsOf(json),
    container: {
      image,
      forcePullImage: json.container?.docker?.forcePullImage ?? false,
      privileged: json.container?.docker?.privileged ?? false,
      parameters: json.container?.docker?.parameters ?? [],
      volumes: secretive.volumes,
      ...(secretive.pullConfig === undefined ? {} : { pullConfig: secretive.pullConfig }),
      portMappings: ports.mappings,
    },
    network,
    portDefinitions: ports.definitions,
    requirePorts: json.requirePorts ?? false,
    constraints,
    acceptedResourceRoles: [...new Set(json.acceptedResourceRoles)],
    role: json.role ?? defaults.role,
    dependencies,
    fetch,
    healthChecks,
    readinessChecks,
    backoffSeconds: json.backoffSeconds ?? 1,
    backoffFactor: json.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: json.maxLaunchDelaySeconds ?? 300,
    upgradeStrategy: json.upgradeStrategy ?? defaultUpgrade(json),
    unreachableStrategy: json.unreachableStrategy ?? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    killSelection: json.killSelection ?? 'YOUNGEST_FIRST',
    ...(json.taskKillGracePeriodSeconds === undefined
      ? {}
      : { taskKillGracePeriodSeconds: json.taskKillGracePeriodSeconds }),
    executor: '',
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
  };
}

function checkName(id: AppId, network: NetworkName, defaults: NormaliseDefaults, details: Details): void {
  const domain = defaults.domainOf(network);
  const problem = domain === undefined ? undefined : nameProblem(id, domain);
  if (problem !== undefined) details.add('/id', problem);
}

function checkCommand(json: AppJson, defaults: NormaliseDefaults, details: Details): void {
  details.require(
    json.cmd === undefined || json.args === undefined || json.args.length === 0,
    '/',
    commandRule,
  );
  const image = json.container?.docker?.image;
  details.require(
    (image ?? defaults.defaultImage) !== undefined,
    '/container/docker/image',
    'must not be empty: every app runs a Docker image here',
  );
  details.require(
    image !== undefined || json.cmd !== undefined || (json.args ?? []).length > 0,
    '/',
    commandRule,
  );
  for (const name of Object.keys(json.env ?? {})) {
    details.require(
      name !== '' && !name.includes('='),
      `/env/${name}`,
      'must be a variable name without "="',
    );
  }
}

/** An app that may only ever have one instance goes before it comes. */
const defaultUpgrade = (json: AppJson): App['upgradeStrategy'] =>
  isSingleInstance(json.labels ?? {})
    ? { maximumOverCapacity: 0, minimumHealthCapacity: 0 }
    : { maximumOverCapacity: 1, minimumHealthCapacity: 1 };

function limitsOf({ resourceLimits: { cpus, mem } = {} }: AppJson): Pick<App, 'resourceLimits'> {
  if (cpus === undefined && mem === undefined) return {};
  return {
    resourceLimits: { ...(cpus === undefined ? {} : { cpus }), ...(mem === undefined ? {} : { mem }) },
  };
}

function checkLimits(json: AppJson, details: Details): void {
  const requested = { cpus: json.cpus ?? 1, mem: json.mem ?? 128 };
  for (const name of ['cpus', 'mem'] as const) {
    const limit = json.resourceLimits?.[name];
    details.require(
      limit === undefined || limit === 'unlimited' || limit >= requested[name],
      `/resourceLimits/${name}`,
      `resource limit must be greater than or equal to requested resource (${requested[name]})`,
    );
  }
}

function checkLabels(json: AppJson, details: Details): void {
  const labels = json.labels ?? {};
  if (labels['DCOS_MIGRATION_API_VERSION'] !== undefined) {
    for (const name of ['DCOS_PACKAGE_FRAMEWORK_NAME', 'DCOS_MIGRATION_API_PATH']) {
      details.require(
        labels[name] !== undefined,
        '/labels',
        `${name} must be defined when using DCOS_MIGRATION_API_VERSION`,
      );
    }
  }
}

function checkStrategies(json: AppJson, role: string, details: Details): void {
  const strategy = json.unreachableStrategy;
  if (strategy !== undefined && strategy !== 'disabled') {
    details.require(
      strategy.inactiveAfterSeconds <= strategy.expungeAfterSeconds,
      '/unreachableStrategy',
      `inactiveAfterSeconds (${strategy.inactiveAfterSeconds}) must be less or equal to expungeAfterSeconds, which is ${strategy.expungeAfterSeconds}`,
    );
  }
  for (const accepted of json.acceptedResourceRoles ?? []) {
    if (accepted !== '*' && accepted !== role) {
      details.add('/acceptedResourceRoles', `acceptedResourceRoles can only contain * and ${role}`);
    }
  }
  details.require(
    json.role === undefined || json.role === role,
    '/role',
    `got ${json.role}, expected one of: ${role}`,
  );
}
