import type { Encapsulation, TunnelWish } from '../../../src/fabric/interconnect.ts';
import { parseIpv4 } from '../../../src/fabric/ipv4.ts';
import {
  assignPorts,
  devicePortRange,
  gatewayPortRange,
  peerPortRange,
} from '../../../src/fabric/port-numbers.ts';
import type { GatewayLeg } from '../../core/fabric/gateway-legs.ts';
import { isRow, type Operation } from './operations.ts';
import type { Rows } from './row-cache.ts';
import type { BridgeRow, InterfaceRow } from './rows.ts';
import { namedRef, ovsdbMap, ovsdbSet, uuidRef, type OvsdbValue } from './values.ts';

/** Name and number of the one tunnel port of a host that is not in a mesh. */
export const tunnelPort = { name: 'pp-tun', ofport: 1 } as const;

/** The ports of our bridge that belong to the host and not to an endpoint. */
export interface HostPortsWish {
  readonly underlayIp: string;
  readonly tunnels: TunnelWish;
  readonly gateways: readonly GatewayPort[];
  /** Devices of the operator's machines by name; they need not be there yet. */
  readonly devices: readonly string[];
}

/** The port of the host's own leg in a network. */
export type GatewayPort = Pick<GatewayLeg, 'device' | 'vni' | 'mtu'>;

/** One of them as it shall be. `about` is the peer's underlay address, `flow`, the VNI, or the device's name. */
export interface HostPort {
  readonly name: string;
  readonly about: string;
  readonly ofport: number;
  /** Empty: a device of the kernel's, whoever makes it. */
  readonly type: Encapsulation | 'internal' | '';
  readonly options: Readonly<Record<string, string>>;
  /** Bytes; Open vSwitch decides when absent. */
  readonly mtu?: number;
}

const ourName = /^(pp-tun|ppt[0-9a-f]{8}|ppg[0-9a-f]{1,5})$/;

/** Whether a port of this name is a tunnel or a leg of the host, or one of these devices. */
export const isHostPort = (name: string, devices: readonly string[]): boolean =>
  ourName.test(name) || devices.includes(name);

/** `ppt0a630001` for 10.99.0.1 */
const peerPort = (ip: string): string => `ppt${parseIpv4(ip).toString(16).padStart(8, '0')}`;

/** The tunnel ports. Those that are there keep their numbers, so the same rows always give the same ports. */
export function tunnelPorts(rows: Rows, wish: HostPortsWish): readonly HostPort[] {
  const { encapsulation: type, peers } = wish.tunnels;
  const options = (remote: string) => ({ remote_ip: remote, key: 'flow', local_ip: wish.underlayIp });
  if (peers === undefined) return [{ ...tunnelPort, about: 'flow', type, options: options('flow') }];
  return numbered(rows, peers, peerPort, peerPortRange).map((port) => ({
    ...port,
    type,
    options: options(port.about),
  }));
}

/** The ports of the host's legs in networks, numbered like tunnelPorts. */
export const gatewayPorts = (rows: Rows, { gateways }: HostPortsWish): readonly HostPort[] =>
  gateways.length === 0 ? [] : legPorts(rows, gateways);

function legPorts(rows: Rows, gateways: readonly GatewayPort[]): readonly HostPort[] {
  const byVni = new Map(gateways.map((leg) => [String(leg.vni), leg]));
  const nameOf = (vni: string) => byVni.get(vni)?.device ?? '';
  return numbered(rows, [...byVni.keys()], nameOf, gatewayPortRange).map((port) => {
    const mtu = byVni.get(port.about)?.mtu;
    return { ...port, type: 'internal', options: {}, ...(mtu === undefined ? {} : { mtu }) };
  });
}

/** The ports of machines, numbered like tunnelPorts; somebody else may have plugged them in. */
export const devicePorts = (rows: Rows, { devices }: HostPortsWish): readonly HostPort[] =>
  devices.length === 0
    ? []
    : numbered(rows, devices, (device) => device, devicePortRange).map((port) => ({
        ...port,
        type: '',
        options: {},
      }));

