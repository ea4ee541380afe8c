import { beforeEach, expect, test } from '@jest/globals';
import type { DropInfo, TrafficInfo } from '../../src/cli/api-types.ts';
import type { ObjectKey } from '../../src/fabric/object-key.ts';
import { SchedulerMetrics } from '../../scheduler/driver/metrics.ts';
import { agentId, appId, networkName } from '../../src/model/ids.ts';
import { ApiHarness, webApp } from '../support/api.ts';

let api: ApiHarness;
const [one, two] = [agentId('agent-0'), agentId('agent-1')];
const web = appId('/shop/web');

beforeEach(async () => {
  api = new ApiHarness();
  await api.call('POST', '/v2/apps', webApp);
  api.runAll();
  api.reportHost(0, { applied: '1.1', lag: 0 });
});

const drop = (packets: number, subject: ObjectKey = 'port:/shop/web#0@1') => ({
  reason: 'spoofed' as const,
  subject,
  packets,
  bytes: packets * 60,
});
/** Metrics that read the counters and nothing else. */
function metricsOf({ counters }: ApiHarness): SchedulerMetrics {
  const metrics = new SchedulerMetrics();
  const none = () => 0;
  metrics.observe({
    queuedEvents: none,
    undurableFrames: none,
    reconcileRemaining: none,
    instances: none,
    viewLag: none,
    pendingEndpoints: none,
    connectedHosts: none,
    dropped: () => counters.dropSeries(),
    delivered: () => counters.delivered,
  });
  return metrics;
}
const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}{`));
const drops = async (query = '') =>
  (await api.call<{ drops: DropInfo[] }>('GET', `/v1/drops${query}`)).body.drops;

test('drops are told with the endpoint and the host, those of an address with its slot', async () => {
  const [slot] = api.world.slots.values();
  const address = `address:default/${slot!.lease!.ip}` as const;
  api.counters.take(one, {
    origin: 'a',
    drops: [drop(3), { ...drop(9, address), reason: 'fenced' }],
    traffic: [],
  });
  expect(await drops()).toMatchObject([
    { reason: 'fenced', host: 'host-0', network: 'default', ip: slot!.lease!.ip, slot: slot!.id, packets: 9 },
    { reason: 'spoofed', agentId: 'agent-0', slot: '/shop/web#0', epoch: 1, packets: 3, bytes: 180 },
  ]);
  expect(await drops('?reason=spoofed')).toHaveLength(1);
  expect(await drops('?host=host-9')).toEqual([]);
  expect((await api.call('GET', '/v1/drops?reason=boredom')).status).toBe(422);
});

test('what a host tells twice counts once, what a new executor counts is added', async () => {
  const tell = (origin: string, packets: number) =>
    api.counters.take(one, { origin, drops: [drop(packets)], traffic: [] });
  tell('a', 3);
  tell('a', 3);
  tell('a', 5);
  tell('b', 2);
  expect((await drops())[0]?.packets).toBe(7);
  tell('b', 1);
  expect((await drops())[0]?.packets).toBe(7);
  expect(api.counters.dropSeries()).toEqual([
    { reason: 'spoofed', host: 'host-0', slot: '/shop/web#0', packets: 7 },
  ]);
});

test('Prometheus reads drops by reason, host and slot, whatever the incarnation', async () => {
  const [slot] = api.world.slots.values();
  const metrics = metricsOf(api);
  const report = [
    drop(3),
    drop(4, 'port:/shop/web#0@2'),
    { ...drop(9, `address:default/${slot!.lease!.ip}`), reason: 'fenced' as const },
    { ...drop(2, 'network:default'), reason: 'not-routed' as const },
  ];
  api.counters.take(one, { origin: 'a', drops: report, traffic: [] });
  const name = 'patchpanel_dropped_packets_total';
  expect(lines(await metrics.text(), name)).toEqual([
    `${name}{reason="spoofed",host="host-0",slot="/shop/web#0"} 7`,
    `${name}{reason="fenced",host="host-0",slot="/shop/web#0"} 9`,
    `${name}{reason="not-routed",host="host-0"} 2`,
  ]);
});

test('what was dropped of a slot stays with it when somebody else has the address', () => {
  const [slot] = api.world.slots.values();
  const { ip } = slot!.lease!;
  const tell = (packets: number) =>
    api.counters.take(one, { origin: 'a', drops: [drop(packets, `address:default/${ip}`)], traffic: [] });
  tell(5);
  api.world.addresses.get(networkName('default'))?.holders.delete(ip);
  tell(8);
  expect(api.counters.dropSeries()).toEqual([
    { reason: 'spoofed', host: 'host-0', slot: '/shop/web#0', packets: 5 },
    { reason: 'spoofed', host: 'host-0', slot: undefined, packets: 3 },
  ]);
});

test('traffic of all hosts adds up by pair, and can be asked for by app', async () => {
  const row = (packets: number, bytes: number) => ({ from: web, to: 'outside' as const, packets, bytes });
  const back = { from: 'outside' as const, to: web, packets: 1, bytes: 9_000 };
  api.counters.take(one, { origin: 'a', drops: [], traffic: [row(2, 100), back] });
  api.counters.take(two, { origin: 'c', drops: [], traffic: [row(3, 50)] });
  const { body } = await api.call<{ pairs: TrafficInfo[] }>('GET', '/v1/traffic');
  expect(body.pairs).toMatchObject([
    { from: 'outside', to: '/shop/web', packets: 1, bytes: 9_000 },
    { from: '/shop/web', to: 'outside', packets: 5, bytes: 150 },
  ]);
  expect(api.counters.delivered).toEqual({ packets: 6, bytes: 9_150 });
  const other = await api.call<{ pairs: TrafficInfo[] }>('GET', '/v1/traffic?app=/other');
  expect(other.body.pairs).toEqual([]);
});
