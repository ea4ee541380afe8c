import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ClusterBench, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { clientAndServer, echoServer, HandoverClients, type Seen } from '../support/handover-load.ts';

/** Redeploys of each kind; more of them take longer and show the same. */
const redeploys = Number(process.env['PATCHPANEL_TEST_HANDOVERS'] ?? 5);

const cluster = useCluster({ hosts: 3 });
let bench: ClusterBench;
let clients: HandoverClients;

beforeEach(() => {
  bench = new ClusterBench(cluster());
  clients = new HandoverClients();
});

afterEach(async () => {
  clients.close();
  await bench.removeAll();
});

/** Redeploys under load, `to` giving the hosts that may have the new incarnation each time. */
async function redeployUnderLoad(to: (round: number) => string): Promise<{ seen: Seen; lost: number }> {
  const { pid, server } = await clientAndServer(bench, to(0));
  const ip = ipOf(server);
  const [endLoad, endPings] = [clients.load(pid, ip), clients.pings(pid, ip)];
  for (let round = 1; round <= redeploys; round += 1) {
    await bench.deploy(
      'PUT',
      '/v2/apps/echo',
      echoServer('/echo', to(round), { env: { ROUND: `${round}` } }),
    );
    const [task] = await bench.running('/echo', 1);
    expect([task?.host, ipOf(task)]).toEqual([expect.stringMatching(`${to(round)}$`), ip]);
  }
  return { seen: await endLoad(), lost: await endPings() };
}

function expectUnbroken({ seen, lost }: { seen: Seen; lost: number }): void {
  expect(seen.errors).toEqual([]);
  expect(seen).toMatchObject({ failed: 0, longBroken: 0 });
  // All incarnations served, and the load was what it should be.
  expect(seen.servers).toHaveLength(redeploys + 1);
  expect(seen.opened / seen.seconds).toBeGreaterThanOrEqual(200);
  expect(seen.longEnded).toBeGreaterThan(50);
  expect(lost).toBeLessThanOrEqual(redeploys);
}

test('redeploys between hosts under load break no connection and refuse none', async () => {
  expectUnbroken(await redeployUnderLoad((round) => (round % 2 === 0 ? 'h1' : 'h2')));
});

test('redeploys on one host under load break no connection and refuse none', async () => {
  expectUnbroken(await redeployUnderLoad(() => 'h1'));
});
