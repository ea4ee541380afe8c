import { expect, test } from '@jest/globals';
import { firewallRules, noRules } from '../../executor/core/fabric/firewall-rules.ts';
import {
  gatewayWish,
  isWithinOwn,
  legLines,
  machineOfports,
  narrowestPrefix,
  type GatewayWish,
} from '../../executor/core/fabric/gateway-legs.ts';
import { Gateways, type GatewayHost } from '../../executor/fabric/gateways.ts';
import type { Publication } from '../../src/fabric/publication.ts';
import { appId } from '../../src/model/ids.ts';
import { createLogger } from '../../src/runtime/logger.ts';
import { endpoint, host, network, view } from '../support/fabric-views.ts';
import { ManualClock } from '../support/manual-clock.ts';

const here = host('here', '172.16.0.1');
const there = host('there', '172.16.0.2');
const noWish: GatewayWish = { legs: [], devices: [], publications: [], forwards: [], outgoing: [] };
const publication: Publication = {
  app: appId('/web'),
  protocol: 'tcp',
  hostPort: 8080,
  port: 80,
  hosts: [],
  targets: ['10.1.0.5', '10.1.0.6'],
};
const red = { ...network('red', 7, '10.1.0.0/16'), nat: true, publications: [publication] };
const blue = network('blue', 8, '10.2.0.0/16');
const web = endpoint({ app: '/web', network: red, host: here, ip: '10.1.0.5' });
const db = endpoint({ app: '/db', network: blue, host: here, ip: '10.2.0.5' });
const fabric = view([here, there], [red, blue], [web, db]);

test('a host has a leg in each network that it has an endpoint in; packets go through that of one with a way out', () => {
  const { legs, publications } = gatewayWish(fabric, here);
  expect(legs).toMatchObject([
    {
      network: 'red',
      device: 'ppg7',
      address: '10.1.0.1',
      prefixLength: 16,
      mac: '0a:07:0a:01:00:01',
      service: '10.1.0.2',
      gateway: true,
      nat: true,
    },
    { network: 'blue', device: 'ppg8', service: '10.2.0.2', gateway: false, nat: false },
  ]);
  expect(publications).toEqual([publication]);
  expect(gatewayWish(fabric, there)).toEqual(noWish);
  expect(legs.slice(0, 1).flatMap(legLines)).toEqual([
    'link set dev ppg7 address 0a:07:0a:01:00:01 addrgenmode none up',
    'address replace 10.1.0.1/16 brd + dev ppg7',
    'address replace 10.1.0.2/16 brd + dev ppg7',
  ]);
});

test('a port that is published on chosen hosts is not offered by others', () => {
  const chosen = { ...red, publications: [{ ...publication, hosts: ['there.example'] }] };
  const of = view([here], [chosen], [web]);
  expect(gatewayWish(of, here).publications).toEqual([]);
  expect(gatewayWish(of, { ...here, hostname: 'there.example' }).publications).toHaveLength(1);
});

test('a host gets no leg in a network that hides its neighbours, and says so; its other networks have theirs', async () => {
  const self = { ...here, underlayIp: '10.1.7.7', underlayPrefix: 16 };
  const machine = { ...web, app: appId('/vm'), device: 'tap0' };
  const wish = gatewayWish(view([self, there], [red, blue], [web, machine, db]), self);
  expect(wish).toMatchObject({ legs: [{ network: 'blue' }], publications: [], devices: ['tap0'] });
  expect(wish.problem).toContain("10.1.7.7 is within 10.1.0.0/16 of network 'red'");
  const noted = new NotedHost();
  const { gateways, problems } = gatewaysOn(noted);
  await gateways.follow(wish);
  expect(noted.calls).toEqual(['ports 8,tap0', 'configure', 'no rules']);
  expect(problems).toEqual([wish.problem]);
  await gateways.stop();
});

test('a narrower route to the neighbours keeps the leg; where it is not known the leg stays, with a word', () => {
  const shown = view([here], [red], [web]);
  const wishWith = (underlayPrefix: number | undefined) =>
    gatewayWish(shown, { ...here, underlayIp: '10.1.7.7', underlayPrefix });
  expect(wishWith(24)).toEqual(gatewayWish(shown, here));
  for (const prefix of [0, 12, 16])
    expect(wishWith(prefix)).toMatchObject({ legs: [], problem: expect.stringContaining('no gateway') });
  const { problem, ...rest } = wishWith(undefined);
  expect(rest).toEqual(gatewayWish(shown, here));
  expect(problem).toContain('is not known');
  expect(isWithinOwn(shown, { ...here, underlayIp: '10.1.7.7' })).toBe(true);
  expect(isWithinOwn(shown, here)).toBe(false);
});

