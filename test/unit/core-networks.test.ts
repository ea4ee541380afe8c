import { expect, test } from '@jest/globals';
import { viewNetwork } from '../../scheduler/core/fabric/fabric-view.ts';
import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import { agentId, appId, executorId, networkName } from '../../src/model/ids.ts';
import type { HostFacts } from '../../src/model/host.ts';
import type { Network } from '../../src/model/network.ts';
import { anApp, CoreBench, defaultNetwork } from '../support/core-bench.ts';

const blue: Network = { ...defaultNetwork, name: networkName('blue'), vni: 8, cidr: '10.33.0.0/24' };
const onBlue = { network: { mode: 'container' as const, name: blue.name, labels: {}, pinned: [] } };

test.each([
  ['a subnet that overlaps another', { cidr: '10.32.4.0/24' }, '/cidr'],
  ['a subnet that is none', { cidr: 'blue' }, '/cidr'],
  ['a VNI that is used', { vni: 7 }, '/vni'],
  ['a VNI out of range', { vni: 2 ** 20 }, '/vni'],
  ['a range outside the subnet', { range: '10.34.0.1-10.34.0.9' }, '/range'],
  ['a range that is none', { range: 'all' }, '/range'],
  ['a domain that is none', { domain: 'a b' }, '/domain'],
])('%s is refused', (_, fields, path) => {
  const bench = new CoreBench();
  const result = bench.change({ kind: 'put-network', network: { ...blue, ...fields } });
  expect(result).toMatchObject({ kind: 'invalid', details: [{ path }] });
  expect(bench.frame.writes).toEqual([]);
});

test('the subnet and the VNI cannot change while addresses are held, the rest can', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: blue });
  bench.put(anApp('/web', onBlue));
  expect(bench.change({ kind: 'put-network', network: { ...blue, cidr: '10.34.0.0/24' } })).toMatchObject({
    details: [{ path: '/cidr' }],
  });
  expect(bench.change({ kind: 'put-network', network: { ...blue, vni: 9 } })).toMatchObject({
    details: [{ path: '/vni' }],
  });
  expect(bench.change({ kind: 'put-network', network: { ...blue, mtu: 1400 } }).kind).toBe('accepted');
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: ['/web#0'] }]);
});

test('a network that is used cannot be deleted; an unused one can, with what is in quarantine', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: blue });
  bench.deploy(anApp('/web', onBlue));
  expect(bench.change({ kind: 'delete-network', name: blue.name })).toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('/web'),
  });
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  expect(bench.change({ kind: 'delete-network', name: blue.name }).kind).toBe('conflict');
  bench.step({ kind: 'tick' });
  bench.status(bench.instance('/web'), 'killed');
  expect(bench.change({ kind: 'delete-network', name: blue.name }).kind).toBe('accepted');
  expect(bench.world.slots.size).toBe(0);
});

test('the default network stays, and one that is not there is not found', () => {
  const bench = new CoreBench();
  expect(bench.change({ kind: 'delete-network', name: defaultNetwork.name }).kind).toBe('conflict');
  expect(bench.change({ kind: 'delete-network', name: blue.name }).kind).toBe('not-found');
});

test('an app that moves to another network gets addresses there', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: blue });
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', onBlue));
  expect(bench.slot('/web').lease).toMatchObject({
    network: 'blue',
    ip: '10.33.0.3',
    mac: '0a:08:0a:21:00:03',
  });
});

const factsOf = (underlayMtu: number, fields: Partial<HostFacts> = {}): HostFacts => ({
  agentId: agentId('a1'),
  executorId: executorId('e1'),
  hostname: 'one',
  underlayIp: '198.19.0.11',
  underlayMtu,
  datapath: 'netdev',
  ovsVersion: '3',
  dockerVersion: '20',
  ...fields,
});

test("an MTU above what the hosts' underlay carries is refused with the number that fits", () => {
  const bench = new CoreBench();
  bench.step({ kind: 'host-facts', facts: factsOf(1_500) });
  const put = (mtu: number) => bench.change({ kind: 'put-network', network: { ...blue, mtu } });
  expect(put(1_451)).toMatchObject({
    kind: 'invalid',
    details: [{ path: '/mtu', errors: [expect.stringContaining('1450 bytes')] }],
  });
  expect(bench.world.networks.has(blue.name)).toBe(false);
  expect(put(1_450).kind).toBe('accepted');
});

test('a host with a smaller underlay that comes later lowers what the network gives out', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: { ...blue, mtu: 8_000 } });
  const mtu = () => viewNetwork(bench.world, defaultInterconnect, blue.name)?.mtu;
  expect(mtu()).toBe(8_000);
  bench.step({ kind: 'host-facts', facts: factsOf(1_400) });
  expect(mtu()).toBe(1_350);
});

