import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { cookieParts } from '../../src/fabric/cookie.ts';
import type { ViewEndpoint } from '../../src/fabric/view.ts';
import type { TestHost, TestSandbox, TestUnderlay } from '../support/openvswitch.ts';
import {
  cookieIn,
  dropped,
  eventually,
  flowLines,
  managementOf,
  reaches,
  specOf,
  SwitchBench,
  veths,
  withoutCounters,
} from '../support/switch-bench.ts';
import { buildDriver, type SwitchProcess } from '../support/switch-process.ts';

let driver: Awaited<ReturnType<typeof buildDriver>>;
let bench: SwitchBench;
let underlay: TestUnderlay;
let hosts: readonly [TestHost, TestHost];
let switches: readonly [SwitchProcess, SwitchProcess];

beforeAll(async () => {
  driver = await buildDriver();
});
afterAll(() => driver.close());

beforeEach(async () => {
  bench = await SwitchBench.start(driver.file, 'ppsw');
  ({ underlay, hosts, switches } = bench);
});
afterEach(() => bench.close());

test('TCP flows across hosts, in transfers of many times the MTU, as soon as both ends are attached', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA, boxB] = [await plug(switches[0], a), await plug(switches[1], b)];
  await serve(boxB);
  expect(await reaches(boxA, b.ip, 3_000_000)).toBe(true);
  await serve(boxA);
  expect(await reaches(boxB, a.ip, 3_000_000)).toBe(true);
});

test('not even the first frame to a peer is lost', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA] = [await plug(switches[0], a), await plug(switches[1], b)];
  const pinged = await boxA.exec('ping', ['-c', '1', '-W', '5', b.ip]);
  expect(pinged.stdout).toContain('1 received');
});

test('ARP is answered by the local switch, also for an endpoint that is not plugged in yet', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const box = await plug(switches[0], a);
  await box.exec('ping', ['-c', '1', '-W', '1', b.ip]);
  const neighbours = await box.exec('ip', ['neighbour', 'show', b.ip]);
  expect(neighbours.stdout).toContain(b.mac);
});

test('a frame with another source address or another MAC is dropped and counted as spoofed', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA, boxB] = [await plug(switches[0], a), await plug(switches[1], b)];
  await serve(boxB);
  await boxA.exec('ip', ['address', 'add', '10.32.9.9/32', 'dev', 'eth0']);
  const before = await dropped(hosts[0], 'spoofed');
  expect((await boxA.exec('ping', ['-c', '2', '-W', '1', '-I', '10.32.9.9', b.ip])).exitCode).not.toBe(0);
  const between = await dropped(hosts[0], 'spoofed');
  expect(between).toBeGreaterThan(before);
  await boxA.exec('ip', ['link', 'set', 'dev', 'eth0', 'address', '0a:07:0a:20:09:09']);
  expect(await reaches(boxA, b.ip, 10, 1_000)).toBe(false);
  expect(await dropped(hosts[0], 'spoofed')).toBeGreaterThan(between);
});

test("a frame to the device itself, past the switch, never reaches the host's own kernel", async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  const box = await plug(switches[0], a);
  const [veth] = await veths(hosts[0]);
  const [device] = JSON.parse(await hosts[0].exec('ip', ['-json', 'link', 'show', 'dev', veth!])) as {
    address: string;
  }[];
  const { underlayIp } = hosts[0];
  await box.exec('ip', ['route', 'add', underlayIp, 'dev', 'eth0']);
  await box.exec('ip', ['neighbour', 'replace', underlayIp, 'lladdr', device!.address, 'dev', 'eth0']);
  const before = await kernelCounters(hosts[0]);
  await box.exec('ping', ['-c', '2', '-i', '0.2', '-W', '1', underlayIp]);
  const after = await kernelCounters(hosts[0]);
  expect(after.echoes).toBe(before.echoes);
  // They did come as far as the device.
  expect(after.refused - before.refused).toBeGreaterThanOrEqual(2);
});

test('of a slot that runs on two hosts only the owner in the view can be reached and can reach others', async () => {
  const stale = web(0, hosts[0]);
  const owner = { ...web(0, hosts[1]), epoch: 2 };
  const client = web(1, hosts[1]);
  await switches[0].view(viewOf([stale, client], 1));
  const staleBox = await plug(switches[0], stale);
  // Host 1 is cut off from the scheduler here: it keeps the view in which it owns the slot.
  await switches[1].view(viewOf([owner, client], 2));
  const [ownerBox, clientBox] = [await plug(switches[1], owner), await plug(switches[1], client)];
  await serve(ownerBox);
  await serve(clientBox);
  expect(await reaches(clientBox, owner.ip, 100)).toBe(true);
  const before = await dropped(hosts[1], 'fenced');
  expect(await reaches(staleBox, client.ip, 100, 1_500)).toBe(false);
  expect(await dropped(hosts[1], 'fenced')).toBeGreaterThan(before);
});