test('the route to the neighbours is the narrowest that leads somewhere and through no leg', () => {
  const connected = { dst: '10.1.2.0/24', dev: 'eth0' };
  const leg = { dst: '10.1.2.0/28', dev: 'ppg7' };
  const refusing = { type: 'unreachable', dst: '10.1.2.0/26' };
  expect(narrowestPrefix([{ dst: 'default', dev: 'eth0' }, leg, connected, refusing])).toBe(24);
  // The host's only address is a /32: all others are reached by the default route.
  expect(narrowestPrefix([{ dst: 'default', dev: 'eth0' }, leg])).toBe(0);
  expect(narrowestPrefix([{ dst: '10.1.2.3', dev: 'eth0' }])).toBe(32);
  expect(narrowestPrefix([leg])).toBeUndefined();
});

test('an address that moves into a network takes the leg along, and out of it brings it back', async () => {
  const alone = view([here], [red], [web]);
  const noted = new NotedHost();
  const { gateways, problems } = gatewaysOn(noted);
  const told: (string | undefined)[] = [];
  for (const underlayIp of ['172.16.0.1', '10.1.7.7', '172.16.0.1']) {
    const wish = gatewayWish(alone, { ...here, underlayIp, underlayPrefix: 0 });
    gateways.refresh(wish);
    await gateways.follow(wish);
    told.push(problems.at(-1));
  }
  expect(noted.calls.filter((call) => call.startsWith('ports'))).toEqual(['ports 7', 'ports ', 'ports 7']);
  expect(told).toEqual([undefined, expect.stringContaining('10.1.7.7'), undefined]);
  await gateways.stop();
});

test('the rules are one table that replaces itself, and none when nothing goes through a leg', () => {
  const rules = firewallRules(gatewayWish(fabric, here), '172.16.0.1');
  expect(rules.startsWith(noRules)).toBe(true);
  const lines = rules.split('\n').map((line) => line.trim());
  expect(lines).toEqual(
    expect.arrayContaining([
      'fib daddr type local tcp dport 8080 dnat to numgen random mod 2 map { 0 : 10.1.0.5 . 80, 1 : 10.1.0.6 . 80 }',
      'oifname "ppg*" snat to 172.16.0.1',
      'ip saddr 10.1.0.0/16 oifname != "ppg*" masquerade',
      'iifname { "ppg7" } accept',
      'iifname "ppg*" meta l4proto { tcp, udp } th dport { 53, 67 } accept',
      'iifname "ppg*" drop',
    ]),
  );
  const closed = gatewayWish(view([here], [blue], [db]), here);
  expect(closed.legs).toHaveLength(1);
  expect(firewallRules(closed, '172.16.0.1')).toBe(noRules);
  expect(firewallRules(noWish, '172.16.0.1')).toBe(noRules);
});

