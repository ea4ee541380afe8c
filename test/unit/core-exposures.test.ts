import { expect, test } from '@jest/globals';
import { viewNetwork } from '../../scheduler/core/fabric/fabric-view.ts';
import { parseExposure } from '../../src/fabric/publication.ts';
import { defaultInterconnect } from '../../src/fabric/interconnect.ts';
import type { App } from '../../src/model/app.ts';
import type { HostFacts } from '../../src/model/host.ts';
import { agentId, appId, executorId, frameworkId, groupId } from '../../src/model/ids.ts';
import { anApp, anOffer, CoreBench, defaultNetwork } from '../support/core-bench.ts';

function exposing(id: string, label: string, fields: Partial<App> = {}): App {
  const app = anApp(id, fields);
  const mapping = {
    containerPort: 80,
    servicePort: 0,
    protocol: 'tcp' as const,
    labels: { 'patchpanel.expose': label },
  };
  return { ...app, container: { ...app.container, portMappings: [mapping] } };
}

const published = (bench: CoreBench) =>
  viewNetwork(bench.world, defaultInterconnect, defaultNetwork.name)?.publications ?? [];
const path = '/container/portMappings(0)/labels/patchpanel.expose';

test('the label names a host port, and hosts after an at sign', () => {
  expect(parseExposure('8080')).toEqual({ hostPort: 8080, hosts: [] });
  expect(parseExposure('8080@edge1, edge2,edge1')).toEqual({ hostPort: 8080, hosts: ['edge1', 'edge2'] });
  for (const wrong of ['', '0', '65536', 'http', '8080@', '8080@a b', '80:8080', '4789', '6081@edge1'])
    expect(parseExposure(wrong)).toHaveProperty('problem');
});

test.each([
  ['22', 'SSH'],
  ['53@edge1', 'names'],
  ['67', 'leases'],
  ['5051', 'Mesos agent'],
])('%s is refused: every host needs it for %s', (text, use) => {
  expect(new CoreBench().put(exposing('/web', text))).toMatchObject({
    kind: 'invalid',
    details: [{ path, errors: [expect.stringContaining(use)] }],
  });
});

/** A bench on which the app has been stored with the label before anything stood against that. */
function storedWith(label: string): CoreBench {
  const bench = new CoreBench();
  bench.deploy(exposing('/web', '8080'), 'a1');
  const record = bench.store.get('app /web')!;
  const app = record.value as App;
  bench.store.set('app /web', { ...record, value: { ...app, container: exposing('/web', label).container } });
  bench.restart();
  return bench;
}

test.each(['22', '53', '67@a1.example', '5051'])('%s stays published where it was', (label) => {
  const bench = storedWith(label);
  const hostPort = Number.parseInt(label, 10);
  expect(published(bench)).toMatchObject([{ hostPort, targets: ['10.32.0.3'] }]);
  expect(bench.put(exposing('/web', label, { instances: 2 }), true).kind).toBe('accepted');
  expect(published(bench)).toMatchObject([{ hostPort }]);
  expect(bench.put(exposing('/other', '5051')).kind).toBe('invalid');
});

test('what is taken back is published as it was', () => {
  const bench = storedWith('22@gone.example');
  bench.offer('a1');
  bench.wait(31);
  const result = bench.put(exposing('/web', '8080'), true);
  if (result.kind !== 'accepted' || result.deploymentId === undefined) throw new Error('not deployed');
  const { deploymentId } = result;
  expect(bench.change({ kind: 'cancel-deployment', deploymentId, force: false }).kind).toBe('accepted');
  expect(published(bench)).toMatchObject([{ hostPort: 22, hosts: ['gone.example'] }]);
  bench.deploy(exposing('/new', '81'), 'a1');
  bench.wait(6);
  expect(bench.put(exposing('/more', '80@gone.example')).kind).toBe('invalid');
});

test("the API's own port is not published where the API is, if that is a host of the fabric", () => {
  const bench = new CoreBench();
  expect(bench.put(exposing('/early', '8080')).kind).toBe('accepted');
  bench.change({ kind: 'delete-app', appId: appId('/early'), force: true });
  bench.offer(anOffer('a1', { hostname: bench.settings.api.hostname }), 'a2');
  for (const label of ['8080', '8080@a2.example,api.example']) {
    expect(bench.put(exposing('/web', label))).toMatchObject({
      kind: 'invalid',
      details: [{ path, errors: [expect.stringContaining('API')] }],
    });
  }
  expect(bench.put(exposing('/web', '8080@a2.example')).kind).toBe('accepted');
});

