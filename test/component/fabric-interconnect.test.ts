import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { interconnectFields, type Interconnect } from '../../src/fabric/interconnect.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import { eventually, fetches, plugIn, serveBytes } from '../support/fabric-bench.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { startUnderlay, type TestHost, type TestSandbox, type TestUnderlay } from '../support/openvswitch.ts';
import { buildDriver, hostAgent, SwitchProcess } from '../support/switch-process.ts';

const net = network('default', 7, '10.32.0.0/16');

let driver: Awaited<ReturnType<typeof buildDriver>>;
let underlay: TestUnderlay;
let switches: readonly SwitchProcess[];
let endpoints: readonly ViewEndpoint[];
let boxes: readonly TestSandbox[];
let version = 0;

/** Three hosts with a container each; what interconnects them changes under their feet from test to test. */
beforeAll(async () => {
  driver = await buildDriver();
  underlay = await startUnderlay('ppmesh', 3);
  switches = underlay.hosts.map((each) => new SwitchProcess(driver.file, each));
  for (const each of switches) underlay.defer(() => each.kill());
  await Promise.all(switches.map((each) => each.start()));
  endpoints = underlay.hosts.map((on, index) =>
    endpoint({ app: '/web', index, network: net, host: hostAgent(on), ip: `10.32.1.${index + 1}` }),
  );
  await interconnect({ mode: 'flow', encapsulation: 'vxlan' });
  boxes = await Promise.all(endpoints.map((each, i) => plugIn(underlay, switches[i]!, each, net)));
  await Promise.all(boxes.map((box) => serveBytes(underlay, box)));
});
afterAll(async () => {
  await underlay.close();
  await driver.close();
});

function viewOf(wish: Interconnect, hosts: readonly TestHost[]): View {
  version += 1;
  const records = hosts.map((each) => ({
    ...host(hostAgent(each), each.underlayIp),
    ...interconnectFields(wish),
  }));
  const shown = endpoints.filter((each) => records.some(({ id }) => id === each.host));
  return view(records, [net], shown, version);
}

async function interconnect(wish: Interconnect, hosts = underlay.hosts): Promise<void> {
  const next = viewOf(wish, hosts);
  await Promise.all(switches.map((each) => each.view(next)));
}

/** Name, type and remote end of each tunnel port of a host. */
async function tunnels(on: TestHost): Promise<string[]> {
  const ports = (await on.exec('ovs-vsctl', ['list-ports', 'br-patchpanel'])).trim().split('\n');
  const names = ports.filter((name) => /^(pp-tun|ppt[0-9a-f]{8})$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => {
      const columns = ['get', 'Interface', name, 'type', 'options:remote_ip'];
      const [type, remote] = (await on.exec('ovs-vsctl', columns)).trim().split('\n');
      return `${type} ${remote?.replaceAll('"', '')}`;
    }),
  );
}

async function everybodyReachesEverybody(bytes: number): Promise<void> {
  for (const from of boxes) {
    for (const to of endpoints) {
      if (boxes.indexOf(from) === endpoints.indexOf(to)) continue;
      expect({ to: to.ip, reached: await fetches(from, to.ip, bytes, 8080, 3_000) }).toEqual({
        to: to.ip,
        reached: true,
      });
    }
  }
}

test('by default each host has one tunnel port, which takes frames to all', async () => {
  for (const each of underlay.hosts) expect(await tunnels(each)).toEqual(['vxlan flow']);
  await everybodyReachesEverybody(500_000);
});

test('a mesh has n(n-1)/2 links, one port at each end, and traffic goes on', async () => {
  await interconnect({ mode: 'mesh', encapsulation: 'vxlan' });
  const links = new Set<string>();
  for (const each of underlay.hosts) {
    const own = await tunnels(each);
    expect(own).toHaveLength(2);
    for (const tunnel of own) links.add([each.underlayIp, tunnel.split(' ')[1] ?? ''].sort().join(' '));
  }
  expect(links.size).toBe(3);
  await eventually(() => everybodyReachesEverybody(500_000));
});

test('Geneve carries full-size frames, in a mesh and by one port', async () => {
  await interconnect({ mode: 'mesh', encapsulation: 'geneve' });
  expect((await tunnels(underlay.hosts[0]!)).map((each) => each.split(' ')[0])).toEqual(['geneve', 'geneve']);
  await eventually(() => everybodyReachesEverybody(500_000));
  const ping = ['-c', '2', '-W', '5', '-M', 'do', '-s', String(net.mtu - 28), endpoints[1]!.ip];
  expect((await boxes[0]!.exec('ping', ping)).stdout).toMatch(/ [12] received/);
  await interconnect({ mode: 'flow', encapsulation: 'geneve' });
  for (const each of underlay.hosts) expect(await tunnels(each)).toEqual(['geneve flow']);
  await eventually(() => everybodyReachesEverybody(500_000));
});

test('a host that leaves takes its links along, and a database that was lost gets the mesh back', async () => {
  await interconnect({ mode: 'mesh', encapsulation: 'geneve' });
  const [one, two] = underlay.hosts;
  await interconnect({ mode: 'mesh', encapsulation: 'geneve' }, [one!, two!]);
  expect(await tunnels(one!)).toEqual([`geneve ${two!.underlayIp}`]);
  await one!.restartDatabase(true);
  await eventually(async () => {
    expect(await tunnels(one!)).toEqual([`geneve ${two!.underlayIp}`]);
    expect(await fetches(boxes[0]!, endpoints[1]!.ip, 100_000, 8080, 2_000)).toBe(true);
  });
});
