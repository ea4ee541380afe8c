import { mapOf, numberOf, stringOf, stringsOf, uuidsOf } from './values.ts';

type StringMap = Readonly<Record<string, string>>;
type RawRow = Readonly<Record<string, unknown>>;

/** The one row of table Open_vSwitch. */
export interface SwitchRow {
  readonly uuid: string;
  readonly bridges: readonly string[];
  /** Raised by whoever wants to know when a change is in force. */
  readonly nextCfg: number;
  /** The last one that ovs-vswitchd has put in force. */
  readonly curCfg: number;
  readonly datapathTypes: readonly string[];
  readonly ovsVersion: string | undefined;
}

export interface BridgeRow {
  readonly uuid: string;
  readonly name: string;
  readonly ports: readonly string[];
  readonly datapathType: string;
  readonly failMode: string | undefined;
  readonly protocols: readonly string[];
  readonly otherConfig: StringMap;
  readonly externalIds: StringMap;
}

interface PortRow {
  readonly uuid: string;
  readonly name: string;
  readonly interfaces: readonly string[];
}

export interface InterfaceRow {
  readonly uuid: string;
  readonly name: string;
  readonly type: string;
  /** OpenFlow port number; undefined until Open vSwitch has looked at the row, -1 when it could not open the device. */
  readonly ofport: number | undefined;
  readonly ofportRequest: number | undefined;
  readonly error: string | undefined;
  /** Number of the device in its kernel; 0 once the device is gone. */
  readonly ifindex: number | undefined;
  /** The MTU that was asked for, bytes. */
  readonly mtuRequest: number | undefined;
  readonly options: StringMap;
  readonly externalIds: StringMap;
}

/** The tables that we follow, by their names in the schema. */
export interface Tables {
  readonly Open_vSwitch: SwitchRow;
  readonly Bridge: BridgeRow;
  readonly Port: PortRow;
  readonly Interface: InterfaceRow;
}

export type TableName = keyof Tables;

/** The columns that we ask the server to report; statistics are left out because they change all the time. */
export const monitoredColumns: Readonly<Record<TableName, readonly string[]>> = {
  Open_vSwitch: ['bridges', 'next_cfg', 'cur_cfg', 'datapath_types', 'ovs_version'],
  Bridge: ['name', 'ports', 'datapath_type', 'fail_mode', 'protocols', 'other_config', 'external_ids'],
  Port: ['name', 'interfaces'],
  Interface: [
    'name',
    'type',
    'ofport',
    'ofport_request',
    'error',
    'ifindex',
    'mtu_request',
    'options',
    'external_ids',
  ],
};

/** How a row of each table is read from the wire. */
export const rowParsers: { readonly [T in TableName]: (uuid: string, raw: RawRow) => Tables[T] } = {
  Open_vSwitch: (uuid, raw) => ({
    uuid,
    bridges: uuidsOf(raw['bridges']),
    nextCfg: numberOf(raw['next_cfg']) ?? 0,
    curCfg: numberOf(raw['cur_cfg']) ?? 0,
    datapathTypes: stringsOf(raw['datapath_types']),
    ovsVersion: stringOf(raw['ovs_version']),
  }),
  Bridge: (uuid, raw) => ({
    uuid,
    name: stringOf(raw['name']) ?? '',
    ports: uuidsOf(raw['ports']),
    datapathType: stringOf(raw['datapath_type']) ?? '',
    failMode: stringOf(raw['fail_mode']),
    protocols: stringsOf(raw['protocols']),
    otherConfig: mapOf(raw['other_config']),
    externalIds: mapOf(raw['external_ids']),
  }),
  Port: (uuid, raw) => ({
    uuid,
    name: stringOf(raw['name']) ?? '',
    interfaces: uuidsOf(raw['interfaces']),
  }),
  Interface: (uuid, raw) => ({
    uuid,
    name: stringOf(raw['name']) ?? '',
    type: stringOf(raw['type']) ?? '',
    ofport: numberOf(raw['ofport']),
    ofportRequest: numberOf(raw['ofport_request']),
    error: stringOf(raw['error']),
    ifindex: numberOf(raw['ifindex']),
    mtuRequest: numberOf(raw['mtu_request']),
    options: mapOf(raw['options']),
    externalIds: mapOf(raw['external_ids']),
  }),
};
