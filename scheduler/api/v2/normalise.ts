import type { App, AppNetwork, Constraint, PortDefinition, PortMapping } from '../../../src/model/app.ts';
import { networkName, versionAt, type AppId, type NetworkName } from '../../../src/model/ids.ts';
import { parseDockerParameters } from '../../../src/model/docker-parameters.ts';
import { parsePinnedAddresses } from '../../../src/fabric/pinned.ts';
import { Details, type Detail } from '../problems.ts';
import { parseAppId } from './app-id.ts';
import type { AppJson } from './app-json.ts';
import { checkUnsupported } from './unsupported.ts';
import { parseConstraints } from './constraints.ts';

/** What normalisation fills in that is not in the JSON. */
export interface NormaliseDefaults {
  readonly role: string;
  readonly defaultNetwork: NetworkName;
  readonly now: number;
  /** Hands out the next free service port; throws when the range is used up. */
  readonly nextServicePort: () => number;
}

export type Normalised =
  | { readonly kind: 'app'; readonly app: App }
  | { readonly kind: 'invalid'; readonly details: readonly Detail[] };

/**
 * Marathon's JSON, old forms included, → an app with every default filled in; or every error, by path. The version
 * fields are placeholders that the core replaces.
 */
export function normalise(json: AppJson, defaults: NormaliseDefaults): Normalised {
  const details = new Details();
  const id = parseAppId(json.id);
  if ('error' in id) details.add('/id', id.error);
  checkUnsupported(json, details);
  checkCommand(json, details);
  const network = networkOf(json, defaults, details);
  const ports = portsOf(json, network, defaults, details);
  const constraints = parseConstraints(json.constraints ?? [], details);
  checkStrategies(json, defaults.role, details);
  checkParameters(json, details);
  const image = json.container?.docker?.image;
  if (!details.empty || 'error' in id || image === undefined)
    return { kind: 'invalid', details: details.list() };
  return { kind: 'app', app: assemble(json, id.id, image, network, ports, constraints, defaults) };
}

function assemble(
  json: AppJson,
  id: AppId,
  image: string,
  network: AppNetwork,
  ports: Ports,
  constraints: readonly Constraint[],
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
    env: plainEnv(json.env ?? {}),
    labels: json.labels ?? {},
    ...(json.user === undefined ? {} : { user: json.user }),
    container: {
      image,
      forcePullImage: json.container?.docker?.forcePullImage ?? false,
      privileged: json.container?.docker?.privileged ?? false,
      parameters: json.container?.docker?.parameters ?? [],
      volumes: (json.container?.volumes ?? []).map((volume) => ({
        containerPath: volume.containerPath ?? '',
        hostPath: volume.hostPath ?? '',
        mode: volume.mode ?? 'RW',
      })),
      portMappings: ports.mappings,
    },
    network,
    portDefinitions: ports.definitions,
    requirePorts: json.requirePorts ?? false,
    constraints,
    acceptedResourceRoles: json.acceptedResourceRoles ?? [],
    role: json.role ?? defaults.role,
    dependencies: [],
    fetch: [],
    healthChecks: [],
    readinessChecks: [],
    backoffSeconds: json.backoffSeconds ?? 1,
    backoffFactor: json.backoffFactor ?? 1.15,
    maxLaunchDelaySeconds: json.maxLaunchDelaySeconds ?? 300,
    upgradeStrategy: json.upgradeStrategy ?? { maximumOverCapacity: 1, minimumHealthCapacity: 1 },
    unreachableStrategy: json.unreachableStrategy ?? { inactiveAfterSeconds: 0, expungeAfterSeconds: 0 },
    killSelection: json.killSelection ?? 'YOUNGEST_FIRST',
    ...(json.taskKillGracePeriodSeconds === undefined
      ? {}
      : { taskKillGracePeriodSeconds: json.taskKillGracePeriodSeconds }),
    executor: json.executor ?? '',
    version,
    versionInfo: { lastScalingAt: version, lastConfigChangeAt: version },
  };
}

