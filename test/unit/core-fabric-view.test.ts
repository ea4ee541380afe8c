import { expect, test } from '@jest/globals';
import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import { agentId } from '../../src/model/ids.ts';
import { viewEndpoints, viewHost, viewNetwork } from '../../scheduler/core/fabric/fabric-view.ts';
import { anApp, CoreBench, defaultNetwork } from '../support/core-bench.ts';

const states = (bench: CoreBench): string[] =>
  [...viewEndpoints(bench.world, bench.world.slots.keys()).values()]
    .flat()
    .map(({ epoch, state, host }) => `${epoch} ${state} ${host}`);

test('an endpoint is shown from the moment its instance is stored, with the lease of its slot', () => {
  const bench = new CoreBench();
  bench.put(anApp('/web'));
  const { id } = bench.slot('/web');
  expect(viewEndpoints(bench.world, [id])).toEqual(new Map([[id, []]]));
  bench.offer('a1');
  expect(viewEndpoints(bench.world, [id]).get(id)).toEqual([
    {
      slot: '/web#0',
      epoch: 1,
      app: '/web',
      network: 'default',
      host: 'a1',
      ip: '10.32.0.3',
      mac: '0a:07:0a:20:00:03',
      hostname: '0.web',
      state: 'active',
      ports: [],
    },
  ]);
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: [id] }]);
});

test('during an upgrade the new one is standby, then anchored, then active while the old one drains, then alone', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const old = bench.instance('/web');
  bench.put(anApp('/web', { env: { RELEASE: '2' } }));
  const launches = bench.offer('a2');
  expect(states(bench)).toEqual(['1 active a1', '2 standby a2']);
  bench.run(launches);
  expect(states(bench)).toEqual(['1 active a1', '2 anchored a2']);
  bench.converge(old.slotId);
  expect(states(bench)).toEqual(['1 draining a1', '2 active a2']);
  bench.status(old, 'killed');
  expect(states(bench)).toEqual(['2 active a2']);
});

test('an unreachable endpoint leaves the view at once, and a replaced one never returns to it', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const old = bench.instance('/web');
  bench.status(old, 'unreachable');
  expect(states(bench)).toEqual([]);
  expect(bench.effects('fabric-changed')).toHaveLength(1);
  bench.offer('a2');
  bench.status(old, 'running');
  expect(states(bench)).toEqual(['2 active a2']);
});

test('what is on an unreachable host is not shown; its network is complete', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web'), 'a1');
  const host = agentId('a1');
  const facts = {
    agentId: host,
    executorId: bench.instance('/web').executorId,
    hostname: 'one',
    underlayIp: '198.19.0.11',
    underlayMtu: 1_400,
    datapath: 'netdev' as const,
    ovsVersion: '3',
    dockerVersion: '20',
  };
  expect(viewHost(bench.world, defaultInterconnect, host)).toBeUndefined();
  bench.step({ kind: 'host-facts', facts });
  expect(viewHost(bench.world, defaultInterconnect, host)).toEqual({
    id: 'a1',
    hostname: 'one',
    underlayIp: '198.19.0.11',
  });
  expect(viewNetwork(bench.world, defaultInterconnect, defaultNetwork.name)).toEqual({
    name: 'default',
    vni: 7,
    cidr: '10.32.0.0/16',
    gateway: '10.32.0.1',
    mtu: 1_350,
    domain: 'patchpanel.internal',
  });
  bench.step({ kind: 'agent-lost', agentId: host });
  expect(states(bench)).toEqual([]);
});

test('an app on the host network has no endpoints', () => {
  const bench = new CoreBench();
  bench.deploy(anApp('/web', { network: { mode: 'host' } }));
  expect(states(bench)).toEqual([]);
});

test('an endpoint serves from when it is ready until it is not, and views tell that', () => {
  const bench = new CoreBench();
  const check = { protocol: 'TCP', port: 80 } as const;
  const times = { gracePeriodSeconds: 1, intervalSeconds: 1, timeoutSeconds: 1, delaySeconds: 0 };
  const healthChecks = [{ ...check, ...times, maxConsecutiveFailures: 0, ignoreHttp1xx: false }];
  bench.put(anApp('/web', { healthChecks }));
  bench.run(bench.offer('a1'));
  const instance = bench.instance('/web');
  const serving = () => viewEndpoints(bench.world, [instance.slotId]).get(instance.slotId)?.[0]?.serving;
  expect(serving()).toBeUndefined();
  bench.status(instance, 'running', { healthy: true });
  expect(serving()).toBe(true);
  expect(bench.effects('fabric-changed')).toEqual([{ kind: 'fabric-changed', slots: [instance.slotId] }]);
  bench.status(instance, 'running', { healthy: false });
  expect(serving()).toBeUndefined();
  expect(bench.effects('fabric-changed')).toHaveLength(1);
});
