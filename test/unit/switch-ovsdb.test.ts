import { expect, test } from '@jest/globals';
import { planBridge, type BridgeWish } from '../../executor/adapters/ovsdb/bridge-plan.ts';
import { JsonFramer } from '../../executor/adapters/ovsdb/json-framer.ts';
import { transactionResults, type Operation } from '../../executor/adapters/ovsdb/operations.ts';
import {
  ownPorts,
  planPortRemoval,
  planPorts,
  type PortWish,
} from '../../executor/adapters/ovsdb/port-plan.ts';
import { RowCache } from '../../executor/adapters/ovsdb/row-cache.ts';
import {
  atomsOf,
  mapOf,
  numberOf,
  ovsdbMap,
  ovsdbSet,
  stringsOf,
  uuidsOf,
} from '../../executor/adapters/ovsdb/values.ts';
import { slotIdFromText } from '../../src/model/ids.ts';

const wish: BridgeWish = {
  name: 'br-x',
  owner: 'host-key',
  datapath: 'netdev',
  underlayIp: '192.0.2.1',
  tunnels: { encapsulation: 'vxlan', peers: undefined },
  gateways: [],
  devices: [],
  round: 4,
};

/** The rows as they are once the plan for `wish` has been carried out. */
const finished = {
  Open_vSwitch: { root: { bridges: ['uuid', 'bridge'], next_cfg: 3, cur_cfg: 3 } },
  Bridge: {
    bridge: {
      name: 'br-x',
      ports: ovsdbSet([
        ['uuid', 'local'],
        ['uuid', 'tunnel'],
      ]),
      datapath_type: 'netdev',
      fail_mode: 'secure',
      protocols: ovsdbSet(['OpenFlow10', 'OpenFlow13', 'OpenFlow14', 'OpenFlow15']),
      other_config: ovsdbMap({ 'disable-in-band': 'true' }),
      external_ids: ovsdbMap({ 'patchpanel-owner': 'host-key', 'patchpanel-round': '4' }),
    },
  },
  Port: {
    local: { name: 'br-x', interfaces: ['uuid', 'li'] },
    tunnel: { name: 'pp-tun', interfaces: ['uuid', 'ti'] },
  },
  Interface: {
    li: { name: 'br-x', type: 'internal', ofport: 65534 },
    ti: {
      name: 'pp-tun',
      type: 'vxlan',
      ofport: 1,
      ofport_request: 1,
      options: ovsdbMap({ remote_ip: 'flow', key: 'flow', local_ip: '192.0.2.1' }),
    },
  },
};

type RawTables = Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;

function rowsOf(tables: RawTables): RowCache {
  const rows = new RowCache();
  const updates = Object.entries(tables).map(([table, raw]) => [
    table,
    Object.fromEntries(Object.entries(raw).map(([uuid, row]) => [uuid, { new: row }])),
  ]);
  rows.apply(Object.fromEntries(updates));
  return rows;
}

const withBridge = (change: Readonly<Record<string, unknown>>): RawTables => ({
  ...finished,
  Bridge: { bridge: { ...finished.Bridge.bridge, ...change } },
});

test('a bridge that is as it should be needs nothing', () => {
  expect(planBridge(rowsOf(finished), wish)).toEqual([]);
});

test('a bridge that is missing is made with its tunnel port, and hung into the database', () => {
  const plan = planBridge(rowsOf({ Open_vSwitch: { root: { bridges: ovsdbSet([]) } } }), wish);
  expect(plan.map((operation) => `${operation.op} ${'table' in operation ? operation.table : ''}`)).toEqual([
    'insert Interface',
    'insert Port',
    'insert Bridge',
    'mutate Open_vSwitch',
    'insert Interface',
    'insert Port',
    'mutate Bridge',
  ]);
  expect(plan[2]).toMatchObject({ row: { fail_mode: 'secure', datapath_type: 'netdev' } });
  expect(plan[4]).toMatchObject({ row: { type: 'vxlan', ofport_request: 1 } });
});

test.each([
  ['another datapath', { datapath_type: 'system' }],
  ['fail mode standalone', { fail_mode: ovsdbSet([]) }],
  ['a missing protocol', { protocols: ovsdbSet(['OpenFlow10']) }],
  ['in-band control', { other_config: ovsdbMap({}) }],
  [
    'the round before',
    { external_ids: ovsdbMap({ 'patchpanel-owner': 'host-key', 'patchpanel-round': '3' }) },
  ],
  [
    'an owner that is gone',
    { external_ids: ovsdbMap({ 'patchpanel-owner': 'other', 'patchpanel-round': '4' }) },
  ],
])('a bridge with %s is put right, and only that bridge', (_what, change) => {
  const plan = planBridge(rowsOf(withBridge(change)), wish);
  expect(plan.map((operation) => operation.op)).toEqual(['update', 'mutate']);
  for (const operation of plan) {
    expect(operation).toMatchObject({ table: 'Bridge', where: [['_uuid', '==', ['uuid', 'bridge']]] });
  }
});

