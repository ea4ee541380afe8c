import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DnsmasqNameServer } from '../../executor/adapters/dnsmasq/name-server.ts';
import type { ViewEndpoint } from '../../src/fabric/view.ts';
import { reservationApp, reservationSlot } from '../../src/model/reservation.ts';
import { run } from '../../src/runtime/process.ts';
import { eventually, fetches, plugIn, serveBytes } from '../support/fabric-bench.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { startUnderlay, type TestHost, type TestSandbox, type TestUnderlay } from '../support/openvswitch.ts';
import { buildDriver, hostAgent, SwitchProcess } from '../support/switch-process.ts';

const net = network('default', 7, '10.32.0.0/16');
const mac = '52:54:00:12:34:56';

let driver: Awaited<ReturnType<typeof buildDriver>>;
let underlay: TestUnderlay;
let hosts: readonly TestHost[];
let switches: readonly SwitchProcess[];
let machine: ViewEndpoint;
let web: ViewEndpoint;
let box: TestSandbox;
let container: TestSandbox;
let script: string;
let version = 0;

beforeAll(async () => {
  driver = await buildDriver();
  underlay = await startUnderlay('pplease', 2);
  hosts = underlay.hosts;
  switches = hosts.map((each) => newSwitch(each));
  await Promise.all(switches.map((each) => each.start()));
  const reservation = { network: net.name, name: 'vm1' };
  machine = {
    ...endpoint({ app: '/vm1', network: net, host: hostAgent(hosts[0]!), ip: '10.32.5.5' }),
    slot: reservationSlot(reservation),
    app: reservationApp(reservation),
    hostname: 'vm1',
    mac,
    device: 'vm1',
  };
  web = endpoint({ app: '/web', network: net, host: hostAgent(hosts[1]!), ip: '10.32.1.2', serving: true });
  script = await leaseScript();
  await show([machine, web]);
  container = await plugIn(underlay, switches[1]!, web, net);
  await serveBytes(underlay, container);
  box = await plugMachine(mac);
});
afterAll(async () => {
  await underlay.close();
  await driver.close();
});

function newSwitch(on: TestHost): SwitchProcess {
  const place = {
    directory: `/run/patchpanel-test-${on.netns}`,
    resolvers: '/etc/resolv.conf',
    cgroupExits: [],
    environment: { PATH: process.env['PATH'] },
  };
  underlay.defer(() => new DnsmasqNameServer(place).remove());
  const switchProcess = new SwitchProcess(driver.file, on, { names: place });
  underlay.defer(() => switchProcess.kill());
  return switchProcess;
}

async function show(endpoints: readonly ViewEndpoint[]): Promise<void> {
  version += 1;
  const records = hosts.map((each) => host(hostAgent(each), each.underlayIp));
  const next = view(records, [net], endpoints, version);
  await Promise.all(switches.map((each) => each.view(next)));
}

/** What udhcpc runs with what it got: it puts the address on the device and says everything. */
async function leaseScript(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-lease-'));
  underlay.defer(() => rm(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'script');
  const bound = `[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
ip route replace default via "$router"
echo "ip=$ip mask=$mask router=$router dns=$dns domain=$domain search=$search mtu=$mtu lease=$lease"`;
  await writeFile(file, `#!/bin/sh\n${bound}\n`);
  await chmod(file, 0o755);
  return file;
}

/** A machine with a cable called vm1 to the first host, as a virtual machine has; nobody has given it an address. */
async function plugMachine(address: string): Promise<TestSandbox> {
  const sandbox = await underlay.sandbox();
  const { netns } = hosts[0]!;
  const peer = ['type', 'veth', 'peer', 'name', 'eth0', 'address', address, 'netns', String(sandbox.pid)];
  await run('ip', ['-n', netns, 'link', 'add', 'vm1', ...peer]);
  await run('ip', ['-n', netns, 'link', 'set', 'vm1', 'arp', 'off', 'up']);
  await sandbox.exec('ethtool', ['-K', 'eth0', 'tx', 'off']);
  await sandbox.exec('ip', ['link', 'set', 'eth0', 'up']);
  return sandbox;
}

/** Asks for an address until there is one; gives what came with it, or undefined. */
async function lease(from: TestSandbox, ...options: readonly string[]): Promise<string | undefined> {
  const once = [
    '-f',
    '-n',
    '-q',
    '-t',
    '4',
    '-T',
    '1',
    '-i',
    'eth0',
    '-s',
    script,
    '-O',
    'search',
    ...options,
  ];
  const { exitCode, stdout } = await from.exec('busybox', ['udhcpc', ...once]);
  return exitCode === 0 ? stdout.split('\n').find((line) => line.startsWith('ip=')) : undefined;
}

const wanted =
  'ip=10.32.5.5 mask=16 router=10.32.0.1 dns=10.32.0.2 domain=patchpanel.internal search=patchpanel.internal mtu=1450 lease=3600';

test('a machine gets its address with all that belongs to it, and reaches containers on another host', async () => {
  await eventually(async () => expect(await lease(box)).toBe(wanted));
  expect(await fetches(box, web.ip, 200_000)).toBe(true);
  const { stdout } = await container.exec('ping', ['-c', '1', '-W', '2', machine.ip]);
  expect(stdout).toContain('1 received');
});

test('a client that can only hear broadcasts is answered, too', async () => {
  expect(await lease(box, '-B')).toBe(wanted);
});

test('the machine has a name, and finds others by theirs', async () => {
  const ask = async (from: TestSandbox, name: string) =>
    (await from.exec('busybox', ['nslookup', '-type=a', name, '10.32.0.2'])).stdout;
  expect(await ask(box, 'web.patchpanel.internal')).toContain(web.ip);
  expect(await ask(container, 'vm1.patchpanel.internal')).toContain(machine.ip);
});

test('another MAC gets nothing at the machine’s port, not even an answer', async () => {
  await box.exec('ip', ['link', 'set', 'eth0', 'address', '52:54:00:99:99:99']);
  expect(await lease(box)).toBeUndefined();
  await box.exec('ip', ['link', 'set', 'eth0', 'address', mac]);
  await eventually(async () => expect(await lease(box)).toBe(wanted));
});

test('a machine whose reservation is gone is off the switch', async () => {
  await show([web]);
  expect(await lease(box)).toBeUndefined();
  expect(await fetches(box, web.ip, 10, 8080, 1_000)).toBe(false);
  const { runDir } = hosts[0]!;
  const ports = await hosts[0]!.exec('ovs-vsctl', [
    `--db=unix:${runDir}/db.sock`,
    'list-ports',
    'br-patchpanel',
  ]);
  expect(ports.split('\n')).not.toContain('vm1');
});
