import { exposeLabel, parseExposure } from '../../../src/fabric/publication.ts';
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
    `the slot address is reached directly; to publish the port on hosts use the label ${exposeLabel}`,
  );
  details.require(
    (json.containerPort ?? 0) !== 0,
    `/container/portMappings(${index})/containerPort`,
    'must be 1 to 65535 with container networks',
  );
  const exposed = json.labels?.[exposeLabel];
  const exposure = exposed === undefined ? undefined : parseExposure(exposed);
  if (exposure !== undefined && 'problem' in exposure) {
    details.add(`/container/portMappings(${index})/labels/${exposeLabel}`, exposure.problem);
  }
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
