import { expect, test } from '@jest/globals';
import { hostView } from '../../src/fabric/host-view.ts';
import { validateView } from '../../src/fabric/validate-view.ts';
import type { ViewEndpoint } from '../../src/fabric/view.ts';
import { applyDelta, diffViews, snapshotProblem } from '../../src/fabric/view-diff.ts';
import { agentId, appId, networkName, slotIdFromText } from '../../src/model/ids.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';

const one = host('one', '172.16.0.1');
const two = host('two', '172.16.0.2');
const three = host('three', '172.16.0.3');
const red = network('red', 7, '10.1.0.0/16');
const blue = network('blue', 8, '10.1.0.0/16');
const web = endpoint({ app: '/web', network: red, host: one, ip: '10.1.0.5' });
const db = endpoint({ app: '/db', network: red, host: two, ip: '10.1.0.6' });
const log = endpoint({ app: '/log', network: blue, host: three, ip: '10.1.0.5' });
const fabric = view([one, two, three], [red, blue], [web, db, log]);

test('a host sees the networks that it has an endpoint in, with their endpoints and hosts', () => {
  expect(hostView(fabric, one.id)).toEqual(view([one, two], [red], [web, db]));
  expect(hostView(fabric, three.id)).toEqual(view([three], [blue], [log]));
  expect(hostView(fabric, agentId('stranger'))).toEqual(view([], [], []));
});

test('endpoints whose host or network is not known are left out of every view', () => {
  const homeless = view([one], [red], [web, db, log]);
  expect(hostView(homeless, one.id)).toEqual(view([one], [red], [web]));
  expect(hostView(homeless, two.id).endpoints).toEqual([]);
});

test('a change of any field of an endpoint is a difference', () => {
  const others: Required<ViewEndpoint> = {
    slot: slotIdFromText('/other#0'),
    epoch: 9,
    app: appId('/other'),
    network: networkName('blue'),
    host: two.id,
    ip: '10.1.0.9',
    mac: '0a:07:0a:01:00:09',
    hostname: '0.other',
    state: 'draining',
    keepsConnections: true,
    nat: true,
    serving: true,
    device: 'tap0',
    ports: [{ number: 80, protocol: 'tcp' }],
  };
  for (const field of Object.keys(others) as (keyof ViewEndpoint)[]) {
    const changed = { ...fabric, endpoints: [{ ...web, [field]: others[field] }, db, log] };
    expect([field, diffViews(fabric, changed)?.endpoints.length]).toEqual([field, 1]);
  }
});

test('a change of any field of a host or a network is a difference', () => {
  for (const changed of [
    { hosts: [{ ...one, hostname: 'x' }, two, three] },
    { hosts: [{ ...one, underlayIp: '172.16.9.9' }, two, three] },
    { networks: [{ ...red, vni: 9 }, blue] },
    { networks: [{ ...red, cidr: '10.0.0.0/8' }, blue] },
    { networks: [{ ...red, gateway: '10.1.0.9' }, blue] },
    { networks: [{ ...red, mtu: 1400 }, blue] },
    { networks: [{ ...red, domain: 'x' }, blue] },
    { networks: [{ ...red, forwards: true }, blue] },
  ]) {
    expect(diffViews(fabric, { ...fabric, ...changed })).toBeDefined();
  }
});

test('views with the same content have no delta, whatever the order and the version', () => {
  const same = {
    version: { term: 1, n: 2 },
    hosts: [...fabric.hosts].toReversed(),
    networks: fabric.networks.map((each) => ({ ...each })),
    endpoints: fabric.endpoints.map((each) => ({ ...each })).toReversed(),
  };
  expect(diffViews(fabric, same)).toBeUndefined();
});

test('a delta holds what changed and nothing else', () => {
  const moved = { ...web, epoch: 2, host: two.id };
  const after = view([two, three], [red, blue], [moved, db, log], 2);
  expect(diffViews(fabric, after)).toEqual({
    from: { term: 1, n: 1 },
    to: { term: 1, n: 2 },
    hosts: [],
    networks: [],
    endpoints: [moved],
    removedHosts: [one.id],
    removedNetworks: [],
    removedEndpoints: [{ slot: web.slot, epoch: 1 }],
  });
});