function plainEnv(env: NonNullable<AppJson['env']>): Record<string, string> {
  const plain: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (typeof value === 'string') plain[name] = value;
  return plain;
}

function checkCommand(json: AppJson, details: Details): void {
  details.require(
    json.cmd === undefined || json.args === undefined || json.args.length === 0,
    '/',
    "AppDefinition must either contain one of 'cmd' or 'args', and/or a 'container'.",
  );
  details.require(
    json.container?.docker?.image !== undefined,
    '/container/docker/image',
    'must not be empty: every app runs a Docker image here',
  );
  for (const name of Object.keys(json.env ?? {})) {
    details.require(
      name !== '' && !name.includes('='),
      `/env/${name}`,
      'must be a variable name without "="',
    );
  }
}

/** The one network of the app, from `networks`, `ipAddress` or `container.docker.network`. */
function networkOf(json: AppJson, defaults: NormaliseDefaults, details: Details): AppNetwork {
  const legacy = json.container?.docker?.network;
  const given = [json.networks, json.ipAddress, legacy].filter((form) => form !== undefined);
  if (json.networks !== undefined && json.ipAddress !== undefined) {
    details.add('/', 'must not specify both networks and ipAddress');
  } else if (json.networks !== undefined && legacy !== undefined) {
    details.add('/container/docker/network', 'must not specify both container.docker.network and networks');
  }
  if (given.length === 0) return { mode: 'host' };
  if (json.networks !== undefined) return declaredNetwork(json.networks, defaults, details);
  if (legacy === 'HOST') return { mode: 'host' };
  if (legacy === 'BRIDGE') refuseBridge('/container/docker/network', details);
  if (legacy === 'NONE') details.add('/container/docker/network', 'NONE is not supported: use USER or HOST');
  return containerNetwork(
    json.ipAddress?.networkName,
    json.ipAddress?.labels ?? {},
    '/ipAddress',
    defaults,
    details,
  );
}

function declaredNetwork(
  networks: NonNullable<AppJson['networks']>,
  defaults: NormaliseDefaults,
  details: Details,
): AppNetwork {
  const [network] = networks;
  if (network === undefined) return { mode: 'host' };
  if (networks.length > 1) {
    details.add(
      '/networks',
      'may only specify a single container network when using the Docker container engine',
    );
  }
  switch (network.mode ?? 'container') {
    case 'host':
      details.require(
        network.name === undefined && network.labels === undefined,
        '/networks(0)',
        'Host networks may not have names or labels',
      );
      return { mode: 'host' };
    case 'container/bridge':
      refuseBridge('/networks(0)/mode', details);
      return { mode: 'host' };
    case 'container':
      return containerNetwork(network.name, network.labels ?? {}, '/networks(0)', defaults, details);
  }
}

function refuseBridge(path: string, details: Details): void {
  details.add(
    path,
    'container/bridge is not supported: use mode "container", which gives each instance an address of its own, or "host"',
  );
}

function containerNetwork(
  name: string | undefined,
  labels: Readonly<Record<string, string>>,
  path: string,
  defaults: NormaliseDefaults,
  details: Details,
): AppNetwork {
  if (name !== undefined && !/^[a-z0-9]([-a-z0-9_]{0,61}[a-z0-9])?$/.test(name)) {
    details.add(
      `${path}/name`,
      'must fully match regular expression ^[a-z0-9]([-a-z0-9_]*[a-z0-9])?$, 63 at most',
    );
  }
  const pinText = labels['patchpanel.ip'];
  let pinned: readonly string[] = [];
  if (pinText !== undefined) {
    const parsed = parsePinnedAddresses(pinText);
    if (parsed.kind === 'addresses') pinned = parsed.addresses;
    else details.add(`${path}/labels/patchpanel.ip`, parsed.problem);
  }
  return {
    mode: 'container',
    name: name === undefined ? defaults.defaultNetwork : networkName(name),
    labels,
    pinned,
  };
}

interface Ports {
  readonly definitions: readonly PortDefinition[];
  readonly mappings: readonly PortMapping[];
}

