import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ipOf, shellApp } from '../support/cluster-bench.ts';
import {
  echoPort,
  echoServer,
  expectUnbroken,
  publishedEcho,
  redeployEcho,
  useHandovers,
} from '../support/handover-load.ts';
import { startOutsider, type TestSandbox } from '../support/openvswitch.ts';

const { cluster, bench, clients } = useHandovers();
let closers: (() => Promise<unknown>)[];

beforeEach(() => {
  closers = [];
});

afterEach(async () => {
  for (const close of closers.toReversed()) await close();
});

/** From h1 to another host, on that host, and back. */
const redeploys = ['h2', 'h2', 'h1'];

/** What each of several clients does: together as much as one alone in the other tests. */
const share = { perSecond: 75, long: 15 };

/** Waits until the task at the address answers whoever is in that process's namespace. */
const reached = (pid: number, ip: string, port: number, task: string) =>
  bench().until(`an answer at ${ip}:${port}`, async () => (await clients().greeting(pid, ip, port)) === task);

function startOutside(): Promise<TestSandbox> {
  const { hubNetns, subnet } = cluster().substrate.plan;
  const place = { netns: hubNetns, bridge: 'hub0', name: 'outsider', ip: `198.19.${subnet}.200` };
  return startOutsider(place, (close) => void closers.push(close));
}

test('redeploys under connections that come in through a published port, at whichever host, break none of them', async () => {
  // Whatever else moves, each host has a way into the network.
  await bench().add(
    shellApp('/bystander', 'sleep 10000', { instances: 3, constraints: [['hostname', 'UNIQUE']] }),
  );
  const published = publishedEcho(18_090);
  const [server] = await bench().add(echoServer('/echo', 'h1', published));
  const { pid } = await startOutside();
  const { hosts } = cluster().substrate.plan;
  for (const { underlayIp } of hosts) await reached(pid, underlayIp, 18_090, server!.id);

  const ends = hosts.map(({ underlayIp }) => clients().load(pid, underlayIp, { ...share, port: 18_090 }));
  for (const [round, host] of redeploys.entries()) await redeployEcho(bench(), host, round, published);
  for (const end of ends) expectUnbroken(await end(), redeploys.length + 1, 70);
});

test('redeploys under connections from another network that has a route to it break none of them', async () => {
  await bench().api.send('PUT', '/v1/networks/blue', { vni: 8, cidr: '10.40.0.0/24', routes: ['default'] });
  const inBlue = await bench().add(
    shellApp('/client', 'sleep 10000', {
      instances: 3,
      constraints: [['hostname', 'UNIQUE']],
      networks: [{ mode: 'container', name: 'blue' }],
    }),
  );
  const [server] = await bench().add(echoServer('/echo', 'h1'));
  const pids = await Promise.all(inBlue.map(({ id }) => bench().containers.pid(id)));
  for (const pid of pids) await reached(pid, ipOf(server), echoPort, server!.id);

  const ends = pids.map((pid) => ({
    load: clients().load(pid, ipOf(server), share),
    pings: clients().pings(pid, ipOf(server)),
  }));
  for (const [round, host] of redeploys.entries()) await redeployEcho(bench(), host, round);
  for (const end of ends) {
    expectUnbroken(await end.load(), redeploys.length + 1, 70);
    expect(await end.pings()).toBeLessThanOrEqual(redeploys.length);
  }
});