const nothing = {
  hosts: [],
  networks: [],
  endpoints: [],
  removedHosts: [],
  removedNetworks: [],
  removedEndpoints: [],
};

test.each([
  [{ term: 1, n: 2 }, { term: 1, n: 3 }, 'the change begins at 1.2, but 1.1 is in force'],
  [{ term: 0, n: 1 }, { term: 0, n: 2 }, 'the change begins at 0.1, but 1.1 is in force'],
  [{ term: 1, n: 1 }, { term: 1, n: 1 }, 'not forward'],
  [{ term: 1, n: 1 }, { term: 2, n: 2 }, 'not forward in one term'],
  [{ term: 1, n: 1 }, { term: 0, n: 9 }, 'not forward'],
])('a delta from %j to %j is refused', (from, to, problem) => {
  expect(applyDelta(fabric, { from, to, ...nothing })).toEqual({
    kind: 'refused',
    problem: expect.stringContaining(problem),
  });
});

test('a snapshot of an earlier term is refused, one of the same or a later term taken', () => {
  const current = { term: 3, n: 9 };
  expect(snapshotProblem(current, { term: 2, n: 99 })).toContain('earlier term');
  expect(snapshotProblem(current, { term: 3, n: 1 })).toBeUndefined();
  expect(snapshotProblem(current, { term: 4, n: 1 })).toBeUndefined();
  expect(snapshotProblem(undefined, { term: 1, n: 1 })).toBeUndefined();
});

test('a sound view has no problems, a standby beside the active one included', () => {
  const standby = { ...web, epoch: 2, host: two.id, state: 'standby' as const };
  expect(validateView(view([one, two, three], [red, blue], [web, standby, db, log]))).toEqual([]);
});

test.each<[string, Partial<ViewEndpoint>, string]>([
  ['two active incarnations', { epoch: 2 }, 'active'],
  ['the same endpoint twice', {}, 'is there twice'],
  [
    'an address of another slot',
    { slot: slotIdFromText('/x#0'), state: 'standby' },
    'both have red/10.1.0.5',
  ],
  ['one slot with two MACs', { epoch: 2, state: 'standby', mac: '0a:00:00:00:00:01' }, 'two MACs'],
  ['a MAC of another address', { slot: slotIdFromText('/x#0'), ip: '10.1.0.9' }, 'both have the MAC'],
  ['an address outside the subnet', { epoch: 2, ip: '10.2.0.5' }, 'not in 10.1.0.0/16'],
  ['a reserved address', { epoch: 2, ip: '10.1.0.1' }, 'reserved'],
  ['a multicast MAC', { epoch: 2, ip: '10.1.0.9', mac: '01:00:5e:00:00:01' }, 'no locally administered'],
  ['a host that is missing', { epoch: 2, host: agentId('nowhere') }, 'host nowhere'],
  ['a network that is missing', { epoch: 2, network: networkName('green') }, 'network green'],
  ['an epoch of 0', { epoch: 0, state: 'standby' }, 'positive'],
])('a view with %s is refused', (_, change, problem) => {
  const problems = validateView(view([one, two], [red], [web, { ...web, ...change }]));
  expect(problems.join('\n')).toContain(problem);
});

test.each([
  [[{ ...red, vni: 2 ** 20 - 1 }], 'must be 1 to 1048574'],
  [[red, { ...blue, vni: 7 }], 'both have the VNI 7'],
  [[{ ...red, cidr: '10.1.0.0' }], 'the subnet "10.1.0.0"'],
  [[{ ...red, gateway: '10.1.0.9' }], 'must be the .1'],
])('a view with bad networks is refused: %j', (networks, problem) => {
  expect(validateView(view([one], networks, [])).join('\n')).toContain(problem);
});

test('a list of problems is bounded', () => {
  const bad = Array.from({ length: 1_000 }, (_, i) => ({ ...web, epoch: i + 2, ip: 'x' }));
  expect(validateView(view([one], [red], bad))).toHaveLength(20);
});
