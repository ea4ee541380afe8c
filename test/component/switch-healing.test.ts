import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { formatIpv4, parseIpv4 } from '../../src/fabric/ipv4.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import { endpoint, host } from '../support/fabric-views.ts';
import { measured } from '../support/figures.ts';
import type { TestHost, TestSandbox } from '../support/openvswitch.ts';
import {
  benchNetwork,
  bridgeName,
  eventually,
  flowLines,
  managementOf,
  reaches,
  SwitchBench,
  viewHost,
  withoutCounters,
} from '../support/switch-bench.ts';
import { buildDriver, hostAgent } from '../support/switch-process.ts';

let driver: Awaited<ReturnType<typeof buildDriver>>;
let bench: SwitchBench;

beforeAll(async () => {
  driver = await buildDriver();
});
afterAll(() => driver.close());

beforeEach(async () => {
  bench = await SwitchBench.start(driver.file, 'pphl');
});
afterEach(() => bench.close());

const manyEndpoints = 1_000;
const peerHosts = 50;

/** A client on host 1 and a server on host 2, in a view with `more` besides. */
async function connected(more: readonly ViewEndpoint[] = [], hosts = bench.hosts.map(viewHost)) {
  const [here, there] = [bench.web(0, bench.hosts[0]), bench.web(1, bench.hosts[1])];
  const shown: View = { ...bench.viewOf([here, there, ...more], 1), hosts };
  await Promise.all(bench.switches.map((each) => each.view(shown)));
  const client = await bench.plug(bench.switches[0], here);
  const server = await bench.plug(bench.switches[1], there);
  await bench.serve(server);
  expect(await reaches(client, there.ip, 100)).toBe(true);
  return { here, there, client, server, shown };
}

/** Waits for traffic and gives how long it took, in milliseconds. */
const untilTraffic = (client: TestSandbox, ip: string): Promise<number> =>
  eventually(async () => expect(await reaches(client, ip, 100, 500)).toBe(true));

const flowsOf = async (on: TestHost) => (await flowLines(on)).map(withoutCounters).sort();
const portsOf = async (on: TestHost, bridge = bridgeName) =>
  (await on.exec('ovs-vsctl', [`--db=unix:${on.runDir}/db.sock`, 'list-ports', bridge])).trim().split('\n');
const vsctl = (on: TestHost, ...args: readonly string[]) =>
  on.exec('ovs-vsctl', [`--db=unix:${on.runDir}/db.sock`, '--timeout=10', ...args]);

test('with 1,000 endpoints in the view, traffic is back soon after Open vSwitch restarted', async () => {
  const peers = Array.from({ length: peerHosts }, (_, index) =>
    host(`peer-${index}`, formatIpv4(parseIpv4('198.19.251.1') + index)),
  );
  const remote = Array.from({ length: manyEndpoints - 2 }, (_, index) =>
    endpoint({
      app: '/many',
      index,
      network: benchNetwork,
      host: peers[index % peerHosts]!,
      ip: formatIpv4(parseIpv4('10.32.4.1') + index),
    }),
  );
  const { client, there } = await connected(remote, [...bench.hosts.map(viewHost), ...peers]);
  const before = await flowsOf(bench.hosts[0]);
  await bench.hosts[0].killSwitchd();
  const begin = performance.now();
  await bench.hosts[0].startSwitchd();
  const started = performance.now() - begin;
  const ms = await untilTraffic(client, there.ip);
  measured(`ovs-vswitchd restart, ${manyEndpoints} endpoints: its own start`, started);
  measured(`ovs-vswitchd restart, ${manyEndpoints} endpoints: from its start to traffic`, started + ms);
  expect(await flowsOf(bench.hosts[0])).toEqual(before);
}, 60_000);

test('a lost database: bridge, ports and flows are made again, and traffic is back', async () => {
  const { client, there } = await connected();
  const ports = await portsOf(bench.hosts[0]);
  const begin = performance.now();
  await bench.hosts[0].restartDatabase(true);
  await untilTraffic(client, there.ip);
  measured('lost conf.db: to traffic, ovsdb-server start included', performance.now() - begin);
  expect((await portsOf(bench.hosts[0])).sort()).toEqual(ports.sort());
});

test('a port that somebody took off the bridge is plugged in again', async () => {
  const { client, there } = await connected();
  const [port = ''] = (await portsOf(bench.hosts[0])).filter((name) => /^pp\w+h$/.test(name));
  await vsctl(bench.hosts[0], 'del-port', bridgeName, port);
  const ms = await untilTraffic(client, there.ip);
  measured('port taken off the bridge: to traffic', ms);
  expect(await portsOf(bench.hosts[0])).toContain(port);
  expect((await bench.switches[0].status()).lost).toEqual([]);
});

test('a bridge that somebody deleted is made again with its ports, and nothing that is attached is lost', async () => {
  const [on] = bench.hosts;
  const { client, here, there } = await connected();
  const [ports, flows] = [await portsOf(on), await flowsOf(on)];
  await vsctl(on, 'del-br', bridgeName);
  // Once more in the midst of the repair.
  await vsctl(on, 'wait-until', 'Bridge', bridgeName, '--', 'del-br', bridgeName);
  const ms = await untilTraffic(client, there.ip);
  measured('bridge deleted: to traffic', ms);
  expect((await portsOf(on)).sort()).toEqual(ports.sort());
  expect(await flowsOf(on)).toEqual(flows);
  const { lost, attached } = await bench.switches[0].status();
  expect(lost).toEqual([]);
  expect(attached).toContainEqual({ slot: here.slot, epoch: here.epoch });
});