function portsOf(json: AppJson, network: AppNetwork, defaults: NormaliseDefaults, details: Details): Ports {
  const mappings = json.container?.portMappings ?? json.container?.docker?.portMappings;
  if (network.mode === 'container') {
    checkNames(mappings, '/container/portMappings', details);
    details.require(
      json.portDefinitions === undefined || json.portDefinitions.length === 0,
      '/portDefinitions',
      'portDefinitions are only allowed with host-networking',
    );
    return { definitions: [], mappings: (mappings ?? []).map((m, i) => mappingOf(m, i, defaults, details)) };
  }
  details.require(
    mappings === undefined || mappings.length === 0,
    '/container/portMappings',
    'portMappings are not allowed with host-networking',
  );
  return { definitions: hostPorts(json, defaults, details), mappings: [] };
}

type MappingJson = NonNullable<NonNullable<AppJson['container']>['portMappings']>[number];

function mappingOf(
  json: MappingJson,
  index: number,
  defaults: NormaliseDefaults,
  details: Details,
): PortMapping {
  details.require(
    json.hostPort === undefined,
    `/container/portMappings(${index})/hostPort`,
    'host ports are not supported with container networks: the slot address is reached directly',
  );
  details.require(
    (json.containerPort ?? 0) !== 0,
    `/container/portMappings(${index})/containerPort`,
    'must be 1 to 65535 with container networks',
  );
  return {
    containerPort: json.containerPort ?? 0,
    servicePort: json.servicePort || defaults.nextServicePort(),
    protocol: protocolOf(json.protocol),
    ...(json.name === undefined ? {} : { name: json.name }),
    labels: json.labels ?? {},
  };
}

/** `portDefinitions`, or the older `ports`; one automatic port when neither is given. */
function hostPorts(json: AppJson, defaults: NormaliseDefaults, details: Details): PortDefinition[] {
  const given: readonly PortDefinitionJson[] | undefined =
    json.portDefinitions ?? json.ports?.map((port) => ({ port }));
  if (json.portDefinitions !== undefined && json.ports !== undefined) {
    const same = json.ports.every((port, i) => port === json.portDefinitions?.[i]?.port);
    details.require(same, '/ports', 'cannot specify both ports and port definitions');
  }
  checkNames(given, '/portDefinitions', details);
  const fixed = (given ?? []).map((definition) => definition.port ?? 0).filter((port) => port !== 0);
  details.require(new Set(fixed).size === fixed.length, '/portDefinitions', 'Ports must be unique.');
  return (given ?? [{ port: 0, name: 'default' }]).map((definition) => ({
    port: definition.port || defaults.nextServicePort(),
    protocol: protocolOf(definition.protocol),
    ...(definition.name === undefined ? {} : { name: definition.name }),
    labels: definition.labels ?? {},
  }));
}

type PortDefinitionJson = NonNullable<AppJson['portDefinitions']>[number];

function protocolOf(protocol: 'tcp' | 'udp' | 'udp,tcp' | 'tcp,udp' | undefined): 'tcp' | 'udp' | 'udp,tcp' {
  return protocol === 'tcp,udp' ? 'udp,tcp' : (protocol ?? 'tcp');
}

function checkNames(
  ports: readonly { readonly name?: string | undefined }[] | undefined,
  path: string,
  details: Details,
): void {
  const names = (ports ?? []).flatMap((port) => port.name ?? []);
  details.require(new Set(names).size === names.length, path, 'Port names must be unique.');
  ports?.forEach((port, index) => {
    details.require(
      port.name === undefined || /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(port.name),
      `${path}(${index})/name`,
      'must fully match regular expression ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    );
  });
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
  if (json.labels?.['MARATHON_SINGLE_INSTANCE_APP'] === 'true') {
    details.require(
      (json.instances ?? 1) <= 1,
      '/instances',
      'Single instance app may only have one instance',
    );
  }
}

function checkParameters(json: AppJson, details: Details): void {
  const { problems } = parseDockerParameters(json.container?.docker?.parameters ?? []);
  for (const { index, message } of problems)
    details.add(`/container/docker/parameters(${index})/key`, message);
}