test("a subnet that holds a host's own address is refused, unless the host has another one by now", () => {
  const bench = new CoreBench();
  const tell = (agent: string, underlayIp: string) =>
    bench.step({
      kind: 'host-facts',
      facts: factsOf(1_500, { underlayIp, agentId: agentId(agent) }),
    });
  tell('a1', '10.33.0.77');
  const put = (fields: Partial<Network> = {}) =>
    bench.change({ kind: 'put-network', network: { ...blue, ...fields } });
  expect(put()).toMatchObject({
    kind: 'invalid',
    details: [{ path: '/cidr', errors: [expect.stringMatching(/10\.33\.0\.77.*host 'one'/)] }],
  });
  expect(bench.frame.writes).toEqual([]);
  bench.now += 1;
  tell('a2', '198.19.0.11');
  expect(put().kind).toBe('accepted');
  // What is there already can still be changed, or nobody could close it.
  tell('a2', '10.33.0.77');
  expect(put({ nat: true }).kind).toBe('accepted');
  expect(put({ cidr: '10.33.0.64/26' })).toMatchObject({ details: [{ path: '/cidr' }] });
});

test('a route leads to another network that exists, and keeps that from being deleted', () => {
  const bench = new CoreBench();
  const put = (network: Network) => bench.change({ kind: 'put-network', network });
  const routed = (...routes: string[]): Network => ({ ...blue, routes: routes.map(networkName) });
  expect(put(routed('default', 'red'))).toMatchObject({
    kind: 'invalid',
    details: [{ path: '/routes(1)', errors: ["network 'red' does not exist"] }],
  });
  expect(put(routed('blue'))).toMatchObject({ details: [{ path: '/routes(0)' }] });
  expect(put(routed('default')).kind).toBe('accepted');
  expect(viewNetwork(bench.world, defaultInterconnect, blue.name)).toMatchObject({ routes: ['default'] });
  const red = { ...blue, name: networkName('red'), vni: 9, cidr: '10.35.0.0/24' };
  put(red);
  put(routed('red'));
  expect(bench.change({ kind: 'delete-network', name: red.name })).toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining("route of network 'blue'"),
  });
});

test('two apps whose names would be the same cannot be under one domain', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop/a.b'));
  const refused = bench.change({ kind: 'put-apps', apps: [anApp('/shop/a-b')], force: false });
  expect(refused).toMatchObject({ kind: 'invalid', details: [{ path: '/id' }] });
  expect(bench.frame.writes).toEqual([]);
  bench.change({ kind: 'put-network', network: { ...blue, domain: 'blue.internal' } });
  const elsewhere = { kind: 'put-apps' as const, apps: [anApp('/shop/a-b', onBlue)], force: false };
  expect(bench.change(elsewhere).kind).toBe('accepted');
  const put = (domain: string) => bench.change({ kind: 'put-network', network: { ...blue, domain } });
  expect(put('patchpanel.internal')).toMatchObject({
    kind: 'invalid',
    details: [
      {
        path: '/domain',
        errors: ["a-b.shop.patchpanel.internal would be the name of app '/shop/a-b' and of app '/shop/a.b'"],
      },
    ],
  });
  expect(bench.frame.writes).toEqual([]);
  expect(put('red.internal').kind).toBe('accepted');
});

test('a domain cannot give a machine the name of an app, or an app one that is too long for DNS', () => {
  const bench = new CoreBench();
  bench.step({ kind: 'host-facts', facts: factsOf(1_500) });
  const put = (domain: string) => bench.change({ kind: 'put-network', network: { ...blue, domain } });
  put('blue.internal');
  bench.put(anApp('/vm1'));
  const reservation = { network: blue.name, name: 'vm1', host: 'one', device: 'tap1' };
  expect(bench.change({ kind: 'put-reservation', reservation }).kind).toBe('accepted');
  expect(put('patchpanel.internal')).toMatchObject({
    details: [{ path: '/domain', errors: [expect.stringMatching(/reservation 'vm1'.* and of app '\/vm1'/)] }],
  });
  const long = Array.from({ length: 4 }, () => 'd'.repeat(62)).join('.');
  expect(put(long)).toMatchObject({
    details: [{ path: '/domain', errors: [expect.stringContaining('has 255 characters')] }],
  });

  const one = bench.change({ kind: 'delete-reservation', network: blue.name, name: 'vm1' });
  expect([one.kind, put(long).kind]).toEqual(['accepted', 'accepted']);
  expect(bench.change({ kind: 'put-reservation', reservation })).toMatchObject({
    details: [{ path: '/name' }],
  });
  put('blue.internal');
  bench.put(anApp('/web', onBlue));
  expect(put(long)).toMatchObject({
    details: [{ path: '/domain', errors: [expect.stringContaining('of /web under')] }],
  });
  expect(put('red.internal').kind).toBe('accepted');
});