test('keys of other programs in a map column are left as they are', () => {
  const plan = planBridge(rowsOf(withBridge({ other_config: ovsdbMap({ 'mac-aging-time': '9' }) })), wish);
  expect(JSON.stringify(plan)).not.toContain('mac-aging-time');
  expect(plan[1]).toMatchObject({
    op: 'mutate',
    mutations: expect.arrayContaining([['other_config', 'insert', expect.anything()]]),
  });
});

test('a tunnel port with another address is put right in its place', () => {
  const plan = planBridge(rowsOf(finished), { ...wish, underlayIp: '192.0.2.9' });
  expect(plan).toMatchObject([
    { op: 'update', table: 'Interface', where: [['_uuid', '==', ['uuid', 'ti']]] },
  ]);
});

test('in a mesh each peer gets a port of its own in place of the one for all, and peers that stay keep theirs', () => {
  const mesh = (peers: readonly string[]): BridgeWish => ({
    ...wish,
    tunnels: { encapsulation: 'geneve', peers },
  });
  const plan = planBridge(rowsOf(finished), mesh(['192.0.2.2', '192.0.2.3']));
  expect(plan).toMatchObject([
    { op: 'mutate', table: 'Bridge', mutations: [['ports', 'delete', ['set', [['uuid', 'tunnel']]]]] },
    { op: 'insert', row: { name: 'pptc0000202', type: 'geneve', ofport_request: 2 } },
    { op: 'insert', table: 'Port' },
    { op: 'insert', row: { name: 'pptc0000203', type: 'geneve', ofport_request: 3 } },
    { op: 'insert', table: 'Port' },
    { op: 'mutate', table: 'Bridge', mutations: [['ports', 'insert', expect.anything()]] },
  ]);
  const meshed: RawTables = {
    ...finished,
    Port: { ...finished.Port, tunnel: { name: 'pptc0000203', interfaces: ['uuid', 'ti'] } },
    Interface: {
      ti: {
        name: 'pptc0000203',
        type: 'geneve',
        ofport: 3,
        ofport_request: 3,
        options: ovsdbMap({ remote_ip: '192.0.2.3', key: 'flow', local_ip: '192.0.2.1' }),
      },
    },
  };
  expect(planBridge(rowsOf(meshed), mesh(['192.0.2.3']))).toEqual([]);
  expect(planBridge(rowsOf(meshed), mesh(['192.0.2.3', '192.0.2.9']))).toMatchObject([
    { op: 'insert', row: { name: 'pptc0000209', ofport_request: 4 } },
    { op: 'insert' },
    { op: 'mutate' },
  ]);
});

test('a port of a stranger is taken off our bridge, unless it is marked to be kept', () => {
  const withPort = (externalIds: Readonly<Record<string, string>>): RawTables => ({
    ...finished,
    Bridge: { bridge: { ...finished.Bridge.bridge, ports: ovsdbSet(finishedPorts('stranger')) } },
    Port: { ...finished.Port, stranger: { name: 'tap0', interfaces: ['uuid', 'si'] } },
    Interface: { ...finished.Interface, si: { name: 'tap0', external_ids: ovsdbMap(externalIds) } },
  });
  expect(planBridge(rowsOf(withPort({ 'iface-id': 'x' })), wish)).toEqual([
    {
      op: 'mutate',
      table: 'Bridge',
      where: [['_uuid', '==', ['uuid', 'bridge']]],
      mutations: [['ports', 'delete', ovsdbSet([['uuid', 'stranger']])]],
    },
  ]);
  expect(planBridge(rowsOf(withPort({ 'patchpanel-keep': 'yes' })), wish)).toEqual([]);
  expect(planBridge(rowsOf(withPort({ 'patchpanel-owner': 'host-key' })), wish)).toEqual([]);
});

const finishedPorts = (more: string) =>
  ['local', 'tunnel', more].map((uuid): readonly ['uuid', string] => ['uuid', uuid]);

test('a bridge of that name without our mark is a conflict that says what to do', () => {
  const rows = rowsOf(withBridge({ external_ids: ovsdbMap({}) }));
  expect(() => planBridge(rows, wish)).toThrow(/PATCHPANEL_BRIDGE/);
});