test('a port of a stranger is taken off our bridge; one that is marked and one on another bridge stay', async () => {
  const [on] = bench.hosts;
  const { client, there } = await connected();
  const internal = (name: string) => ['--', 'set', 'Interface', name, 'type=internal'];
  await vsctl(on, 'add-br', 'br-other', '--', 'set', 'Bridge', 'br-other', 'datapath_type=netdev');
  await vsctl(on, 'add-port', 'br-other', 'theirs0', ...internal('theirs0'));
  await vsctl(on, 'add-port', bridgeName, 'kept0', ...internal('kept0'), 'external_ids:patchpanel-keep=yes');
  await vsctl(on, 'add-port', bridgeName, 'stray0', ...internal('stray0'));
  const ms = await eventually(async () => expect(await portsOf(on)).not.toContain('stray0'));
  measured('port of a stranger: until it is off the bridge', ms);
  expect(await portsOf(on)).toContain('kept0');
  expect(await portsOf(on, 'br-other')).toEqual(['theirs0']);
  expect(await reaches(client, there.ip, 100)).toBe(true);
});

test('flows that a stranger writes on our bridge are removed; those on another bridge stay', async () => {
  const [on] = bench.hosts;
  const { client, there } = await connected();
  const before = await flowsOf(on);
  const foreign = 'priority=65535,actions=drop';
  await on.exec('ovs-ofctl', ['add-flow', `unix:${on.runDir}/br-phy.mgmt`, 'priority=1,tcp,actions=NORMAL']);
  await on.exec('ovs-ofctl', ['-O', 'OpenFlow14', 'add-flow', managementOf(on), foreign]);
  const ms = await eventually(async () => expect(await flowsOf(on)).toEqual(before));
  measured('flow of a stranger: until it is gone', ms);
  expect(await reaches(client, there.ip, 100)).toBe(true);
  expect(await on.flows('br-phy')).toContain('priority=1,tcp');
});

test('a flow of ours that a stranger overwrites is put right', async () => {
  const [on] = bench.hosts;
  const { client, there } = await connected();
  const before = await flowsOf(on);
  const text = await on.exec('ovs-ofctl', ['-O', 'OpenFlow14', '--no-stats', 'dump-flows', managementOf(on)]);
  const ours = text.split('\n').filter((line) => line.includes('actions=') && line.includes('table='));
  expect(ours.length).toBeGreaterThan(5);
  for (const line of ours.slice(0, 5)) {
    const match = line
      .replace(/cookie=\S+, /, '')
      .replace(/actions=.*/, 'actions=drop')
      .trim();
    await on.exec('ovs-ofctl', ['-O', 'OpenFlow14', 'add-flow', managementOf(on), match]);
  }
  await eventually(async () => expect(await flowsOf(on)).toEqual(before));
  expect(await reaches(client, there.ip, 100)).toBe(true);
});

test('a host whose underlay address changes tells it, and traffic goes on at the new one', async () => {
  const [, moving] = bench.hosts;
  const { client, there, shown } = await connected();
  await bench.switches[1].watchUnderlay(bench.hosts[0].underlayIp);
  const ip = '198.19.250.99';
  const begin = performance.now();
  await moving.exec('ip', ['address', 'delete', `${moving.underlayIp}/24`, 'dev', 'br-phy']);
  await moving.exec('ip', ['address', 'add', `${ip}/24`, 'dev', 'br-phy']);
  await eventually(async () => {
    const { reports } = await bench.switches[1].status();
    expect(reports.findLast(({ facts }) => facts !== undefined)?.facts?.underlayIp).toBe(ip);
  });
  measured('underlay address changed: until the scheduler knows', performance.now() - begin);
  const hosts = [viewHost(bench.hosts[0]), host(hostAgent(moving), ip)];
  const next: View = { ...shown, hosts, version: { term: 1, n: 2 } };
  await Promise.all(bench.switches.map((each) => each.view(next)));
  await untilTraffic(client, there.ip);
  measured('underlay address changed: to traffic', performance.now() - begin);
});

test('a view that is wrong, or of an earlier term, changes nothing, and the scheduler is told why', async () => {
  const { client, here, there, shown } = await connected();
  const before = await flowsOf(bench.hosts[0]);
  const twice = { ...there, ip: here.ip };
  await bench.switches[0].offerView({ ...shown, endpoints: [here, twice], version: { term: 1, n: 2 } });
  await eventually(async () => {
    const { reports, applied } = await bench.switches[0].status();
    expect(reports.at(-1)?.problem).toMatch(/view 1\.2 is refused: .*10\.32\.1\.1/);
    expect(applied).toEqual({ term: 1, n: 1 });
  });
  expect(await flowsOf(bench.hosts[0])).toEqual(before);
  expect(await reaches(client, there.ip, 100)).toBe(true);

  const newer: View = { ...shown, version: { term: 3, n: 1 } };
  await bench.switches[0].view(newer);
  await bench.switches[0].offerView({ ...shown, endpoints: [here], version: { term: 2, n: 9 } });
  // The stream with the earlier term is left; the next one begins with a snapshot of what is right.
  await bench.switches[0].view({ ...newer, version: { term: 3, n: 2 } });
  const status = await bench.switches[0].status();
  expect(status.applied).toEqual({ term: 3, n: 2 });
  expect(status.problem).toBeUndefined();
  expect(await reaches(client, there.ip, 100)).toBe(true);
});
