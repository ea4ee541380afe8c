import { Command } from 'commander';
import type { HostInfo, NetworkInfo, UnfitHostInfo } from './api-types.ts';
import { ApiClient, type GlobalOptions } from './client.ts';
import { addReservationCommands } from './reservation.ts';
import { print, table } from './output.ts';

/** `patchpanel network …` */
export function networkCommand(): Command {
  const network = new Command('network').description(
    'look at the networks of the switch, and reserve addresses in them',
  );
  network
    .command('list')
    .description('list networks')
    .action((_options, command: Command) => listNetworks(command.optsWithGlobals()));
  network
    .command('show <name>')
    .description('show one network')
    .action((name: string, _options, command: Command) => showNetwork(name, command.optsWithGlobals()));
  addReservationCommands(network);
  return network;
}

async function listNetworks(options: GlobalOptions): Promise<void> {
  const { networks } = await new ApiClient(options).get<{ networks: NetworkInfo[] }>('/v1/networks');
  print(options.json, networks, () =>
    table(
      ['NAME', 'VNI', 'SUBNET', 'LEASES', 'DOMAIN'],
      networks.map((n) => [n.name, n.vni, n.cidr, n.leases, n.domain]),
      'no networks',
    ),
  );
}

async function showNetwork(name: string, options: GlobalOptions): Promise<void> {
  const network = await new ApiClient(options).get<NetworkInfo>(`/v1/networks/${encodeURIComponent(name)}`);
  print(options.json, network, () =>
    table(
      ['FIELD', 'VALUE'],
      Object.entries(network).map(([field, value]) => [field, value as string | number]),
      'nothing is known of it',
    ),
  );
}

/** `patchpanel host …` */
export function hostCommand(): Command {
  const host = new Command('host').description('look at the hosts of the fabric');
  host
    .command('list')
    .description('list hosts with their switch and the state of their view')
    .action((_options, command: Command) => listHosts(command.optsWithGlobals()));
  return host;
}

async function listHosts(options: GlobalOptions): Promise<void> {
  const { hosts, unfit } = await new ApiClient(options).get<{ hosts: HostInfo[]; unfit: UnfitHostInfo[] }>(
    '/v1/hosts',
  );
  print(options.json, hosts, () => [hostTable(hosts), ...unfit.map(unfitText)].join('\n'));
}

function hostTable(hosts: readonly HostInfo[]): string {
  return table(
    ['HOST', 'AGENT', 'UNDERLAY', 'DATAPATH', 'REACHABLE', 'TASKS', 'VIEW', 'SELF-TEST', 'PROBLEM'],
    hosts.map((h) => [
      h.hostname,
      h.agentId,
      h.underlayIp,
      h.datapath,
      h.reachable ? 'yes' : 'no',
      h.tasks,
      h.view.connected
        ? `${h.view.applied ?? 'none'}${h.view.lag > 0 ? ` (${h.view.lag} behind)` : ''}`
        : 'no stream',
      selfTestText(h.selfTest),
      h.view.problem ?? h.selfTest?.problem,
    ]),
    'no host has reported yet: an executor starts with the first task',
  );
}

const unfitText = ({ hostname, agentId, until, problem }: UnfitHostInfo): string =>
  `nothing is launched on ${hostname} (${agentId}) before ${until}: ${problem}`;

function selfTestText(result: HostInfo['selfTest']): string | undefined {
  if (result === undefined) return undefined;
  if (!result.passed) return 'failed';
  return result.peer === undefined ? 'passed (no peer)' : `passed (${result.peer})`;
}
