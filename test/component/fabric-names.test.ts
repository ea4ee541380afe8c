import { access, chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { DnsmasqNameServer, type NameServerPlace } from '../../executor/adapters/dnsmasq/name-server.ts';
import { identityOf } from '../../src/runtime/other-processes.ts';
import type { View, ViewEndpoint } from '../../src/fabric/view.ts';
import { DnsClient } from '../support/dns-client.ts';
import { eventually, plugIn } from '../support/fabric-bench.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { startUnderlay, type TestHost, type TestUnderlay } from '../support/openvswitch.ts';
import { buildDriver, hostAgent, SwitchProcess } from '../support/switch-process.ts';

const net = network('default', 7, '10.32.0.0/16');
const domain = net.domain;
const http = [{ number: 80, protocol: 'tcp', name: 'http' } as const];

let driver: Awaited<ReturnType<typeof buildDriver>>;
let underlay: TestUnderlay;
let hosts: readonly TestHost[];
let places: readonly NameServerPlace[];
let switches: SwitchProcess[];
/** One instance of /web on each host. */
let endpoints: readonly ViewEndpoint[];
let clients: readonly DnsClient[];
let version = 0;

beforeAll(async () => {
  driver = await buildDriver();
  underlay = await startUnderlay('ppname', 2);
  hosts = underlay.hosts;
  const resolvers = await startUpstream();
  places = hosts.map((each) => placeOf(each, resolvers));
  switches = hosts.map((_, i) => newSwitch(i));
  await Promise.all(switches.map((each) => each.start()));
  endpoints = hosts.map((each, index) =>
    endpoint({
      app: '/web',
      index,
      network: net,
      host: hostAgent(each),
      ip: `10.32.1.${index + 1}`,
      ports: http,
      serving: true,
    }),
  );
  await show(endpoints);
  clients = await Promise.all(
    endpoints.map(async (each, i) => {
      const box = await plugIn(underlay, switches[i]!, each, net);
      const client = new DnsClient(box.pid, '10.32.0.2');
      underlay.defer(async () => client.close());
      return client;
    }),
  );
});
afterAll(async () => {
  await underlay.close();
  await driver.close();
});

/** Resolvers of the hosts that know an address for every name. Gives a file like /etc/resolv.conf. */
async function startUpstream(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'pp-names-'));
  underlay.defer(() => rm(directory, { recursive: true, force: true }));
  await chmod(directory, 0o755);
  for (const each of hosts) {
    const pidFile = path.join(directory, `${each.netns}.pid`);
    const options = ['--no-resolv', '--no-hosts', '--address=/#/192.0.2.7', '--listen-address=127.0.0.9'];
    const command = [...options, '--conf-file=/dev/null', '--bind-interfaces', `--pid-file=${pidFile}`];
    await each.exec('dnsmasq', command);
    underlay.defer(async () => void process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL'));
  }
  const file = path.join(directory, 'resolv.conf');
  await writeFile(file, 'nameserver 127.0.0.9\n');
  return file;
}

function placeOf(each: TestHost, resolvers: string): NameServerPlace {
  const directory = `/run/patchpanel-test-${each.netns}`;
  const place = { directory, resolvers, cgroupExits: [], environment: { PATH: process.env['PATH'] } };
  underlay.defer(() => new DnsmasqNameServer(place).remove());
  return place;
}

function newSwitch(index: number): SwitchProcess {
  const process = new SwitchProcess(driver.file, hosts[index]!, { names: places[index]! });
  underlay.defer(() => process.kill());
  return process;
}

function viewOf(shown: readonly ViewEndpoint[]): View {
  version += 1;
  const records = hosts.map((each) => host(hostAgent(each), each.underlayIp));
  return view(records, [net], shown, version);
}

async function show(shown: readonly ViewEndpoint[]): Promise<void> {
  const next = viewOf(shown);
  await Promise.all(switches.map((each) => each.view(next)));
}

const pidOf = async (index: number, unit: string, file: 'pid' | 'keeper'): Promise<number> =>
  Number(await readFile(path.join(places[index]!.directory, unit, file), 'utf8'));

const kill = async (index: number, unit: string, file: 'pid' | 'keeper'): Promise<void> =>
  void process.kill(await pidOf(index, unit, file), 'SIGKILL');

const all = ['10.32.1.1', '10.32.1.2'];

