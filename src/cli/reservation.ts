import type { Command } from 'commander';
import type { ReservationInfo } from './api-types.ts';
import { ApiClient, type GlobalOptions } from './client.ts';
import { print, table } from './output.ts';

interface ReserveOptions extends GlobalOptions {
  readonly host: string;
  readonly device: string;
  readonly ip?: string;
  readonly mac?: string;
}

/** `patchpanel network reservations | reserve | release`: virtual machines and other machines on the switch. */
export function addReservationCommands(network: Command): void {
  network
    .command('reservations <network>')
    .description('list the machines that have an address reserved')
    .action((name: string, _options, command: Command) => list(name, command.optsWithGlobals()));
  network
    .command('reserve <network> <name>')
    .description('reserve an address and a name for a machine on the switch, which gets it by DHCP')
    .requiredOption('--host <hostname>', 'the host that it is on')
    .requiredOption('--device <name>', "its port on the host's bridge, the tap device of a virtual machine")
    .option('--mac <mac>', 'MAC of the machine (default: the one that belongs to the address)')
    .option('--ip <address>', 'address (default: the one that it has, else the next free one)')
    .action((name: string, machine: string, _options, command: Command) =>
      reserve(name, machine, command.optsWithGlobals()),
    );
  network
    .command('release <network> <name>')
    .description('give the address of a machine back')
    .action((name: string, machine: string, _options, command: Command) =>
      release(name, machine, command.optsWithGlobals()),
    );
}

const pathOf = (network: string, ...machine: readonly string[]): string =>
  ['/v1/networks', encodeURIComponent(network), 'reservations', ...machine.map(encodeURIComponent)].join('/');

async function list(network: string, options: GlobalOptions): Promise<void> {
  const { reservations } = await new ApiClient(options).get<{ reservations: ReservationInfo[] }>(
    pathOf(network),
  );
  print(options.json, reservations, () =>
    table(
      ['NAME', 'IP', 'MAC', 'HOST', 'DEVICE', 'IN VIEWS'],
      reservations.map((r) => [r.hostname, r.ip, r.mac, r.host, r.device, r.inViews ? 'yes' : 'no']),
      'no reservations',
    ),
  );
}

async function reserve(network: string, name: string, options: ReserveOptions): Promise<void> {
  const { host, device, ip, mac } = options;
  const api = new ApiClient(options);
  await api.send('PUT', pathOf(network, name), { host, device, ip, mac });
  const reservation = await api.get<ReservationInfo>(pathOf(network, name));
  const { hostname, ip: address, mac: hardware } = reservation;
  print(
    options.json,
    reservation,
    () => `${hostname} has ${address}, MAC ${hardware}, on ${host} (${device})`,
  );
}

async function release(network: string, name: string, options: GlobalOptions): Promise<void> {
  await new ApiClient(options).send('DELETE', pathOf(network, name));
  print(options.json, { network, name }, () => `released ${name} of ${network}`);
}
