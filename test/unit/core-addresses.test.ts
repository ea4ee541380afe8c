import { expect, test } from '@jest/globals';
import { appId } from '../../src/model/ids.ts';
import { anApp, CoreBench, defaultNetwork, pinned } from '../support/core-bench.ts';

const ips = (bench: CoreBench, app: string, count: number): (string | undefined)[] =>
  Array.from({ length: count }, (_, index) => bench.slot(app, index).lease?.ip);

test('slots get the next free addresses, the MAC of the address and a name, when the app is put', () => {
  const bench = new CoreBench();
  bench.put(anApp('/shop/db', { instances: 2 }));
  expect(bench.slot('/shop/db', 1).lease).toEqual({
    network: 'default',
    ip: '10.32.0.4',
    mac: '0a:07:0a:20:00:04',
    hostname: '1.db.shop',
  });
  expect(bench.slot('/shop/db', 0)).toMatchObject({ index: 0, epoch: 0 });
});

test('an app on the host network has slots without a lease', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { network: { mode: 'host' } }));
  expect(bench.slot('/web').lease).toBeUndefined();
});

test('pinned addresses go to the slots in order', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web', { instances: 2, ...pinned('10.32.0.20', '10.32.0.10') }));
  expect(ips(bench, '/web', 2)).toEqual(['10.32.0.20', '10.32.0.10']);
});

const pinPath = '/networks(0)/labels/patchpanel.ip';

test.each([
  [
    'fewer pins than instances',
    anApp('/web', { instances: 2, ...pinned('10.32.0.10') }),
    pinPath,
    'lists 1 addresses',
  ],
  [
    'an address outside the network',
    anApp('/web', pinned('10.99.0.1')),
    pinPath,
    "outside the network's subnet",
  ],
  ['the gateway', anApp('/web', pinned('10.32.0.1')), pinPath, 'reserved: it is the gateway'],
  ['the service address', anApp('/web', pinned('10.32.0.2')), pinPath, 'reserved: it is the service'],
  ['no address', anApp('/web', pinned('web')), pinPath, 'not an IPv4 address'],
  [
    'an address twice',
    anApp('/web', { instances: 2, ...pinned('10.32.0.9', '10.32.0.9') }),
    pinPath,
    'taken by /web#0',
  ],
  ['an address of another app', anApp('/web', pinned('10.32.0.3')), pinPath, 'taken by /other#0'],
])('%s is refused, names the field and stores nothing', (_, app, path, error) => {
  const bench = new CoreBench();
  bench.put(anApp('/other'));
  const result = bench.put(app);
  const details = [{ appId: '/web', path, errors: [expect.stringContaining(error)] }];
  expect(result).toEqual({ kind: 'invalid', details });
  expect(bench.frame.writes).toEqual([]);
  expect(bench.world.apps.has(appId('/web'))).toBe(false);
});

test('a network without room refuses the instances that it cannot address', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: { ...defaultNetwork, range: '10.32.0.8-10.32.0.9' } });
  expect(bench.put(anApp('/web', { instances: 3 }))).toEqual({
    kind: 'invalid',
    details: [{ appId: '/web', path: '/instances', errors: [expect.stringContaining('no free address')] }],
  });
  expect(bench.put(anApp('/web', { instances: 2 })).kind).toBe('accepted');
});

test('a network that does not exist is refused', () => {
  const bench = new CoreBench();
  const network = { ...defaultNetwork, name: 'nowhere' as typeof defaultNetwork.name };
  const app = anApp('/web', { network: { mode: 'container', name: network.name, labels: {}, pinned: [] } });
  expect(bench.put(app)).toMatchObject({ kind: 'invalid', details: [{ path: '/networks(0)/name' }] });
});

test('scaled down and up again, a slot has the address that it had', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 3 }));
  const before = ips(bench, '/web', 3);
  bench.put(anApp('/web', { instances: 1 }));
  for (const task of bench.killed()) bench.status(task, 'killed');
  expect(bench.world.deployments.size).toBe(0);
  bench.put(anApp('/other'));
  bench.put(anApp('/web', { instances: 3 }), true);
  expect(ips(bench, '/web', 3)).toEqual(before);
  expect(bench.slot('/web', 2).quarantinedUntil).toBeUndefined();
});

test('an address is given to others only after its quarantine, which begins when its last user ended', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const freed = bench.slot('/web', 1).lease?.ip;
  bench.put(anApp('/web', { instances: 1 }));
  const [task] = bench.killed();
  bench.wait(200);
  bench.status(task!, 'killed');
  bench.wait(299);
  bench.put(anApp('/early'));
  expect(bench.slot('/early').lease?.ip).not.toBe(freed);
  bench.wait(2);
  bench.put(anApp('/late'));
  expect(bench.slot('/late').lease?.ip).toBe(freed);
});

test('an app that is deleted and created again before the quarantine ends has its addresses back', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const before = ips(bench, '/web', 2);
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  for (const task of bench.killed()) bench.status(task, 'killed');
  expect(bench.world.apps.size).toBe(0);
  bench.put(anApp('/other'));
  bench.put(anApp('/web', { instances: 2 }));
  expect(ips(bench, '/web', 2)).toEqual(before);
});

test('the addresses of a deleted app are free after the quarantine', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: false });
  for (const task of bench.killed()) bench.status(task, 'killed');
  bench.wait(301);
  expect(bench.world.slots.size).toBe(0);
  expect([...bench.store.keys()].filter((key) => key.startsWith('slot'))).toEqual([]);
});

test('a redeploy and a restart keep the address', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { instances: 2 }));
  const before = ips(bench, '/web', 2);
  bench.put(anApp('/web', { instances: 2, env: { RELEASE: '2' } }));
  expect(ips(bench, '/web', 2)).toEqual(before);
});

test('with new pins the new incarnation has the new address while the old one keeps its own', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'));
  bench.put(anApp('/web', pinned('10.32.0.50')));
  const [launch] = bench.offer('a1');
  expect(launch?.instance.lease?.ip).toBe('10.32.0.50');
  expect(bench.instances('/web').map(({ lease }) => lease?.ip)).toEqual(['10.32.0.3', '10.32.0.50']);
  expect(bench.put(anApp('/other', pinned('10.32.0.3')))).toMatchObject({ kind: 'invalid' });
});

test('pins that are taken away leave the addresses as they are', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', pinned('10.32.0.50')));
  bench.put(anApp('/web'));
  expect(bench.slot('/web').lease?.ip).toBe('10.32.0.50');
});

test('apps of one change do not get the same address, and one refusal refuses all', () => {
  const bench = new CoreBench();
  const result = bench.change({
    kind: 'put-apps',
    apps: [anApp('/a', pinned('10.32.0.9')), anApp('/b', pinned('10.32.0.9'))],
    force: false,
  });
  expect(result.kind).toBe('invalid');
  expect(bench.world.slots.size).toBe(0);
});
