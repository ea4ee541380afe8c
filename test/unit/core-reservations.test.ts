import { beforeEach, expect, test } from '@jest/globals';
import type { ReservationWish } from '../../scheduler/core/events.ts';
import { viewEndpoints } from '../../scheduler/core/fabric/fabric-view.ts';
import { createWorld, restore } from '../../scheduler/core/restore.ts';
import { agentId, executorId, networkName } from '../../src/model/ids.ts';
import { reservationSlot } from '../../src/model/reservation.ts';
import { anApp, CoreBench, defaultNetwork } from '../support/core-bench.ts';

const network = defaultNetwork.name;
const vm: ReservationWish = { network, name: 'vm1', host: 'h1.example', device: 'vnet0' };
const slot = reservationSlot(vm);

let bench: CoreBench;
beforeEach(() => {
  bench = new CoreBench();
  hostIs('a1', 'h1.example');
  hostIs('a2', 'h2.example');
});

function hostIs(id: string, hostname: string): void {
  const facts = {
    agentId: agentId(id),
    executorId: executorId('e'),
    hostname,
    underlayIp: '172.16.0.1',
    underlayMtu: 1500,
    datapath: 'netdev' as const,
    ovsVersion: '3.1',
    dockerVersion: '20',
  };
  bench.step({ kind: 'host-facts', facts });
}

const reserve = (fields: Partial<ReservationWish> = {}) =>
  bench.change({ kind: 'put-reservation', reservation: { ...vm, ...fields } });
const shown = () => viewEndpoints(bench.world, [slot]).get(slot);

test('a machine gets the next free address with the MAC that belongs to it, and views show it on its host', () => {
  bench.put(anApp('/web'));
  expect(reserve().kind).toBe('accepted');
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: [slot] }]);
  expect(shown()).toMatchObject([
    {
      slot: 'default:vm1',
      epoch: 1,
      host: 'a1',
      ip: '10.32.0.4',
      mac: '0a:07:0a:20:00:04',
      hostname: 'vm1',
      state: 'active',
      device: 'vnet0',
    },
  ]);
});

test('it keeps its address when it moves, and is where its host came back', () => {
  reserve({ ip: '10.32.0.50', mac: '52:54:00:AA:00:01' });
  reserve({ host: 'h2.example' });
  expect(shown()).toMatchObject([{ host: 'a2', ip: '10.32.0.50', mac: '52:54:00:aa:00:01' }]);
  hostIs('a9', 'h2.example');
  expect(shown()).toMatchObject([{ host: 'a9' }]);
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: [slot] }]);
});

test('its address is nobody else’s until it is given back', () => {
  reserve({ ip: '10.32.0.3' });
  bench.put(anApp('/web'));
  expect(bench.slot('/web').lease?.ip).toBe('10.32.0.4');
  const pinned = (ip: string) => ({
    network: { mode: 'container' as const, name: network, labels: {}, pinned: [ip] },
  });
  const clash = bench.change({ kind: 'put-apps', apps: [anApp('/db', pinned('10.32.0.3'))], force: false });
  expect(clash).toMatchObject({ kind: 'invalid', details: [{ errors: [expect.stringContaining('vm1')] }] });
  bench.change({ kind: 'delete-reservation', network, name: 'vm1' });
  expect(shown()).toEqual([]);
  bench.put(anApp('/db', pinned('10.32.0.3')));
  expect(bench.slot('/db').lease?.ip).toBe('10.32.0.3');
});

test('it survives a restart of the scheduler', () => {
  reserve();
  const world = createWorld();
  restore(world, [
    { kind: 'network', key: network, value: defaultNetwork },
    { kind: 'reservation', key: slot, value: bench.world.reservations.get(slot) },
  ]);
  expect(world.reservations.get(slot)).toEqual(bench.world.reservations.get(slot));
  expect(world.addresses.get(network)?.holders.has('10.32.0.3')).toBe(true);
});

test.each<[string, Partial<ReservationWish>, string]>([
  ['a host that nobody knows', { host: 'h9.example' }, '/host'],
  ['a device of ours', { device: 'ppg7' }, '/device'],
  ['a device that Linux would not take', { device: 'much-too-long-name' }, '/device'],
  ['a device that is reserved', { device: 'vnet9' }, '/device'],
  ['a name that is no label', { name: 'vm.1' }, '/name'],
  ['a name that is an app’s', { name: 'web' }, '/name'],
  ['an address outside', { ip: '10.33.0.1' }, '/ip'],
  ['an address that is reserved for all', { ip: '10.32.0.2' }, '/ip'],
  ['an address that is a slot’s', { ip: '10.32.0.4' }, '/ip'],
  ['an address that is a machine’s', { ip: '10.32.0.3' }, '/ip'],
  ['a MAC that is none', { mac: 'x' }, '/mac'],
  ['a MAC of a group', { mac: '01:00:5e:00:00:01' }, '/mac'],
  ['a MAC that is a machine’s', { mac: '52:54:00:00:00:09' }, '/mac'],
  ['a MAC that belongs to another address', { mac: '0a:07:0a:20:00:63' }, '/mac'],
])('%s is refused by its field, and nothing is stored', (_, fields, path) => {
  reserve({ name: 'other', device: 'vnet9', mac: '52:54:00:00:00:09' });
  bench.put(anApp('/web'));
  expect(reserve(fields)).toMatchObject({ kind: 'invalid', details: [{ path }] });
  expect(bench.frame.writes).toEqual([]);
});

test('an app cannot take the name of a machine, nor a network with machines be deleted', () => {
  reserve();
  const named = bench.change({ kind: 'put-apps', apps: [anApp('/vm1')], force: false });
  expect(named).toMatchObject({ kind: 'invalid', details: [{ path: '/id' }] });
  const blue = { ...defaultNetwork, name: networkName('blue'), vni: 8, cidr: '10.33.0.0/24' };
  bench.change({ kind: 'put-network', network: blue });
  expect(reserve({ network: blue.name, device: 'vnet1' })).toMatchObject({ details: [{ path: '/name' }] });
  expect(reserve({ network: blue.name, name: 'vm2', device: 'vnet1' }).kind).toBe('accepted');
  expect(bench.change({ kind: 'delete-network', name: blue.name }).kind).toBe('conflict');
  expect(reserve({ network: networkName('green') }).kind).toBe('not-found');
  expect(bench.change({ kind: 'delete-reservation', network, name: 'vm7' }).kind).toBe('not-found');
});
