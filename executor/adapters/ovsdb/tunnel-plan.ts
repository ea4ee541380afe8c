import { assignPeerPorts } from '../../../src/fabric/peer-ports.ts';
import type { TunnelWish } from '../../../src/fabric/interconnect.ts';
import { parseIpv4 } from '../../../src/fabric/ipv4.ts';
import { isRow, type Operation } from './operations.ts';
import type { Rows } from './row-cache.ts';
import type { BridgeRow, InterfaceRow } from './rows.ts';
import { namedRef, ovsdbMap, ovsdbSet, uuidRef, type OvsdbValue } from './values.ts';

/** Name and number of the one tunnel port of a host that is not in a mesh. */
export const tunnelPort = { name: 'pp-tun', ofport: 1 } as const;

/** A tunnel port as it shall be. */
export interface TunnelPort {
  readonly name: string;
  readonly ofport: number;
  /** Underlay address of the peer, or `flow`: each flow names its own. */
  readonly remote: string;
}

const peerPortName = /^ppt[0-9a-f]{8}$/;

/** The ports of these tunnels. Peers that have a port keep its number, so the same rows always give the same ports. */
export function tunnelPorts(rows: Rows, { peers }: TunnelWish): readonly TunnelPort[] {
  if (peers === undefined) return [{ ...tunnelPort, remote: 'flow' }];
  const present = new Map<string, number>();
  for (const row of rows.all('Interface')) {
    const remote = row.options['remote_ip'];
    if (remote !== undefined && row.ofportRequest !== undefined && peerPortName.test(row.name))
      present.set(remote, row.ofportRequest);
  }
  const numbers = assignPeerPorts(present, peers);
  return Array.from(numbers, ([remote, ofport]) => ({ name: peerName(remote), ofport, remote }));
}

/** `ppt0a630001` for 10.99.0.1 */
const peerName = (ip: string): string => `ppt${parseIpv4(ip).toString(16).padStart(8, '0')}`;

/** What tunnels depend on besides their peers. */
export interface TunnelContext {
  readonly underlayIp: string;
  readonly tunnels: TunnelWish;
}

/** Makes the tunnel ports of a bridge that has none. */
export const createTunnels = (rows: Rows, bridge: OvsdbValue, wish: TunnelContext): readonly Operation[] =>
  insertTunnels(bridge, tunnelPorts(rows, wish.tunnels), wish);

/** What turns the tunnel ports of our bridge into those that are wanted; empty when nothing is to be done. */
export function planTunnels(rows: Rows, bridge: BridgeRow, wish: TunnelContext): readonly Operation[] {
  const wanted = tunnelPorts(rows, wish.tunnels);
  const present = presentTunnels(rows, bridge);
  const names = new Set(wanted.map(({ name }) => name));
  const surplus = [...present].filter(([name]) => !names.has(name)).map(([, { portUuid }]) => portUuid);
  const missing = wanted.filter(({ name }) => !present.has(name));
  return [
    ...(surplus.length === 0 ? [] : [mutatePorts(uuidRef(bridge.uuid), 'delete', surplus.map(uuidRef))]),
    ...wanted.flatMap((port) => correctTunnel(present.get(port.name)?.row, port, wish)),
    ...insertTunnels(uuidRef(bridge.uuid), missing, wish),
  ];
}

function presentTunnels(
  rows: Rows,
  bridge: BridgeRow,
): ReadonlyMap<string, { readonly portUuid: string; readonly row: InterfaceRow }> {
  const present = new Map<string, { portUuid: string; row: InterfaceRow }>();
  for (const portUuid of bridge.ports) {
    const port = rows.byUuid('Port', portUuid);
    if (port === undefined || (port.name !== tunnelPort.name && !peerPortName.test(port.name))) continue;
    const row = rows.byUuid('Interface', port.interfaces[0] ?? '');
    if (row !== undefined) present.set(port.name, { portUuid, row });
  }
  return present;
}

function insertTunnels(
  bridge: OvsdbValue,
  ports: readonly TunnelPort[],
  wish: TunnelContext,
): readonly Operation[] {
  if (ports.length === 0) return [];
  const inserts = ports.flatMap((port, index): Operation[] => [
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': `tunnelInterface${index}`,
      row: {
        name: port.name,
        type: wish.tunnels.encapsulation,
        ofport_request: port.ofport,
        options: ovsdbMap(optionsOf(port, wish)),
      },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `tunnelPort${index}`,
      row: { name: port.name, interfaces: namedRef(`tunnelInterface${index}`) },
    },
  ]);
  return [
    ...inserts,
    mutatePorts(
      bridge,
      'insert',
      ports.map((_, index) => namedRef(`tunnelPort${index}`)),
    ),
  ];
}

function correctTunnel(row: InterfaceRow | undefined, port: TunnelPort, wish: TunnelContext): Operation[] {
  if (row === undefined) return [];
  const { encapsulation } = wish.tunnels;
  const options = optionsOf(port, wish);
  const right =
    row.type === encapsulation && row.ofportRequest === port.ofport && sameEntries(row.options, options);
  if (right) return [];
  const columns = { type: encapsulation, ofport_request: port.ofport, options: ovsdbMap(options) };
  return [{ op: 'update', table: 'Interface', where: isRow(row.uuid), row: columns }];
}

const optionsOf = ({ remote }: TunnelPort, { underlayIp }: TunnelContext) => ({
  remote_ip: remote,
  key: 'flow',
  local_ip: underlayIp,
});

function sameEntries(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(other);
  return keys.length === Object.keys(one).length && keys.every((key) => one[key] === other[key]);
}

const mutatePorts = (
  bridge: OvsdbValue,
  mutator: 'insert' | 'delete',
  references: Parameters<typeof ovsdbSet>[0],
): Operation => ({
  op: 'mutate',
  table: 'Bridge',
  where: [['_uuid', '==', bridge]],
  mutations: [['ports', mutator, ovsdbSet(references)]],
});