test('after a crash of ovs-vswitchd all flows come back and traffic with them', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA, boxB] = [await plug(switches[0], a), await plug(switches[1], b)];
  await serve(boxB);
  const { resyncs, flows } = await switches[0].status();
  await hosts[0].killSwitchd();
  await hosts[0].startSwitchd();
  await eventually(async () => {
    const now = await switches[0].status();
    expect(now).toMatchObject({ ready: true, flows });
    expect(now.resyncs).toBeGreaterThan(resyncs);
    expect(await reaches(boxA, b.ip, 100_000, 1_000)).toBe(true);
  });
  expect((await switches[0].status()).lost).toEqual([]);
});

test('a detach while Open vSwitch is away is done when it is back', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  await plug(switches[0], a);
  await hosts[0].killSwitchd();
  const detached = switches[0].detach(a);
  await hosts[0].startSwitchd();
  await detached;
  expect(await switches[0].status()).toMatchObject({ ports: 0 });
  expect(await veths(hosts[0])).toEqual([]);
});

test('flows that somebody wiped are written anew at once', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  const { flows } = await switches[0].status();
  await hosts[0].exec('ovs-ofctl', ['-O', 'OpenFlow14', 'del-flows', managementOf(hosts[0])]);
  await eventually(async () => expect(await flowLines(hosts[0])).toHaveLength(flows));
});

test('after a restart of ovsdb-server, also with an empty database, bridge, ports and flows are there again', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA, boxB] = [await plug(switches[0], a), await plug(switches[1], b)];
  await serve(boxB);
  for (const empty of [false, true]) {
    await hosts[0].restartDatabase(empty);
    await eventually(async () => {
      expect(await switches[0].status()).toMatchObject({ ready: true, ports: 1 });
      expect(await reaches(boxA, b.ip, 100, 1_000)).toBe(true);
    });
  }
  expect((await switches[0].status()).lost).toEqual([]);
});

test('a killed executor loses no port, and the next one writes the flows of its own round without a scheduler', async () => {
  const [a, b] = [web(0, hosts[0]), web(1, hosts[1])];
  await showEveryone([a, b]);
  const [boxA, boxB] = [await plug(switches[0], a), await plug(switches[1], b)];
  await serve(boxB);
  await switches[0].kill();
  expect(await reaches(boxA, b.ip, 100_000)).toBe(true);

  const next = newSwitch(hosts[0]);
  await next.start(false);
  const status = await next.status();
  expect(status).toMatchObject({ ready: true, round: 2, ports: 1, applied: { term: 1, n: 1 } });
  expect(status.attached).toEqual([{ slot: a.slot, epoch: a.epoch }]);
  expect(await reaches(boxA, b.ip, 100_000)).toBe(true);
  const rounds = (await flowLines(hosts[0])).map((line) => cookieParts(cookieIn(line)).round);
  expect(new Set(rounds)).toEqual(new Set([2]));

  expect(await next.cleanUp()).toEqual([{ slot: a.slot, epoch: a.epoch }]);
  expect(await next.status()).toMatchObject({ ports: 0, attached: [] });
  expect(await veths(hosts[0])).toEqual([]);
});

test('a second executor on the same host is refused while the first one lives', async () => {
  const second = newSwitch(hosts[0]);
  await expect(second.start(false)).rejects.toMatchObject({ code: 'conflict' });
}, 60_000);

test('a veth that vanished is reported as lost once, and can be detached', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  const box = await plug(switches[0], a);
  await box.close();
  await eventually(async () => {
    expect((await switches[0].status()).lost).toMatchObject([{ endpoint: { slot: a.slot, epoch: 1 } }]);
  });
  await switches[0].detach(a);
  expect(await switches[0].status()).toMatchObject({ ports: 0, lost: [expect.anything()] });
});

test('a sandbox that is gone makes the attach fail with the reason, and leaves nothing', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  const box = await underlay.sandbox();
  await box.close();
  await switches[0].prepare(a, specOf(a));
  await expect(switches[0].attach(a, box.pid)).rejects.toMatchObject({ code: 'external' });
  expect(await switches[0].status()).toMatchObject({ ports: 0 });
  expect(await veths(hosts[0])).toEqual([]);
  const again = await underlay.sandbox();
  await expect(switches[0].attach(a, again.pid)).resolves.toMatchObject({ totalMs: expect.any(Number) });
});

