import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SlotClient } from '../faults/slot-client.ts';
import { ClusterBench, demoApp, ipOf, shellApp } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { clientAndServer, echoServer, expectUnbroken, HandoverClients } from '../support/handover-load.ts';
import { cutViewStream } from '../support/view-cut.ts';

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;
let clients: HandoverClients;
/** Ask for the slot that moves: one on the host whose view gets old, one on another. */
let behind: SlotClient;
let ahead: SlotClient;
let lift: () => Promise<void>;

beforeEach(() => {
  bench = new ClusterBench(cluster());
  clients = new HandoverClients();
  [behind, ahead] = [new SlotClient(), new SlotClient()];
  lift = () => Promise.resolve();
});

afterEach(async () => {
  clients.close();
  behind.stop();
  ahead.stop();
  await lift();
  if (cluster().schedulers.state === 'stopped') await cluster().restartScheduler();
  await bench.removeAll();
});

const on = (host: string) => ({ constraints: [['hostname', 'LIKE', `.*${host}`]] });

/** Waits until three more packets for nobody have been dropped on the host. */
async function moreUnknown(host: string): Promise<void> {
  const before = await bench.dropped(host, 'unknown-destination');
  await bench.until(
    `packets for nobody on ${host}`,
    async () => (await bench.dropped(host, 'unknown-destination')) >= before + 3,
  );
}

const viewOf = async (host: string) => {
  const { hosts } = await bench.api.get<{
    hosts: { agentId: string; view: { connected: boolean; applied: string | null } }[];
  }>('/v1/hosts');
  return hosts.find(({ agentId }) => agentId === cluster().member(host).agentId)?.view;
};

test('a host with an old view: what did not move goes on, what moved is lost once and not passed on, and a new view mends it', async () => {
  const { pid: onH3, server: still } = await clientAndServer(bench, 'h1');
  const [back] = await bench.add(echoServer('/back', 'h3'));
  const [peer] = await bench.add(shellApp('/peer', 'sleep 10000', on('h2')));
  const onH2 = await bench.containers.pid(peer!.id);
  const [old] = await bench.add(demoApp('/web', on('h1')));
  const web = ipOf(old);

  const loads = [
    clients.load(onH3, ipOf(still), { perSecond: 75 }),
    clients.load(onH2, ipOf(back), { perSecond: 75 }),
  ];
  const pings = [clients.pings(onH3, ipOf(still)), clients.pings(onH2, ipOf(back))];
  behind.follow(onH3, [web]);
  ahead.follow(onH2, [web]);
  for (const each of [behind, ahead]) {
    await bench.until('the first answer', async () => each.servers(web).includes(old!.id));
  }

  lift = await cutViewStream(cluster(), 'h3');
  await bench.until('the stream of h3 to be lost', async () => (await viewOf('h3'))?.connected === false);
  const version = (await viewOf('h3'))?.applied;
  await bench.deploy('PUT', '/v2/apps/web', demoApp('/web', { ...on('h2'), env: { ROUND: '1' } }));
  const [moved] = await bench.running('/web', 1);
  expect(ipOf(moved)).toBe(web);
  await bench.until('the new one to answer', async () => ahead.servers(web).includes(moved!.id));
  await bench.until('the old port to be gone', async () => (await bench.endpointPorts('h1')).length === 1);

  // h3 sends to where it was. What h1 passed on would be fenced on h2: it would come from the wrong host.
  const fenced = await bench.dropped('h2', 'fenced');
  await moreUnknown('h1');
  expect((await viewOf('h3'))?.applied).toBe(version);
  // With nobody there who could tell it.
  await cluster().killScheduler();
  await lift();
  await moreUnknown('h1');
  expect(behind.servers(web)).toEqual([old!.id]);
  expect(await bench.dropped('h2', 'fenced')).toBe(fenced);

  await cluster().restartScheduler();
  await bench.until('an answer to the host that was behind', async () =>
    behind.servers(web).includes(moved!.id),
  );
  expect(behind.servers(web)).toEqual([old!.id, moved!.id]);
  expect(ahead.servers(web)).toEqual([old!.id, moved!.id]);
  for (const end of loads) expectUnbroken(await end(), 1, 70);
  // As for any handover: a port that comes or goes may cost the userspace datapath one packet.
  for (const end of pings) expect(await end()).toBeLessThanOrEqual(1);
});
