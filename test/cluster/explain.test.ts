import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { DropInfo, HostInfo, PathInfo, TaskInfo, TrafficInfo } from '../../src/cli/api-types.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import { run } from '../../src/runtime/process.ts';
import { builtCommandLine, CommandRun } from '../support/command-line.ts';
import { ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;

beforeEach(() => {
  bench = new ClusterBench(cluster());
});

afterEach(async () => {
  await Promise.all(cluster().members.map((member) => member.heal()));
  await bench.removeAll();
});

const find = (from: string, to: string, more: Record<string, string> = {}): Promise<PathInfo> =>
  bench.api.get(`/v1/path?${new URLSearchParams({ from, to, ...more }).toString()}`);

/** Like find, once it is so: a change takes a moment to reach the switches, and a host that was cut off to be noticed. */
const findUntil = (verdict: string, from: string, to: string): Promise<PathInfo> =>
  bench.until(`${from} to ${to} to be ${verdict}`, async () => {
    const found = await find(from, to).catch(silentHost);
    return found?.verdict === verdict && found;
  });

function silentHost(error: unknown): undefined {
  if (/did not answer|not connected/.test(messageOf(error))) return undefined;
  throw error;
}

const on = (host: number, fields: Record<string, unknown> = {}) => ({
  constraints: [['hostname', 'LIKE', `.*-h${host}`]],
  ...fields,
});
const slotOf = (task: TaskInfo) => `${task.appId}#${task.patchpanel.slot}`;
const ways = ({ hops }: PathInfo) => hops.map(({ protocol, host }) => `${protocol} ${host.slice(-2)}`);

test('a host whose underlay carries less than it says finds that out, gets nothing on the switch, and is used again once it is well', async () => {
  const { hubNetns, hosts: planned } = cluster().substrate.plan;
  // The far end of its cable: the host itself sees nothing of it.
  const setMtu = (bytes: number) =>
    run('ip', ['link', 'set', 'dev', planned[2]!.hubPort, 'mtu', String(bytes)], { netns: hubNetns });
  const hosts = async () => (await bench.api.get<{ hosts: HostInfo[] }>('/v1/hosts')).hosts;
  const testOf = async (number: number) =>
    (await hosts()).find(({ hostname }) => hostname.endsWith(`-h${number}`))?.selfTest;
  await setMtu(1_300);
  try {
    await bench.add(demoApp('/web', { instances: 3, constraints: [['hostname', 'UNIQUE']] }));
    await bench.until('the broken host to say so', async () => {
      const result = await testOf(3);
      // Before its peer knows it, a host only finds that nothing reaches the peer.
      return (
        result?.passed === false &&
        /packets of 1450 bytes do not reach .*small ones do/.test(result.problem ?? '')
      );
    });
    // While the broken one is the only other host that it knows, a host cannot tell which of the two it is.
    await bench.until('a whole host to say so', async () => (await testOf(1))?.passed);
    await bench.api.send('POST', '/v2/apps', demoApp('/late', on(3)));
    await bench.until('the queue to say why', async () => {
      const { queue } = await bench.api.get<{ queue: object[] }>('/v2/queue');
      return JSON.stringify(queue).includes('NetworkSelfTestFailed');
    });
  } finally {
    await setMtu(1_500);
  }
  await bench.running('/late', 1);
  expect(await testOf(3)).toMatchObject({ passed: true });
  // Namespaces, ports and veths of the tests are gone: what is left is the tunnel and one port for each task.
  await bench.until(
    'nothing to be left',
    async () => (await bench.ports('h3')).filter((name) => /^pp[0-9a-z]+h$/.test(name)).length === 2,
  );
});

test('a path is explained on one host, across hosts, between networks and out of the fabric, as packets go', async () => {
  const [one, two] = await bench.add(demoApp('/one', on(1, { instances: 2 })));
  const [far] = await bench.add(demoApp('/far', on(2)));
  await bench.api.send('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.40.0.0/24' });
  const [blue] = await bench.add(
    demoApp('/blue', on(2, { networks: [{ mode: 'container', name: 'blue' }] })),
  );

  const near = await find('/one#0', '1.one');
  expect([near.verdict, ways(near)]).toEqual(['delivered', ['arp h1', 'tcp h1']]);
  expect(await bench.ask(one!, ipOf(two))).toBeDefined();
  const across = await find(one!.id, ipOf(far), { protocol: 'icmp' });
  expect([across.verdict, ways(across)]).toEqual(['delivered', ['arp h1', 'icmp h1', 'icmp h2']]);
  expect(across.hops.at(-1)!.steps.map(({ table }) => table)).toContain('tunnel guard');

  // Counted where it happens, told every ten seconds.
  for (let i = 0; i < 5; i += 1) expect(await bench.ask(one!, ipOf(far))).toBeDefined();
  await bench.containers.exec(one!.id, ['ping', '-c', '2', '-W', '1', '10.32.200.200']);
  const drops = await bench.until('the drop to be counted', async () => {
    const found = await bench.api.get<{ drops: DropInfo[] }>('/v1/drops?reason=unanswered-arp');
    return found.drops.some(({ slot }) => slot === '/one#0') && found.drops;
  });
  expect(drops.find(({ slot }) => slot === '/one#0')).toMatchObject({ host: one!.host });
  // Five requests and answers of some packets each; the ten seconds may end in the midst of them.
  const pairs = await bench.until('the traffic to be counted', async () => {
    const found = await bench.api.get<{ pairs: TrafficInfo[] }>('/v1/traffic?app=/far');
    return found.pairs.length >= 2 && found.pairs.every(({ packets }) => packets > 20) && found.pairs;
  });
  expect(new Set(pairs.map(({ from, to }) => `${from} ${to}`))).toEqual(new Set(['/one /far', '/far /one']));

  const unknown = await find('/one#0', '10.32.200.200');
  expect(unknown.summary).toMatch(/nobody in the network has the address/);
  const blocked = await find('/one#0', '/blue#0');
  expect(blocked).toMatchObject({ verdict: 'dropped' });
  expect(blocked.summary).toContain('add "blue" to the routes of the network default');
  expect(await bench.ask(one!, ipOf(blue))).toBeUndefined();

  const wide = { vni: 7, cidr: '10.32.0.0/16', routes: ['blue'], nat: true };
  await bench.api.send('PUT', '/v1/networks/default', wide);
  expect(ways(await findUntil('delivered', '/one#0', '/blue#0'))).toEqual(['tcp h1', 'tcp h2']);
  expect(await bench.ask(one!, ipOf(blue))).toBeDefined();
  const out = await findUntil('left', '/one#0', '192.0.2.1');
  expect(out.summary).toMatch(/leaves default by the gateway of .*h1/);
  await bench.api.send('PUT', '/v1/networks/default', { vni: 7, cidr: '10.32.0.0/16' });

  const url = { env: { PATCHPANEL_URL: cluster().scheduler?.apiUrl ?? '' } };
  const shown = await new CommandRun(builtCommandLine, ['path', '/one#0', '0.far', '--rules'], url).result;
  expect(shown.stdout).toMatch(
    /tunnel guard +by the view the sender is on the host[\s\S]*delivered to \/far#0/,
  );
  expect(shown.code).toBe(0);
  const missing = await new CommandRun(builtCommandLine, ['path', '/one#0', '/none#0', '--json'], url).result;
  expect([missing.code, missing.stderr]).toEqual([4, expect.stringContaining('there is no "/none#0"')]);
});

test('what a host that was cut off sends is explained: fenced, by the host that would get it', async () => {
  const [witness, lost] = await bench.add(
    demoApp('/web', { instances: 2, constraints: [['hostname', 'UNIQUE']] }),
  );
  await cluster().cut(lost!.host, 'management');
  const fenced = await findUntil('dropped', lost!.id, slotOf(witness!));
  expect(fenced).toMatchObject({ reason: 'fenced', from: { slot: slotOf(lost!) } });
  expect(fenced.hops.at(-1)!.host).toBe(witness!.host);
  expect(await bench.ask(lost!, ipOf(witness))).toBeUndefined();
  // The slot is nowhere at the moment: its address is unknown in the network. Self-tests are fenced, too.
  const drop = await bench.until('the copy to be counted', async () => {
    const { drops } = await bench.api.get<{ drops: DropInfo[] }>('/v1/drops?reason=fenced');
    return drops.find(({ network }) => network === 'default');
  });
  expect(drop).toMatchObject({ host: witness!.host });
});