test('an app keeps a port that is that of the API by now, and a group may not bring one back', () => {
  const bench = new CoreBench();
  bench.put(exposing('/shop/web', '8080'));
  const { version } = bench.app('/shop/web');
  bench.offer(anOffer('a1', { hostname: bench.settings.api.hostname }));
  expect(bench.put(exposing('/shop/web', '8080', { cpus: 0.2 }), true).kind).toBe('accepted');
  expect(bench.put(exposing('/shop/web', '8081'), true).kind).toBe('accepted');
  const back = { kind: 'revert-group', groupId: groupId('/shop'), version, force: true } as const;
  expect(bench.change(back)).toMatchObject({ kind: 'invalid', details: [{ path }] });
});

test("an agent's own port is not published where the agent is", () => {
  const bench = new CoreBench();
  bench.offer(anOffer('a1', { agentPort: 15_051 }), anOffer('a2'));
  expect(bench.put(exposing('/web', '15051'))).toMatchObject({
    kind: 'invalid',
    details: [{ path, errors: [expect.stringContaining('Mesos agent on a1.example')] }],
  });
  expect(bench.put(exposing('/web', '15051@a1.example')).kind).toBe('invalid');
  expect(bench.put(exposing('/web', '15051@a2.example')).kind).toBe('accepted');
});

test('a host that is known neither by an offer nor by its executor is refused, unless the app named it before', () => {
  const bench = new CoreBench();
  // Nobody is known yet.
  expect(bench.put(exposing('/early', '8080@edge1')).kind).toBe('accepted');
  bench.offer('a1');
  const facts: HostFacts = {
    agentId: agentId('a2'),
    executorId: executorId('e1'),
    hostname: 'a2.example',
    underlayIp: '198.19.0.12',
    underlayMtu: 1_500,
    datapath: 'netdev',
    ovsVersion: '3',
    dockerVersion: '20',
  };
  bench.step({ kind: 'host-facts', facts });
  // Others may not have been heard of yet.
  expect(bench.put(exposing('/soon', '8084@edge2')).kind).toBe('accepted');
  bench.wait(31);
  expect(bench.put(exposing('/web', '8081@a1.example,a2.example')).kind).toBe('accepted');
  expect(bench.put(exposing('/late', '8082@a1.example,edge1'))).toMatchObject({
    kind: 'invalid',
    details: [{ path, errors: ["no host is called 'edge1'; known are: a1.example, a2.example"] }],
  });
  expect(bench.world.apps.has(appId('/late'))).toBe(false);
  expect(bench.put(exposing('/early', '8083@edge1'), true).kind).toBe('accepted');
});

test('after a failover a host without an executor is as good as before', () => {
  const bench = new CoreBench();
  bench.deploy(exposing('/web', '8080'), 'a1');
  bench.restart();
  // Nothing is to be launched, so nobody was asked who is there.
  bench.wait(10);
  expect(bench.put(exposing('/web', '8080@a2.example'), true).kind).toBe('accepted');
  bench.offer('a1', 'a2');
  bench.wait(6);
  expect(bench.put(exposing('/more', '8081@a2.example')).kind).toBe('accepted');
  expect(bench.put(exposing('/more', '8081@a3.example'), true).kind).toBe('invalid');
  // The master is another one: hosts are to be heard of anew.
  bench.step({ kind: 'subscribed', frameworkId: frameworkId('framework-1') });
  bench.offer('a1');
  expect(bench.put(exposing('/more', '8081@a3.example'), true).kind).toBe('accepted');
});

test('only instances that serve are published, and every change of that changes the view', () => {
  const bench = new CoreBench();
  bench.put(exposing('/web', '8080', { instances: 2 }));
  expect(published(bench)).toMatchObject([
    { app: '/web', hostPort: 8080, port: 80, protocol: 'tcp', targets: [] },
  ]);
  bench.run(bench.offer('a1', 'a2'));
  expect(published(bench)).toMatchObject([{ targets: ['10.32.0.3', '10.32.0.4'] }]);
  bench.status(bench.instance('/web', 0), 'failed');
  expect(bench.effects('networks-changed')).toHaveLength(1);
  expect(published(bench)).toMatchObject([{ targets: ['10.32.0.4'] }]);
  bench.change({ kind: 'delete-app', appId: appId('/web'), force: true });
  for (const instance of bench.instances('/web')) bench.status(instance, 'killed');
  expect(bench.world.apps.size).toBe(0);
  expect(bench.effects('networks-changed')).toHaveLength(1);
  expect(published(bench)).toEqual([]);
});