test('an empty database says how to initialise it', () => {
  expect(() => planBridge(rowsOf({}), wish)).toThrow(/ovs-vsctl init/);
});

test('ports of one transaction are inserted with their marks and found again by them', () => {
  const rows = rowsOf(finished);
  const bridge = rows.all('Bridge')[0]!;
  const port: PortWish = {
    owner: 'host-key',
    runId: 'run-1',
    endpoint: { slot: slotIdFromText('/web#0'), epoch: 3 },
    veth: 'pp5h',
    ofport: 32773,
    mac: '0a:07:0a:20:00:05',
    ip: '10.32.0.5',
  };
  const plan = planPorts(bridge, [port, { ...port, veth: 'pp6h', ofport: 32774 }]);
  expect(plan.at(-1)).toMatchObject({
    op: 'mutate',
    mutations: [
      [
        'ports',
        'insert',
        [
          'set',
          [
            ['named-uuid', 'port0'],
            ['named-uuid', 'port1'],
          ],
        ],
      ],
    ],
  });
  const row = (plan[0] as Extract<Operation, { op: 'insert' }>).row;
  const after = rowsOf({
    ...withBridge({ ports: ['uuid', 'p'] }),
    Port: { p: { name: 'pp5h', interfaces: ['uuid', 'i'] } },
    Interface: { i: { ...row, ofport: 32773, ifindex: 12, error: ovsdbSet([]) } },
  });
  expect(ownPorts(after, after.all('Bridge')[0]!)).toEqual([
    {
      portUuid: 'p',
      owner: 'host-key',
      runId: 'run-1',
      endpoint: port.endpoint,
      veth: 'pp5h',
      mac: '0a:07:0a:20:00:05',
      ip: '10.32.0.5',
      ofport: 32773,
      actualOfport: 32773,
      error: undefined,
      ifindex: 12,
    },
  ]);
  expect(planPortRemoval(bridge, ['p'])).toMatchObject([
    { mutations: [['ports', 'delete', ['set', [['uuid', 'p']]]]] },
  ]);
});

test('the local port and the tunnel are not taken for ports of endpoints', () => {
  const rows = rowsOf(finished);
  expect(ownPorts(rows, rows.all('Bridge')[0]!)).toEqual([]);
});

test('an update replaces rows and one without a new row removes it', () => {
  const rows = rowsOf(finished);
  rows.apply({
    Interface: { ti: { old: {}, new: { name: 'pp-tun', ofport: 7 } }, li: { old: {} } },
    Unknown: { x: {} },
  });
  expect(rows.byUuid('Interface', 'ti')?.ofport).toBe(7);
  expect(rows.byUuid('Interface', 'li')).toBeUndefined();
  expect(rows.all('Port')).toHaveLength(2);
});

test('a set of one comes bare or wrapped, an optional column as an empty set', () => {
  expect(stringsOf('one')).toEqual(['one']);
  expect(stringsOf(['set', ['one', 'two']])).toEqual(['one', 'two']);
  expect(numberOf(['set', []])).toBeUndefined();
  expect(uuidsOf(['uuid', 'u'])).toEqual(['u']);
  expect(
    uuidsOf([
      'set',
      [
        ['uuid', 'u'],
        ['uuid', 'v'],
      ],
    ]),
  ).toEqual(['u', 'v']);
  expect(mapOf(['map', [['a', 'b']]])).toEqual({ a: 'b' });
  expect(mapOf('none')).toEqual({});
  expect(atomsOf(undefined)).toEqual([]);
});

test('the error of one operation fails the transaction with the words of the server', () => {
  const operations: Operation[] = [{ op: 'assert', lock: 'patchpanel' }];
  expect(() => transactionResults([{ error: 'not owner', details: 'lost it' }], operations)).toThrow(
    /assert patchpanel: not owner: lost it/,
  );
  // The commit's own error comes after the results of all operations.
  expect(() => transactionResults([{}, { error: 'constraint violation' }], operations)).toThrow(/the commit/);
  expect(transactionResults([null], operations)).toEqual([{}]);
});

test('a JSON stream with garbage, broken text or an endless text is refused', () => {
  expect(() => new JsonFramer().push(Buffer.from('x'))).toThrow(/0x78/);
  expect(() => new JsonFramer().push(Buffer.from('{"a":}'))).toThrow(/not JSON/);
  const framer = new JsonFramer(10);
  framer.push(Buffer.from('["12345'));
  expect(() => framer.push(Buffer.from('6789'))).toThrow(/longer than 10/);
});
