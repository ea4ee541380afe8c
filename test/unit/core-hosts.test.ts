import { beforeEach, expect, test } from '@jest/globals';
import { viewNetwork } from '../../scheduler/core/fabric/fabric-view.ts';
import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import { agentId, executorId } from '../../src/model/ids.ts';
import { anApp, CoreBench, defaultNetwork } from '../support/core-bench.ts';

const daySeconds = 86_400;
const old = agentId('a1');

let bench: CoreBench;
beforeEach(() => {
  bench = new CoreBench();
  report('a1', 1_400);
  report('a2', 9_000);
});

function report(id: string, underlayMtu: number): void {
  const facts = {
    agentId: agentId(id),
    executorId: executorId('e'),
    hostname: `${id}.example`,
    underlayIp: '172.16.0.1',
    underlayMtu,
    datapath: 'netdev' as const,
    ovsVersion: '3.1',
    dockerVersion: '20',
  };
  bench.step({ kind: 'host-facts', facts });
}

const mtu = (): number | undefined => viewNetwork(bench.world, defaultInterconnect, defaultNetwork.name)?.mtu;

/** Days go by; once a day these hosts are connected. */
function days(count: number, ...connected: string[]): void {
  for (let day = 0; day < count; day++) {
    bench.now += daySeconds * 1000;
    bench.step({ kind: 'hosts-connected', agentIds: connected.map((id) => agentId(id)) });
  }
}

const known = (): string[] => [...bench.world.hosts.keys()];
const reserveOn = (host: string) =>
  bench.change({
    kind: 'put-reservation',
    reservation: { network: defaultNetwork.name, name: 'vm1', host, device: 'vnet0' },
  });

test('a host counts for the MTU of networks until Mesos has lost it, and views are told', () => {
  expect(mtu()).toBe(1_350);
  bench.step({ kind: 'agent-lost', agentId: old });
  expect(mtu()).toBe(8_950);
  expect(bench.effects('networks-changed')).toHaveLength(1);
  report('a1', 1_400);
  expect(mtu()).toBe(1_350);
  expect(bench.effects('networks-changed')).toHaveLength(1);
});

test('a lost host counts as long as a task may still run there', () => {
  bench.deploy(anApp('/web', { unreachableStrategy: 'disabled' }), 'a1');
  const instance = bench.instance('/web');
  bench.status(instance, 'unreachable');
  bench.step({ kind: 'agent-lost', agentId: old });
  expect(mtu()).toBe(1_350);
  bench.status(instance, 'gone');
  expect(mtu()).toBe(8_950);
  expect(bench.effects('networks-changed')).toHaveLength(1);
});

test('a lost host counts as long as a machine is reserved on it, unless it came back under another id', () => {
  bench.step({ kind: 'agent-lost', agentId: old });
  reserveOn('a1.example');
  expect(mtu()).toBe(1_350);
  expect(bench.effects('networks-changed')).toHaveLength(1);
  reserveOn('a2.example');
  expect(mtu()).toBe(8_950);
});

test('a network may have what the hosts that are there carry', () => {
  const put = () => bench.change({ kind: 'put-network', network: { ...defaultNetwork, mtu: 8_000 } });
  expect(put().kind).toBe('invalid');
  bench.step({ kind: 'agent-lost', agentId: old });
  expect(put().kind).toBe('accepted');
  bench.step({ kind: 'agent-lost', agentId: agentId('a2') });
  expect(mtu()).toBe(8_000);
});

test('a host that was not connected for a week is forgotten with its executor, also by the store and the views', () => {
  bench.deploy(anApp('/web'), 'a1');
  bench.put(anApp('/web', { instances: 0 }));
  bench.status(bench.instance('/web'), 'killed');
  const executor = bench.world.executors.get(old);
  bench.step({ kind: 'agent-lost', agentId: old });
  days(6, 'a2');
  expect(known()).toEqual(['a1', 'a2']);
  days(1, 'a2');
  expect(known()).toEqual(['a2']);
  expect(bench.effects('host-forgotten')).toEqual([{ kind: 'host-forgotten', agentId: old }]);
  expect(bench.effects('shutdown-executor')).toMatchObject([{ executorId: executor?.executorId }]);
  expect([...bench.store.keys()].filter((key) => key.endsWith(' a1'))).toEqual([]);
  bench.restart();
  expect(known()).toEqual(['a2']);
});

test('one that Mesos was never heard to lose is forgotten, too, and counts no more then', () => {
  days(7, 'a2');
  expect(known()).toEqual(['a2']);
  expect(mtu()).toBe(8_950);
  expect(bench.effects('networks-changed')).toHaveLength(1);
});

test('a host that is connected stays, which is stored once a day', () => {
  days(30, 'a1', 'a2');
  expect(known()).toEqual(['a1', 'a2']);
  bench.now += 3_600_000;
  bench.step({ kind: 'hosts-connected', agentIds: [old] });
  expect(bench.frame.writes).toEqual([]);
  bench.restart();
  days(6);
  expect(known()).toEqual(['a1', 'a2']);
});

test('a host that comes back with nothing new is there, also for a list of those connected from before', () => {
  bench.now += 8 * daySeconds * 1000;
  report('a1', 1_400);
  bench.step({ kind: 'hosts-connected', agentIds: [agentId('a2')] });
  expect(known()).toEqual(['a1', 'a2']);
  report('a1', 1_400);
  expect(bench.frame.writes).toEqual([]);
});

test('a host with a task or a reservation stays', () => {
  bench.deploy(anApp('/web', { unreachableStrategy: 'disabled' }), 'a1');
  bench.status(bench.instance('/web'), 'unreachable');
  reserveOn('a2.example');
  days(30);
  expect(known()).toEqual(['a1', 'a2']);
  bench.change({ kind: 'delete-reservation', network: defaultNetwork.name, name: 'vm1' });
  days(1);
  expect(known()).toEqual(['a1']);
});