test('of several attaches at once only the one whose sandbox is gone fails', async () => {
  const [a, b, c] = [web(0, hosts[0]), web(1, hosts[0]), web(2, hosts[0])];
  await showEveryone([a, b, c]);
  const [boxA, gone, boxC] = [await underlay.sandbox(), await underlay.sandbox(), await underlay.sandbox()];
  await gone.close();
  for (const each of [a, b, c]) await switches[0].prepare(each, specOf(each));
  const results = await Promise.allSettled([
    switches[0].attach(a, boxA.pid),
    switches[0].attach(b, gone.pid),
    switches[0].attach(c, boxC.pid),
  ]);
  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  await serve(boxC);
  expect(await reaches(boxA, c.ip, 100)).toBe(true);
  await Promise.all([a, b, c].map((each) => switches[0].detach(each)));
  expect(await veths(hosts[0])).toEqual([]);
});

test('detach leaves neither flow nor port nor veth, and may be repeated', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  const before = await flowLines(hosts[0]);
  const box = await plug(switches[0], a);
  expect(await flowLines(hosts[0])).not.toHaveLength(before.length);
  await switches[0].detach(a);
  await switches[0].detach(a);
  expect((await flowLines(hosts[0])).map(withoutCounters).sort()).toEqual(before.map(withoutCounters).sort());
  expect(await switches[0].status()).toMatchObject({ ports: 0, attached: [] });
  expect(await veths(hosts[0])).toEqual([]);
  expect((await box.exec('ip', ['link', 'show', 'eth0'])).exitCode).not.toBe(0);
});

test('the wait for the other hosts ends with their acknowledgement, or with an error that names the endpoint', async () => {
  const a = web(0, hosts[0]);
  await showEveryone([a]);
  await plug(switches[0], a);
  await expect(switches[0].awaitConverged(a, 50)).rejects.toMatchObject({
    code: 'deadline',
    message: expect.stringContaining('/web#0@1'),
  });
  await switches[0].converge(a);
  await switches[0].awaitConverged(a, 10_000);
});

test('fifty containers that are attached at once can all be reached', async () => {
  const many = Array.from({ length: 50 }, (_, index) => web(index, hosts[0]));
  const client = web(50, hosts[1]);
  await showEveryone([...many, client]);
  const clientBox = await plug(switches[1], client);
  const boxes = await Promise.all(many.map(() => underlay.sandbox()));
  await Promise.all(
    many.map(async (each, index) => {
      await switches[0].prepare(each, specOf(each));
      await switches[0].attach(each, boxes[index]!.pid);
    }),
  );
  for (const each of many) {
    const pinged = await clientBox.exec('ping', ['-c', '1', '-W', '2', each.ip]);
    expect({ ip: each.ip, code: pinged.exitCode }).toEqual({ ip: each.ip, code: 0 });
  }
  await Promise.all(many.map((each) => switches[0].detach(each)));
  expect(await switches[0].status()).toMatchObject({ ports: 0 });
});

const newSwitch = (on: TestHost) => bench.newSwitch(on);
const web = (index: number, on: TestHost) => bench.web(index, on);
const viewOf = (endpoints: readonly ViewEndpoint[], n: number) => bench.viewOf(endpoints, n);
const showEveryone = (endpoints: readonly ViewEndpoint[], n?: number) => bench.showEveryone(endpoints, n);
const plug = (into: SwitchProcess, each: ViewEndpoint) => bench.plug(into, each);
const serve = (sandbox: TestSandbox) => bench.serve(sandbox);

/** Echo requests that a host's kernel took, and packets that it refused because no route leads back (proc(5), net/snmp). */
async function kernelCounters(
  host: TestHost,
): Promise<{ readonly echoes: number; readonly refused: number }> {
  const text = await host.exec('cat', ['/proc/net/snmp', '/proc/net/netstat']);
  const counters = new Map<string, number>();
  const lines = text.split('\n');
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [names, values] = [lines[i]!.split(' '), lines[i + 1]!.split(' ')];
    names.forEach((name, at) => counters.set(`${names[0]}${name}`, Number(values[at])));
  }
  return {
    echoes: counters.get('Icmp:InEchos') ?? Number.NaN,
    refused: counters.get('TcpExt:IPReversePathFilter') ?? Number.NaN,
  };
}