test('what is published outlives the scheduler', () => {
  const bench = new CoreBench();
  bench.deploy(exposing('/web', '8080'), 'a1');
  bench.restart();
  expect(published(bench)).toMatchObject([{ targets: ['10.32.0.3'] }]);
});

test('a host port is published once, unless the hosts are others', () => {
  const bench = new CoreBench();
  bench.put(exposing('/web', '8080@edge1'));
  const put = (id: string, label: string) => bench.put(exposing(id, label));
  expect(put('/other', '8080')).toMatchObject({
    kind: 'invalid',
    details: [{ path, errors: ["host port 8080 is taken by port 80 of app '/web'"] }],
  });
  expect(bench.world.apps.has(appId('/other'))).toBe(false);
  expect(put('/other', '8080@edge1')).toMatchObject({ kind: 'invalid' });
  expect(put('/other', '8080@edge2').kind).toBe('accepted');
  expect(bench.put(exposing('/web', '8081'), true).kind).toBe('accepted');
  expect(put('/third', '8080@edge1').kind).toBe('accepted');
});

test('an app cannot publish two ports on one', () => {
  const bench = new CoreBench();
  const app = exposing('/web', '8080');
  const [mapping] = app.container.portMappings;
  const twice = {
    ...app,
    container: { ...app.container, portMappings: [mapping!, { ...mapping!, containerPort: 81 }] },
  };
  expect(bench.put(twice)).toMatchObject({
    details: [{ path: '/container/portMappings(1)/labels/patchpanel.expose' }],
  });
});

test('ports of apps on the host and published ones keep out of each other', () => {
  const bench = new CoreBench();
  const onHost = (port: number): App =>
    anApp('/agent', {
      network: { mode: 'host' },
      requirePorts: true,
      portDefinitions: [{ port, protocol: 'tcp', labels: {} }],
    });
  bench.put(exposing('/web', '31005'));
  expect(bench.put(onHost(31_005))).toMatchObject({
    details: [{ path: '/portDefinitions(0)/port', errors: ["host port 31005 is published for app '/web'"] }],
  });
  expect(bench.put(onHost(31_006)).kind).toBe('accepted');
  expect(bench.put(exposing('/other', '31006'))).toMatchObject({ details: [{ path }] });
  const any = anApp('/any', {
    network: { mode: 'host' },
    portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }],
  });
  bench.put(any);
  bench.offer('a1');
  const port = bench.instance('/any').hostPorts[0]!;
  expect(bench.put(exposing('/late', String(port)))).toMatchObject({
    details: [{ path, errors: [expect.stringContaining(`${port} is taken by task`)] }],
  });
});

test('a port that is published on more hosts than before is checked on the new ones', () => {
  const bench = new CoreBench();
  const elsewhere = anApp('/any', {
    network: { mode: 'host' },
    portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }],
  });
  bench.put(elsewhere);
  bench.offer('a1');
  const port = bench.instance('/any').hostPorts[0]!;
  bench.offer('a2');
  expect(bench.put(exposing('/web', `${port}@a2.example`)).kind).toBe('accepted');
  for (const label of [String(port), `${port}@a2.example,a1.example`]) {
    expect(bench.put(exposing('/web', label), true)).toMatchObject({
      kind: 'invalid',
      details: [{ path, errors: [expect.stringMatching(/is taken by task .* on a1\.example/)] }],
    });
  }
  expect(bench.put(exposing('/web', `${port}@a2.example`, { instances: 2 }), true).kind).toBe('accepted');
});

test('a task on the host is never given a published port', () => {
  const bench = new CoreBench();
  bench.put(exposing('/web', '31000', { instances: 0 }));
  bench.put(
    anApp('/any', { network: { mode: 'host' }, portDefinitions: [{ port: 0, protocol: 'tcp', labels: {} }] }),
  );
  bench.offer(anOffer('a1', { ports: [{ begin: 31_000, end: 31_001 }] }));
  expect(bench.instance('/any').hostPorts).toEqual([31_001]);
});

test('NAT of a network is shown, and an unreachable host serves nobody', () => {
  const bench = new CoreBench();
  bench.change({ kind: 'put-network', network: { ...defaultNetwork, nat: true } });
  expect(viewNetwork(bench.world, defaultInterconnect, defaultNetwork.name)).toMatchObject({ nat: true });
  bench.deploy(exposing('/web', '8080'), 'a1');
  bench.status(bench.instance('/web'), 'unreachable');
  expect(published(bench)).toMatchObject([{ targets: [] }]);
});
