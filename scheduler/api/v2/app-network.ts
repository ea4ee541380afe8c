import type { AppNetwork } from '../../../src/model/app.ts';
import { networkName } from '../../../src/model/ids.ts';
import { parsePinnedAddresses } from '../../../src/fabric/pinned.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';
import type { NormaliseDefaults } from './normalise-defaults.ts';

/** The one network of the app, from `networks`, `ipAddress` or `container.docker.network`. */
export function networkOf(json: AppJson, defaults: NormaliseDefaults, details: Details): AppNetwork {
  const legacy = json.container?.docker?.network;
  if (json.networks !== undefined && json.ipAddress !== undefined) {
    details.add('/', 'must not specify both networks and ipAddress');
  } else if (json.networks !== undefined && legacy !== undefined) {
    details.add('/container/docker/network', 'must not specify both container.docker.network and networks');
  }
  if (json.networks !== undefined) return declaredNetwork(json.networks, defaults, details);
  if (json.ipAddress !== undefined) checkIpAddress(json, details);
  switch (legacy) {
    case 'HOST':
      return { mode: 'host' };
    case 'BRIDGE':
      return onSwitch('bridge', undefined, {}, '/container/docker/network', defaults, details);
    case 'NONE':
      details.add('/container/docker/network', 'NONE is not supported: use USER, BRIDGE or HOST');
      return { mode: 'host' };
    case 'USER':
    case undefined:
      if (legacy === undefined && json.ipAddress === undefined) return { mode: 'host' };
  }
  const { networkName: name, labels = {} } = json.ipAddress ?? {};
  return onSwitch('container', name, labels, '/ipAddress', defaults, details);
}

/** The form of Marathon before 1.5 for a container with an address of its own. */
function checkIpAddress({ ipAddress, ports, container }: AppJson, details: Details): void {
  details.require((ports ?? []).length === 0, '/ipAddress', 'cannot specify both an IP address and port');
  details.require(
    ipAddress?.discovery === undefined || container?.docker === undefined,
    '/ipAddress/discovery',
    'ipAddress/discovery is not allowed for Docker containers',
  );
  details.require(
    (ipAddress?.groups ?? []).length === 0,
    '/ipAddress/groups',
    'is not supported: whether networks reach each other is set on the networks',
  );
}

function declaredNetwork(
  networks: NonNullable<AppJson['networks']>,
  defaults: NormaliseDefaults,
  details: Details,
): AppNetwork {
  const [network] = networks;
  if (network === undefined) return { mode: 'host' };
  checkCombination(networks, details);
  const { name, labels = {} } = network;
  switch (network.mode ?? 'container') {
    case 'host':
      details.require(
        name === undefined && Object.keys(labels).length === 0,
        '/networks(0)',
        'Host networks may not have names or labels',
      );
      return { mode: 'host' };
    case 'container/bridge':
      details.require(name === undefined, '/networks(0)/name', 'Bridge networks may not have names');
      return onSwitch('bridge', undefined, labels, '/networks(0)', defaults, details);
    case 'container':
      return onSwitch('container', name, labels, '/networks(0)', defaults, details);
  }
}

function checkCombination(networks: NonNullable<AppJson['networks']>, details: Details): void {
  if (networks.length === 1) return;
  const isContainer = ({ mode = 'container' }: (typeof networks)[number]) => mode === 'container';
  if (!networks.every(isContainer)) {
    details.add(
      '/networks',
      'May specify a single host network, single bridge network, or else 1-to-n container networks',
    );
    return;
  }
  const names = networks.map(({ name }) => name);
  details.require(new Set(names).size === names.length, '/networks', 'Duplicate networks are not allowed');
  details.add(
    '/networks',
    'may only specify a single container network when using the Docker container engine',
  );
}

/** `bridge` is the default network, with ports of the host that lead to the container and a way out as the host. */
function onSwitch(
  mode: 'container' | 'bridge',
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
  return { mode, name: name === undefined ? defaults.defaultNetwork : networkName(name), labels, pinned };
}
