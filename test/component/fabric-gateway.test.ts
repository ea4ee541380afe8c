import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Publication } from '../../src/fabric/publication.ts';
import type { View, ViewEndpoint, ViewNetwork } from '../../src/fabric/view.ts';
import { appId } from '../../src/model/ids.ts';
import { eventually, fetches, plugIn, serveBytes } from '../support/fabric-bench.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { startUnderlay, type TestHost, type TestSandbox, type TestUnderlay } from '../support/openvswitch.ts';
import { buildDriver, hostAgent, SwitchProcess } from '../support/switch-process.ts';

const net: ViewNetwork = { ...network('default', 7, '10.32.0.0/16'), nat: true };
const closed: ViewNetwork = network('closed', 8, '10.40.0.0/24');
const outsiderIp = '198.19.250.200';

let driver: Awaited<ReturnType<typeof buildDriver>>;
let underlay: TestUnderlay;
let hosts: readonly TestHost[];
let switches: SwitchProcess[];
let outsider: TestSandbox;
/** Two in the network with NAT, one on each host, and one in the closed network on host 1. */
let endpoints: readonly ViewEndpoint[];
let boxes: readonly TestSandbox[];
let version = 0;

beforeAll(async () => {
  driver = await buildDriver();
  underlay = await startUnderlay('ppgate', 2);
  hosts = underlay.hosts;
  switches = hosts.map((each) => newSwitch(each));
  await Promise.all(switches.map((each) => each.start()));
  outsider = await underlay.outsider('outsider', outsiderIp);
  const at = (index: number) => hostAgent(hosts[index]!);
  endpoints = [
    endpoint({ app: '/web', index: 0, network: net, host: at(0), ip: '10.32.1.1' }),
    endpoint({ app: '/web', index: 1, network: net, host: at(1), ip: '10.32.1.2' }),
    endpoint({ app: '/shut', index: 0, network: closed, host: at(0), ip: '10.40.0.9' }),
  ];
  await show([net, closed]);
  boxes = [
    await plugIn(underlay, switches[0]!, endpoints[0]!, net),
    await plugIn(underlay, switches[1]!, endpoints[1]!, net),
    await plugIn(underlay, switches[0]!, endpoints[2]!, closed),
  ];
  await Promise.all([...boxes, outsider].map((box) => serveBytes(underlay, box)));
});
afterAll(async () => {
  await underlay.close();
  await driver.close();
});

function newSwitch(on: TestHost): SwitchProcess {
  const process = new SwitchProcess(driver.file, on);
  underlay.defer(() => process.kill());
  return process;
}

function viewOf(networks: readonly ViewNetwork[]): View {
  version += 1;
  const records = hosts.map((each) => host(hostAgent(each), each.underlayIp));
  const names = new Set(networks.map(({ name }) => name));
  const shown = endpoints.filter(({ network: name }) => names.has(name));
  return view(records, networks, shown, version);
}

async function show(networks: readonly ViewNetwork[]): Promise<void> {
  const next = viewOf(networks);
  await Promise.all(switches.map((each) => each.view(next)));
}

const published = (targets: readonly string[], hostNames: readonly string[] = []): Publication => ({
  app: appId('/web'),
  protocol: 'tcp',
  hostPort: 18_080,
  port: 8080,
  hosts: hostNames,
  targets,
});

const reaches = (from: TestSandbox, ip: string, port: number, bytes = 200_000) =>
  fetches(from, ip, bytes, port, 3_000);
const rulesOf = (on: TestHost) => on.exec('nft', ['list', 'ruleset', 'ip']);

test('the gateway answers pings on each host, in every network', async () => {
  const gateways = ['10.32.0.1', '10.32.0.1', '10.40.0.1'];
  for (const [i, box] of boxes.entries()) {
    const { stdout } = await box.exec('ping', ['-c', '1', '-W', '2', gateways[i]!]);
    expect(stdout).toContain('1 received');
  }
});

test('containers of a network with NAT reach the outside as their host, those of another do not', async () => {
  await eventually(async () => expect(await reaches(boxes[0]!, outsiderIp, 8080)).toBe(true));
  expect(await reaches(boxes[1]!, outsiderIp, 8080, 3_000_000)).toBe(true);
  expect(await fetches(boxes[2]!, outsiderIp, 10, 8080, 1_000)).toBe(false);
  expect(await rulesOf(hosts[0]!)).toContain('masquerade');
  // The outside has no way in by itself, not even with a route.
  await outsider.exec('ip', ['route', 'add', '10.32.0.0/16', 'via', hosts[0]!.underlayIp]);
  expect(await fetches(outsider, endpoints[0]!.ip, 10, 8080, 1_000)).toBe(false);
  await outsider.exec('ip', ['route', 'del', '10.32.0.0/16']);
});

