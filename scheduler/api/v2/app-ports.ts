import { exposeLabel, isTunnelPort, parseExposure } from '../../../src/fabric/publication.ts';
import type { AppNetwork, PortDefinition, PortMapping } from '../../../src/model/app.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';
import type { NormaliseDefaults } from './normalise-defaults.ts';

/** The ports of an app: definitions on the host's network, mappings on a network of the switch. */
export interface Ports {
  readonly definitions: readonly PortDefinition[];
  readonly mappings: readonly PortMapping[];
}

/** Ports from the current and the older forms; problems are added by path. */
export function portsOf(
  json: AppJson,
  network: AppNetwork,
  defaults: NormaliseDefaults,
  details: Details,
): Ports {
  const mappings = json.container?.portMappings ?? json.container?.docker?.portMappings;
  if (network.mode === 'host') {
    details.require(
      mappings === undefined || mappings.length === 0,
      '/container/portMappings',
      'portMappings are not allowed with host-networking',
    );
    return { definitions: hostPorts(json, defaults, details), mappings: [] };
  }
  details.require(
    json.portDefinitions === undefined || json.portDefinitions.length === 0,
    '/portDefinitions',
    'portDefinitions are only allowed with host-networking',
  );
  // The older `ports` are of no use beside mappings, but clients of that time send them along.
  return { definitions: [], mappings: mappingsOf(mappings, network, defaults, details) };
}

type MappingJson = NonNullable<NonNullable<AppJson['container']>['portMappings']>[number];
type SwitchNetwork = Extract<AppNetwork, { name: unknown }>;

const path = (index: number): string => `/container/portMappings(${index})`;

/** One port of any number when none are given, as with Marathon. */
function mappingsOf(
  given: readonly MappingJson[] | undefined,
  network: SwitchNetwork,
  defaults: NormaliseDefaults,
  details: Details,
): PortMapping[] {
  checkNames(given, '/container/portMappings', details);
  const fixed = (given ?? []).flatMap(({ hostPort }) =>
    hostPort === undefined || hostPort === 0 ? [] : hostPort,
  );
  details.require(
    new Set(fixed).size === fixed.length,
    '/container/portMappings',
    'Host ports must be unique: for both protocols on one use "udp,tcp"',
  );
  return (given ?? [{ containerPort: 0, name: 'default' }]).map((mapping, index) => {
    checkMapping(mapping, index, network, details);
    return mappingOf(mapping, network, defaults);
  });
}

function checkMapping(json: MappingJson, index: number, network: SwitchNetwork, details: Details): void {
  const { containerPort = 0, hostPort = 0, labels = {}, networkNames = [] } = json;
  details.require(
    !isTunnelPort(hostPort),
    `${path(index)}/hostPort`,
    `${hostPort} is that of the tunnels between hosts`,
  );
  details.require(
    networkNames.every((name) => name === network.name),
    `${path(index)}/networkNames`,
    `must name networks of the app: ${network.name}`,
  );
  const label = labels[exposeLabel];
  if (label === undefined) return;
  const exposure = parseExposure(label);
  if ('problem' in exposure) details.add(`${path(index)}/labels/${exposeLabel}`, exposure.problem);
  details.require(
    containerPort !== 0,
    `${path(index)}/containerPort`,
    `must be 1 to 65535 with the label ${exposeLabel}`,
  );
}

function mappingOf(json: MappingJson, network: SwitchNetwork, defaults: NormaliseDefaults): PortMapping {
  const hostPort = json.hostPort ?? (network.mode === 'bridge' ? 0 : undefined);
  return {
    containerPort: json.containerPort ?? 0,
    ...(hostPort === undefined ? {} : { hostPort }),
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
    const same =
      json.ports.length === json.portDefinitions.length &&
      json.ports.every((port, i) => port === json.portDefinitions?.[i]?.port);
    details.require(same, '/ports', 'cannot specify both ports and port definitions');
  }
  checkNames(given, '/portDefinitions', details);
  const fixed = (given ?? []).map((definition) => definition.port ?? 0).filter((port) => port !== 0);
  details.require(
    new Set(fixed).size === fixed.length,
    json.portDefinitions === undefined ? '/ports' : '/portDefinitions',
    json.portDefinitions === undefined ? 'ports must be unique' : 'Ports must be unique.',
  );
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
  list: string,
  details: Details,
): void {
  const names = (ports ?? []).flatMap((port) => port.name ?? []);
  details.require(new Set(names).size === names.length, list, 'Port names must be unique.');
  ports?.forEach((port, index) => {
    details.require(
      port.name === undefined || /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(port.name),
      `${list}(${index})/name`,
      'must fully match regular expression ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    );
  });
}
