import { expect, test } from '@jest/globals';
import { ipOf } from '../support/cluster-bench.ts';
import { clientAndServer, lossesByFlip, redeployEcho, useHandovers } from '../support/handover-load.ts';

const { bench, clients } = useHandovers();

/** To another host, on that host, and back. */
const hosts = ['h2', 'h2', 'h1'];

test('redeploys by swap reset what was open at each flip, and every connection that is opened after one is served', async () => {
  const { pid, server } = await clientAndServer(bench(), 'h1');
  const endLoad = clients().load(pid, ipOf(server));
  const incarnations = [server];
  for (const [round, host] of hosts.entries()) {
    const labels = { 'patchpanel.handover': 'swap' };
    incarnations.push(await redeployEcho(bench(), host, round, { labels }));
  }
  const seen = await endLoad();
  // In turn, and none got a new connection any more when the next one had begun.
  expect(seen.servers.map(({ task }) => task)).toEqual(incarnations.map(({ id }) => id));
  for (const [i, { firstAt }] of seen.servers.slice(1).entries()) {
    expect(seen.servers[i]!.lastOpenedAt).toBeLessThan(firstAt);
  }
  expect(seen.opened / seen.seconds).toBeGreaterThanOrEqual(200);
  const { flips, unexplained } = lossesByFlip(seen);
  expect(unexplained).toEqual([]);
  for (const losses of flips) {
    expect(losses.filter(({ kind }) => kind === 'longBroken')).not.toEqual([]);
    // They are told: nobody waits in vain.
    for (const { why } of losses) expect(why).toMatch(/^(ECONNRESET|EPIPE|closed by the other side)$/);
  }
  // Nothing is left of the old ones.
  for (const { id } of incarnations.slice(0, -1)) expect(await bench().containers.runs(id)).toBe(false);
  await bench().until('the ports of the old ones to be gone', async () => {
    const ports = await Promise.all(['h1', 'h2'].map((host) => bench().endpointPorts(host)));
    return ports.map(({ length }) => length).join() === '1,0';
  });
});