test('apps, slots, addresses and services are found on every host, over UDP and TCP', async () => {
  for (const client of clients) {
    expect(await client.addresses(`web.${domain}`)).toEqual(all);
    expect(await client.addresses(`1.web.${domain}`)).toEqual(['10.32.1.2']);
    expect(await client.ask({ name: `web.${domain}`, type: 'AAAA' })).toEqual({
      rcode: 'NOERROR',
      answers: [],
    });
    const { answers: names } = await client.ask({ name: '1.1.32.10.in-addr.arpa', type: 'PTR' });
    expect(names).toMatchObject([{ data: `0.web.${domain}`, ttl: 1 }]);
    const { answers: services } = await client.ask({ name: `_http._tcp.web.${domain}`, type: 'SRV' });
    expect(services.map(({ data }) => data)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ port: 80, target: `0.web.${domain}` }),
        expect.objectContaining({ port: 80, target: `1.web.${domain}` }),
      ]),
    );
    expect((await client.ask({ name: `web.${domain}`, tcp: true })).answers).toHaveLength(2);
  }
});

test('other names are asked of the resolvers of the host, unknown ones of ours never', async () => {
  for (const client of clients) {
    expect(await client.addresses('example.org')).toEqual(['192.0.2.7']);
    expect(await client.addresses(`nobody.${domain}`)).toBe('NXDOMAIN');
    expect((await client.ask({ name: `_no._tcp.web.${domain}`, type: 'SRV' })).rcode).toBe('NXDOMAIN');
    expect((await client.ask({ name: '9.9.32.10.in-addr.arpa', type: 'PTR' })).rcode).toBe('NXDOMAIN');
  }
});

test('an instance that does not serve leaves the name of its app and keeps its own', async () => {
  await show([endpoints[0]!, { ...endpoints[1]!, serving: false }]);
  for (const client of clients) {
    expect(await client.addresses(`web.${domain}`)).toEqual(['10.32.1.1']);
    expect(await client.addresses(`1.web.${domain}`)).toEqual(['10.32.1.2']);
  }
  await show(endpoints);
  for (const client of clients) expect(await client.addresses(`web.${domain}`)).toEqual(all);
});

test('while services change no question is lost', async () => {
  const enough = new AbortController();
  const codes = new Map<string, number>();
  const asked = (async () => {
    while (!enough.signal.aborted) {
      const { rcode, answers } = await clients[0]!.ask({ name: `_http._tcp.web.${domain}`, type: 'SRV' });
      const seen = answers.length === 0 ? rcode : 'answered';
      codes.set(seen, (codes.get(seen) ?? 0) + 1);
    }
  })();
  for (let port = 81; port <= 84; port += 1) {
    await show(endpoints.map((each) => ({ ...each, ports: [{ ...http[0]!, number: port }] })));
    await eventually(async () => {
      const { answers } = await clients[1]!.ask({ name: `_http._tcp.web.${domain}`, type: 'SRV' });
      expect(answers.map(({ data }) => (data as { port: number }).port)).toEqual([port, port]);
    });
  }
  enough.abort();
  await asked;
  expect([...codes.keys()]).toEqual(['answered']);
});

test('a name server that is killed comes back, with or without its keeper', async () => {
  const answered = () =>
    eventually(async () => expect(await clients[0]!.addresses(`web.${domain}`)).toEqual(all));
  const before = await pidOf(0, 'names', 'pid');
  await kill(0, 'names', 'pid');
  await eventually(async () => expect(await pidOf(0, 'names', 'pid')).not.toBe(before));
  await answered();
  const keeper = await pidOf(0, 'names', 'keeper');
  await kill(0, 'names', 'keeper');
  await kill(0, 'names', 'pid');
  await eventually(async () => expect(await pidOf(0, 'names', 'keeper')).not.toBe(keeper));
  await answered();
});

test('names are answered while there is no executor, and the next one takes the server over', async () => {
  await switches[0]!.kill();
  expect(await clients[0]!.addresses(`web.${domain}`)).toEqual(all);
  await kill(0, 'names', 'pid');
  await eventually(async () => expect(await clients[0]!.addresses(`web.${domain}`)).toEqual(all));
  const before = await pidOf(0, 'names', 'pid');
  switches[0] = newSwitch(0);
  await switches[0].start();
  await show(endpoints);
  expect(await pidOf(0, 'names', 'pid')).toBe(before);
  expect(await clients[0]!.addresses(`web.${domain}`)).toEqual(all);
});

test('after a crash of ovs-vswitchd names are answered again', async () => {
  await hosts[0]!.killSwitchd();
  await hosts[0]!.startSwitchd();
  await eventually(async () => expect(await clients[0]!.addresses(`web.${domain}`)).toEqual(all));
});

test('a host without endpoints has no name server, no leg and no file of it', async () => {
  const keeper = await pidOf(0, 'names', 'keeper');
  await show([endpoints[1]!]);
  await expect(access(places[0]!.directory)).rejects.toThrow('ENOENT');
  expect(await identityOf(keeper)).toBeUndefined();
  expect(await hosts[0]!.exec('ip', ['-brief', 'link'])).not.toContain('ppg');
  expect(await clients[1]!.addresses(`1.web.${domain}`)).toEqual(['10.32.1.2']);
});