/** All of them. */
const hostPorts = (rows: Rows, wish: HostPortsWish): readonly HostPort[] => [
  ...tunnelPorts(rows, wish),
  ...gatewayPorts(rows, wish),
  ...devicePorts(rows, wish),
];

function numbered(
  rows: Rows,
  subjects: readonly string[],
  nameOf: (subject: string) => string,
  range: Parameters<typeof assignPorts>[2],
): readonly Pick<HostPort, 'name' | 'about' | 'ofport'>[] {
  const about = new Map(subjects.map((subject) => [nameOf(subject), subject]));
  const present = new Map<string, number>();
  for (const { name, ofportRequest } of rows.all('Interface')) {
    const isKnown = ourName.test(name) || about.has(name);
    if (ofportRequest !== undefined && isKnown) present.set(name, ofportRequest);
  }
  const numbers = assignPorts(present, [...about.keys()], range);
  return Array.from(numbers, ([name, ofport]) => ({ name, ofport, about: about.get(name) ?? '' }));
}

/** Makes the host's ports on a bridge that has none. */
export const createHostPorts = (rows: Rows, bridge: OvsdbValue, wish: HostPortsWish): readonly Operation[] =>
  insertPorts(bridge, hostPorts(rows, wish));

/** What turns the host's ports on our bridge into those that are wanted; empty when nothing is to be done. */
export function planHostPorts(rows: Rows, bridge: BridgeRow, wish: HostPortsWish): readonly Operation[] {
  const wanted = hostPorts(rows, wish);
  const present = presentPorts(rows, bridge, wish.devices);
  const names = new Set(wanted.map(({ name }) => name));
  const surplus = [...present].filter(([name]) => !names.has(name)).map(([, { portUuid }]) => portUuid);
  const missing = wanted.filter(({ name }) => !present.has(name));
  return [
    ...(surplus.length === 0 ? [] : [mutatePorts(uuidRef(bridge.uuid), 'delete', surplus.map(uuidRef))]),
    ...wanted.flatMap((port) => correctPort(present.get(port.name)?.row, port)),
    ...insertPorts(uuidRef(bridge.uuid), missing),
  ];
}

function presentPorts(
  rows: Rows,
  bridge: BridgeRow,
  devices: readonly string[],
): ReadonlyMap<string, { readonly portUuid: string; readonly row: InterfaceRow }> {
  const present = new Map<string, { portUuid: string; row: InterfaceRow }>();
  for (const portUuid of bridge.ports) {
    const port = rows.byUuid('Port', portUuid);
    if (port === undefined || !isHostPort(port.name, devices)) continue;
    const row = rows.byUuid('Interface', port.interfaces[0] ?? '');
    if (row !== undefined) present.set(port.name, { portUuid, row });
  }
  return present;
}

function insertPorts(bridge: OvsdbValue, ports: readonly HostPort[]): readonly Operation[] {
  if (ports.length === 0) return [];
  const inserts = ports.flatMap((port, index): Operation[] => [
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': `hostInterface${index}`,
      row: { name: port.name, ...columnsOf(port) },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `hostPort${index}`,
      row: { name: port.name, interfaces: namedRef(`hostInterface${index}`) },
    },
  ]);
  const references = ports.map((_, index) => namedRef(`hostPort${index}`));
  return [...inserts, mutatePorts(bridge, 'insert', references)];
}

function correctPort(row: InterfaceRow | undefined, port: HostPort): Operation[] {
  if (row === undefined) return [];
  const right =
    row.type === port.type &&
    row.ofportRequest === port.ofport &&
    (port.mtu === undefined || row.mtuRequest === port.mtu) &&
    sameEntries(row.options, port.options);
  if (right) return [];
  return [{ op: 'update', table: 'Interface', where: isRow(row.uuid), row: columnsOf(port) }];
}

const columnsOf = ({ type, ofport, options, mtu }: HostPort) => ({
  type,
  ofport_request: ofport,
  options: ovsdbMap(options),
  ...(mtu === undefined ? {} : { mtu_request: mtu }),
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
