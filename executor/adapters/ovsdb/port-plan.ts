import type { EndpointKey } from '../../../src/fabric/view.ts';
import { slotIdFromText } from '../../../src/model/ids.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { isRow, type Operation } from './operations.ts';
import type { Rows } from './row-cache.ts';
import type { BridgeRow, InterfaceRow } from './rows.ts';
import { namedRef, ovsdbMap, ovsdbSet, uuidRef } from './values.ts';

/** `external_ids` of our ports: all that must be known to take one over or away. */
const portIds = {
  owner: 'patchpanel-owner',
  run: 'patchpanel-run',
  slot: 'patchpanel-slot',
  epoch: 'patchpanel-epoch',
  mac: 'attached-mac',
  ip: 'patchpanel-ip',
  veth: 'patchpanel-veth',
} as const;

/** A port that shall be on our bridge. */
export interface PortWish {
  readonly owner: string;
  readonly runId: string;
  readonly endpoint: EndpointKey;
  /** Host side of the veth pair; the port's name too. */
  readonly veth: string;
  readonly ofport: number;
  readonly mac: string;
  readonly ip: string;
}

/** A port of ours that is on the bridge. */
export interface OwnPort {
  readonly portUuid: string;
  readonly endpoint: EndpointKey;
  readonly owner: string;
  /** The run of an executor whose task uses it; absent with executors that did not say. */
  readonly runId?: string;
  readonly veth: string;
  readonly mac: string;
  readonly ip: string;
  /** The number that the port asked for; flows mention it before Open vSwitch has confirmed it. */
  readonly ofport: number;
  /** The number in force; undefined until Open vSwitch has opened the device, -1 when it could not. */
  readonly actualOfport: number | undefined;
  readonly error: string | undefined;
  /** Number of the veth in the kernel; 0 once it is gone. */
  readonly ifindex: number | undefined;
}

/** The interface of that name, if there is one. */
export const findInterface = (rows: Rows, name: string): InterfaceRow | undefined =>
  rows.all('Interface').find((candidate) => candidate.name === name);

/**
 * Whether Open vSwitch has opened the device of a port; undefined: not yet.
 * @throws PatchpanelError `external` with Open vSwitch's words when it cannot
 */
export function portOpened(rows: Rows, { veth, ofport }: PortWish): true | undefined {
  const row = findInterface(rows, veth);
  if (row?.ofport === ofport) return true;
  if (row?.error === undefined) return undefined;
  throw new PatchpanelError('external', `Open vSwitch cannot use ${veth}: ${row.error}`);
}

/** Adds ports to a bridge in one transaction. */
export function planPorts(bridge: BridgeRow, wishes: readonly PortWish[]): readonly Operation[] {
  const inserts = wishes.flatMap((wish, index): Operation[] => [
    {
      op: 'insert',
      table: 'Interface',
      'uuid-name': `interface${index}`,
      row: { name: wish.veth, ofport_request: wish.ofport, external_ids: ovsdbMap(idsOf(wish)) },
    },
    {
      op: 'insert',
      table: 'Port',
      'uuid-name': `port${index}`,
      row: { name: wish.veth, interfaces: namedRef(`interface${index}`) },
    },
  ]);
  const references = wishes.map((_, index) => namedRef(`port${index}`));
  return [...inserts, mutatePorts(bridge, 'insert', references)];
}

/** Takes ports off a bridge; their rows go with the last reference to them. */
export const planPortRemoval = (bridge: BridgeRow, portUuids: readonly string[]): readonly Operation[] => [
  mutatePorts(bridge, 'delete', portUuids.map(uuidRef)),
];

const mutatePorts = (
  bridge: BridgeRow,
  mutator: 'insert' | 'delete',
  references: readonly ReturnType<typeof uuidRef>[],
): Operation => ({
  op: 'mutate',
  table: 'Bridge',
  where: isRow(bridge.uuid),
  mutations: [['ports', mutator, ovsdbSet(references)]],
});

/** The ports on the bridge that an executor of ours made, whichever it was. */
export function ownPorts(rows: Rows, bridge: BridgeRow): readonly OwnPort[] {
  return bridge.ports.flatMap((portUuid) => {
    const port = rows.byUuid('Port', portUuid);
    const row = rows.byUuid('Interface', port?.interfaces[0] ?? '');
    const own = row === undefined ? undefined : readPort(portUuid, row);
    return own === undefined ? [] : [own];
  });
}

/** `external_ids` of a port that somebody wants to keep on our bridge although it is not ours. */
const keepId = 'patchpanel-keep';

/**
 * The ports on our bridge that are none of ours and that nobody said to keep.
 * @param isHostPort whether a name is that of a tunnel, of a leg of the host or of a machine's device
 */
export function foreignPorts(
  rows: Rows,
  bridge: BridgeRow,
  isHostPort: (name: string) => boolean,
): readonly { readonly portUuid: string; readonly name: string }[] {
  return bridge.ports.flatMap((portUuid) => {
    const port = rows.byUuid('Port', portUuid);
    const row = rows.byUuid('Interface', port?.interfaces[0] ?? '');
    if (port === undefined || row === undefined) return [];
    const { externalIds } = row;
    const known = externalIds[portIds.owner] !== undefined || externalIds[keepId] !== undefined;
    return known || port.name === bridge.name || isHostPort(port.name) ? [] : [{ portUuid, name: port.name }];
  });
}

function readPort(portUuid: string, row: InterfaceRow): OwnPort | undefined {
  const owner = row.externalIds[portIds.owner];
  const slot = row.externalIds[portIds.slot];
  const epoch = Number(row.externalIds[portIds.epoch]);
  if (owner === undefined || slot === undefined || !Number.isInteger(epoch)) return undefined;
  const runId = row.externalIds[portIds.run];
  return {
    portUuid,
    owner,
    ...(runId === undefined ? {} : { runId }),
    endpoint: { slot: slotIdFromText(slot), epoch },
    veth: row.externalIds[portIds.veth] ?? row.name,
    mac: row.externalIds[portIds.mac] ?? '',
    ip: row.externalIds[portIds.ip] ?? '',
    ofport: row.ofportRequest ?? row.ofport ?? -1,
    actualOfport: row.ofport,
    error: row.error,
    ifindex: row.ifindex,
  };
}

const idsOf = (wish: PortWish): Readonly<Record<string, string>> => ({
  [portIds.owner]: wish.owner,
  [portIds.run]: wish.runId,
  [portIds.slot]: wish.endpoint.slot,
  [portIds.epoch]: String(wish.endpoint.epoch),
  [portIds.mac]: wish.mac,
  [portIds.ip]: wish.ip,
  [portIds.veth]: wish.veth,
});