test('ports of a host lead to its own containers, and those that are let out get out on their own', () => {
  const closed = { ...network('green', 9, '10.3.0.0/16'), forwards: true };
  const ports = [
    { number: 80, protocol: 'tcp' as const, hostPort: 31_000 },
    { number: 53, protocol: 'udp' as const, hostPort: 31_001 },
    { number: 9, protocol: 'tcp' as const },
  ];
  const mine = {
    ...endpoint({ app: '/web', network: closed, host: here, ip: '10.3.0.5' }),
    nat: true,
    ports,
  };
  const other = {
    ...endpoint({ app: '/web', index: 1, network: closed, host: there, ip: '10.3.0.6' }),
    ports,
  };
  // Its successor on the same host: both lead to the address of the slot.
  const next = { ...mine, epoch: 2, state: 'standby' as const, ports: [{ ...ports[0]!, hostPort: 31_002 }] };
  const wish = gatewayWish(view([here, there], [closed], [mine, other, next]), here);
  expect(wish.legs).toMatchObject([{ device: 'ppg9', nat: false }]);
  expect(wish.forwards).toEqual([
    { protocol: 'tcp', hostPort: 31_000, ip: '10.3.0.5', port: 80 },
    { protocol: 'udp', hostPort: 31_001, ip: '10.3.0.5', port: 53 },
    { protocol: 'tcp', hostPort: 31_002, ip: '10.3.0.5', port: 80 },
  ]);
  expect(wish.outgoing).toEqual(['10.3.0.5']);
  const lines = firewallRules(wish, '172.16.0.1')
    .split('\n')
    .map((line) => line.trim());
  expect(lines).toEqual(
    expect.arrayContaining([
      'fib daddr type local dnat to tcp dport map { 31000 : 10.3.0.5 . 80, 31002 : 10.3.0.5 . 80 }',
      'fib daddr type local dnat to udp dport map { 31001 : 10.3.0.5 . 53 }',
      'ip saddr { 10.3.0.5 } oifname != "ppg*" masquerade',
      'iifname "ppg*" ip saddr { 10.3.0.5 } accept',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('ip saddr 10.3.0.0/16'))).toEqual([]);
});

test('a machine is plugged in on its own host alone, and known to flows by its endpoint', () => {
  const machine = { ...endpoint({ app: '/x', network: blue, host: here, ip: '10.2.0.9' }), device: 'tap0' };
  const shown = view([here, there], [blue], [machine]);
  expect(gatewayWish(shown, here).devices).toEqual(['tap0']);
  expect(gatewayWish(shown, there).devices).toEqual([]);
  const ofports = new Map([['tap0', 24_576]]);
  expect(machineOfports(shown, here.id, ofports)).toEqual(new Map([['/x#0@1', 24_576]]));
  expect(machineOfports(shown, there.id, ofports).size).toBe(0);
});

/** A host that notes what is asked of it, and fails as often as it is told. */
class NotedHost implements GatewayHost {
  readonly calls: string[] = [];
  failures = 0;

  makePorts = async (legs: readonly { vni: number }[], devices: readonly string[]) => {
    this.#note(`ports ${[...legs.map(({ vni }) => vni), ...devices].join()}`);
    return {
      legs: new Map(legs.map(({ vni }, i) => [vni, 16_384 + i])),
      devices: new Map(devices.map((device, i) => [device, 24_576 + i])),
    };
  };
  configure = async (): Promise<void> => this.#note('configure');
  applyRules = async (text: string): Promise<void> => this.#note(text === noRules ? 'no rules' : 'rules');

  #note(call: string): void {
    this.calls.push(call);
    if (this.failures === 0) return;
    this.failures -= 1;
    throw new Error('the host refuses');
  }
}

function gatewaysOn(noted: NotedHost) {
  const clock = new ManualClock();
  const problems: (string | undefined)[] = [];
  let changes = 0;
  const gateways = new Gateways({
    host: noted,
    underlayIp: () => '172.16.0.1',
    clock,
    random: () => 0,
    log: createLogger('test', 'silent'),
    onPorts: () => (changes += 1),
    onProblem: (problem) => void problems.push(problem),
  });
  return { gateways, clock, problems, changes: () => changes };
}

test('what is in force is not asked for again, and what an earlier executor left is replaced first', async () => {
  const noted = new NotedHost();
  const { gateways, changes } = gatewaysOn(noted);
  await gateways.follow(noWish);
  expect(noted.calls).toEqual(['ports ', 'configure', 'no rules']);
  const wish = gatewayWish(fabric, here);
  await gateways.follow(wish);
  await gateways.follow(wish);
  expect(noted.calls.slice(3)).toEqual(['ports 7,8', 'configure', 'rules']);
  expect(gateways.ofports).toEqual(
    new Map([
      ['red', 16_384],
      ['blue', 16_385],
    ]),
  );
  expect(changes()).toBe(1);
  await gateways.stop();
});

test('a failure is told, waits for nobody, and is tried again', async () => {
  const noted = new NotedHost();
  noted.failures = 1;
  const { gateways, clock, problems } = gatewaysOn(noted);
  await gateways.follow(gatewayWish(fabric, here));
  expect(problems).toEqual(["the host's legs are not in force: the host refuses"]);
  await gateways.follow(gatewayWish(fabric, here));
  while (problems.length < 2) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(1_000);
  }
  expect(problems.at(-1)).toBeUndefined();
  expect(noted.calls.at(-1)).toBe('rules');
  await gateways.stop();
});
