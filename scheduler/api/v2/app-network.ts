import type { AppNetwork } from '../../../src/model/app.ts';
import { networkName } from '../../../src/model/ids.ts';
import { parsePinnedAddresses } from '../../../src/fabric/pinned.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';
import type { NormaliseDefaults } from './normalise-defaults.ts';

/** The one network of the app, from `networks`, `ipAddress` or `container.docker.network`. */
export function networkOf(json: AppJson, defaults: NormaliseDefaults, details: Details): AppNetwork {
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
