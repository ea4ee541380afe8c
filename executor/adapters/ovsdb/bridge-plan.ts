import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { isRow, type Operation, type OperationResult } from './operations.ts';
import type { Rows } from './row-cache.ts';
import type { BridgeRow, SwitchRow } from './rows.ts';
import { createHostPorts, isHostPort, planHostPorts, type HostPortsWish } from './host-port-plan.ts';
import { foreignPorts, planPortRemoval } from './port-plan.ts';
import { namedRef, ovsdbMap, ovsdbSet } from './values.ts';

/** `external_ids` of our bridge. */
export const bridgeIds = { owner: 'patchpanel-owner', round: 'patchpanel-round' } as const;

const PROTOCOLS = ['OpenFlow10', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15'];

export interface BridgeWish extends HostPortsWish {
  readonly name: string;
  readonly owner: string;
  readonly datapath: 'system' | 'netdev';
  readonly round: number;
}

/** The bridge of that name, if there is one. */
export const findBridge = (rows: Rows, name: string): BridgeRow | undefined =>
  rows.all('Bridge').find((bridge) => bridge.name === name);

/** @throws PatchpanelError `unavailable` when the database was never initialised */
export function switchRow(rows: Rows): SwitchRow {
  const row = rows.all('Open_vSwitch')[0];
  if (row !== undefined) return row;
  throw new PatchpanelError('unavailable', 'the Open vSwitch database is empty: run ovs-vsctl init');
}

/**
 * What turns the rows that are there into our bridge with the host's ports; empty when nothing is to be done. A bridge
 * of another owner of ours is taken over (the lock proves that its executor is gone), a stranger's is not. Ports of
 * strangers on our bridge are taken off it, unless they carry `external_ids:patchpanel-keep`.
 * @throws PatchpanelError `conflict` when a bridge of that name is not ours, `unavailable` for an empty database
 */
export function planBridge(rows: Rows, wish: BridgeWish): readonly Operation[] {
  const root = switchRow(rows);
  const bridge = findBridge(rows, wish.name);
  if (bridge === undefined) {
    return [...createBridge(root, wish), ...createHostPorts(rows, namedRef('bridge'), wish)];
  }
  if (bridge.externalIds[bridgeIds.owner] === undefined) throw foreign(wish.name);
  return [
    ...correctBridge(bridge, wish),
    ...planHostPorts(rows, bridge, wish),
    ...removeForeignPorts(rows, bridge, wish.devices),
  ];
}

/** What is not ours goes from our bridge; what it is a port of, and every other bridge, is left alone. */
function removeForeignPorts(rows: Rows, bridge: BridgeRow, devices: readonly string[]): readonly Operation[] {
  const uuids = foreignPorts(rows, bridge, (name) => isHostPort(name, devices)).map(
    ({ portUuid }) => portUuid,
  );
  return uuids.length === 0 ? [] : planPortRemoval(bridge, uuids);
}

/** At the end of a transaction: Open vSwitch shall tell when it has put it in force (see inForceAt). */
export function planNotice({ uuid }: SwitchRow): readonly Operation[] {
  const where = isRow(uuid);
  return [
    { op: 'mutate', table: 'Open_vSwitch', where, mutations: [['next_cfg', '+=', 1]] },
    { op: 'select', table: 'Open_vSwitch', where, columns: ['next_cfg'] },
  ];
}

/** The configuration number that Open vSwitch will have reached when all of a transaction with planNotice is in force. */
export function inForceAt(results: readonly OperationResult[]): number {
  const rows = results.at(-1)?.['rows'] as { next_cfg?: number }[] | undefined;
  return rows?.[0]?.next_cfg ?? 0;
}

function createBridge(root: SwitchRow, wish: BridgeWish): Operation[] {
  return [
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': 'localInterface',
      row: { name: wish.name, type: 'internal' },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': 'localPort',
      row: { name: wish.name, interfaces: namedRef('localInterface') },
    },
    {
      op: 'insert',
      table: 'Bridge',
      'uuid-name': 'bridge',
      row: {
        name: wish.name,
        ports: ovsdbSet([namedRef('localPort')]),
        ...plainColumns(wish),
        other_config: ovsdbMap(otherConfigOf()),
        external_ids: ovsdbMap(externalIdsOf(wish)),
      },
    },
    {
      op: 'mutate',
      table: 'Open_vSwitch',
      where: isRow(root.uuid),
      mutations: [['bridges', 'insert', ovsdbSet([namedRef('bridge')])]],
    },
  ];
}

function correctBridge(bridge: BridgeRow, wish: BridgeWish): Operation[] {
  const right =
    bridge.datapathType === wish.datapath &&
    bridge.failMode === 'secure' &&
    PROTOCOLS.every((protocol) => bridge.protocols.includes(protocol)) &&
    contains(bridge.otherConfig, otherConfigOf()) &&
    contains(bridge.externalIds, externalIdsOf(wish));
  if (right) return [];
  return [
    { op: 'update', table: 'Bridge', where: isRow(bridge.uuid), row: plainColumns(wish) },
    {
      op: 'mutate',
      table: 'Bridge',
      where: isRow(bridge.uuid),
      mutations: [
        ...replaceKeys('other_config', otherConfigOf()),
        ...replaceKeys('external_ids', externalIdsOf(wish)),
      ],
    },
  ];
}

const plainColumns = (wish: BridgeWish) => ({
  datapath_type: wish.datapath,
  fail_mode: 'secure',
  protocols: ovsdbSet(PROTOCOLS),
});

const otherConfigOf = () => ({ 'disable-in-band': 'true' });

const externalIdsOf = (wish: BridgeWish) => ({
  [bridgeIds.owner]: wish.owner,
  [bridgeIds.round]: String(wish.round),
});

const contains = (actual: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>) =>
  Object.entries(wanted).every(([key, value]) => actual[key] === value);

/** `insert` leaves a key that is there as it is, so the keys are taken out first. */
const replaceKeys = (column: string, entries: Readonly<Record<string, string>>) =>
  [
    [column, 'delete', ovsdbSet(Object.keys(entries))],
    [column, 'insert', ovsdbMap(entries)],
  ] as const;

const foreign = (name: string) =>
  new PatchpanelError(
    'conflict',
    `bridge ${name} is there but was not made by Patchpanel: remove it, or name another one with PATCHPANEL_BRIDGE`,
  );
