import { expect, test } from '@jest/globals';
import { ipOf } from '../support/cluster-bench.ts';
import { clientAndServer, expectUnbroken, redeployEcho, useHandovers } from '../support/handover-load.ts';

/** Redeploys of each kind; more of them take longer and show the same. */
const redeploys = Number(process.env['PATCHPANEL_TEST_HANDOVERS'] ?? 5);

const { bench, clients } = useHandovers();

/** Redeploys under load, `to` giving the hosts that may have the new incarnation each time. */
async function redeployUnderLoad(to: (round: number) => string): Promise<void> {
  const { pid, server } = await clientAndServer(bench(), to(0));
  const ip = ipOf(server);
  const [endLoad, endPings] = [clients().load(pid, ip), clients().pings(pid, ip)];
  for (let round = 1; round <= redeploys; round += 1) await redeployEcho(bench(), to(round), round);
  const seen = await endLoad();
  expectUnbroken(seen, redeploys + 1, 200);
  expect(seen.longEnded).toBeGreaterThan(50);
  expect(await endPings()).toBeLessThanOrEqual(redeploys);
}

test('redeploys between hosts under load break no connection and refuse none', async () => {
  await redeployUnderLoad((round) => (round % 2 === 0 ? 'h1' : 'h2'));
});

test('redeploys on one host under load break no connection and refuse none', async () => {
  await redeployUnderLoad(() => 'h1');
});
