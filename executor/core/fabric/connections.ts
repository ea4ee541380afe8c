import { portRange } from '../../../src/fabric/incarnations.ts';
import { formatIpv4 } from '../../../src/fabric/ipv4.ts';

/** Socket states of `/proc/net/tcp` (Linux, include/net/tcp_states.h). */
const listening = '0A';
const open: ReadonlySet<string> = new Set(['01', '03', '04', '05', '08', '09', '0B']);

interface Socket {
  readonly localIp: string;
  readonly localPort: number;
  readonly remoteIp: string;
  readonly state: string;
}

/**
 * How many connections others have opened to an incarnation and that have not ended, from the texts of
 * `/proc/<pid>/net/tcp` and `tcp6`. What it opened itself does not count: it knows when it is done with these.
 */
export function servedConnections(
  tables: readonly string[],
  { ip, epoch }: { readonly ip: string; readonly epoch: number },
): number {
  const sockets = tables.flatMap((table) => table.split('\n').slice(1).flatMap(parseSocket));
  const servers = new Set(
    sockets.filter(({ state }) => state === listening).map(({ localPort }) => localPort),
  );
  const { first, last } = portRange(epoch);
  return sockets.filter(
    ({ state, localIp, localPort, remoteIp }) =>
      open.has(state) &&
      localIp === ip &&
      // Health checks come from the address itself.
      remoteIp !== ip &&
      (servers.has(localPort) || localPort < first || localPort > last),
  ).length;
}

/** One line; none for what is not IPv4, mapped or not. */
function parseSocket(line: string): Socket[] {
  const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/);
  const [localAddress = '', localPort = ''] = local.split(':');
  const [remoteAddress = ''] = remote.split(':');
  const [localIp, remoteIp] = [ipOf(localAddress), ipOf(remoteAddress)];
  if (localIp === undefined || remoteIp === undefined) return [];
  return [{ localIp, remoteIp, localPort: Number.parseInt(localPort, 16), state }];
}

const mappedPrefix = '0000000000000000FFFF0000';

/** The kernel prints each 32 bits of an address in its own byte order: little-endian on what we run on. */
function ipOf(hex: string): string | undefined {
  if (/^0{32}$/.test(hex)) return '0.0.0.0';
  const digits = hex.startsWith(mappedPrefix) ? hex.slice(mappedPrefix.length) : hex;
  if (!/^[0-9A-F]{8}$/.test(digits)) return undefined;
  return formatIpv4(Buffer.from(digits, 'hex').readUInt32LE(0));
}