test('two networks with NAT are not joined by their hosts', async () => {
  await show([net, { ...closed, nat: true }]);
  await eventually(async () => expect(await reaches(boxes[2]!, outsiderIp, 8080)).toBe(true));
  expect(await fetches(boxes[2]!, endpoints[0]!.ip, 10, 8080, 1_000)).toBe(false);
  await show([net, closed]);
});

test('a route lets connections through in its own direction, on one host and across two', async () => {
  await show([{ ...net, routes: [closed.name] }, closed]);
  expect(await reaches(boxes[0]!, endpoints[2]!.ip, 8080)).toBe(true);
  expect(await reaches(boxes[1]!, endpoints[2]!.ip, 8080, 3_000_000)).toBe(true);
  expect(await fetches(boxes[2]!, endpoints[1]!.ip, 10, 8080, 1_000)).toBe(false);
  const pinged = await boxes[1]!.exec('ping', ['-c', '1', '-W', '2', endpoints[2]!.ip]);
  expect(pinged.stdout).toContain('1 received');
  const refused = await boxes[2]!.exec('ping', ['-c', '1', '-W', '1', endpoints[1]!.ip]);
  expect(refused.stdout).toContain('0 received');
  await show([
    { ...net, routes: [closed.name] },
    { ...closed, routes: [net.name] },
  ]);
  expect(await reaches(boxes[2]!, endpoints[1]!.ip, 8080)).toBe(true);
  await show([net, closed]);
  expect(await fetches(boxes[0]!, endpoints[2]!.ip, 10, 8080, 1_000)).toBe(false);
});

test('a published port leads to the instances from every host, or from the chosen one', async () => {
  const [one, two] = hosts;
  const ips = [endpoints[0]!.ip, endpoints[1]!.ip];
  await show([{ ...net, publications: [published(ips)] }, closed]);
  for (const each of hosts) {
    for (let i = 0; i < 4; i += 1) expect(await reaches(outsider, each.underlayIp, 18_080)).toBe(true);
  }
  // Only instances that are ready: here the one on the other host.
  await show([{ ...net, publications: [published([endpoints[1]!.ip], [one!.netns])] }, closed]);
  for (let i = 0; i < 4; i += 1) expect(await reaches(outsider, one!.underlayIp, 18_080)).toBe(true);
  expect(await fetches(outsider, two!.underlayIp, 10, 18_080, 1_000)).toBe(false);
  await show([{ ...net, publications: [published([])] }, closed]);
  expect(await fetches(outsider, one!.underlayIp, 10, 18_080, 1_000)).toBe(false);
});

test('a port is published without NAT, too, and that opens no way out', async () => {
  const publications = [{ ...published([endpoints[2]!.ip]), app: appId('/shut') }];
  await show([net, { ...closed, publications }]);
  await eventually(async () => expect(await reaches(outsider, hosts[0]!.underlayIp, 18_080)).toBe(true));
  expect(await fetches(boxes[2]!, outsiderIp, 10, 8080, 1_000)).toBe(false);
  await show([net, closed]);
});

test('after a crash of ovs-vswitchd the way out is there again', async () => {
  await hosts[0]!.killSwitchd();
  await hosts[0]!.startSwitchd();
  await eventually(async () => expect(await fetches(boxes[0]!, outsiderIp, 1_000, 8080, 1_000)).toBe(true));
});

test('rules and devices go with the network that wanted them, and a new executor removes what is left', async () => {
  await hosts[1]!.exec('nft', ['add', 'table', 'ip', 'stranger']);
  await switches[1]!.kill();
  expect(await rulesOf(hosts[1]!)).toContain('table ip patchpanel');
  const next = newSwitch(hosts[1]!);
  switches[1] = next;
  await next.start();
  await next.cleanUp();
  await show([closed]);
  for (const each of hosts) {
    expect(await rulesOf(each)).not.toContain('patchpanel');
    expect(await each.exec('ip', ['-brief', 'link'])).not.toContain('ppg7');
  }
  expect(await rulesOf(hosts[1]!)).toContain('stranger');
});
