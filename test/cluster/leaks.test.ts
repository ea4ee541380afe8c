import { expect, test } from '@jest/globals';
import { ClusterBench, demoApp, addressOf } from '../support/cluster-bench.ts';
import { flowDifference } from '../faults/observe.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 2 });
/** A soak asks for more: PATCHPANEL_TEST_KILLS=1000. */
const kills = Number(process.env['PATCHPANEL_TEST_KILLS'] ?? 100);
const seedOfRun = 20_261_123;

/** Docker's 404 and 409: the container has ended or is being removed. */
const endedMeanwhile = (error: unknown): boolean =>
  error !== null &&
  typeof error === 'object' &&
  'statusCode' in error &&
  [404, 409].includes(Number(error.statusCode));

test(
  `after ${kills} random kills (seed ${seedOfRun}) everything runs on its own addresses, and nothing is left behind`,
  async () => {
    const bench = new ClusterBench(cluster());
    const before = [
      ...(await bench.add(demoApp('/one', { instances: 3, backoffSeconds: 0 }))),
      ...(await bench.add(demoApp('/two', { instances: 3, backoffSeconds: 0 }))),
    ];
    let seed = seedOfRun;
    const next = (bound: number) => (seed = (seed * 48_271) % 2_147_483_647) % bound;
    const agents = new Set(cluster().members.map(({ agentId }) => String(agentId)));
    const hosts = cluster().members.map(({ host }) => host.plan.name);
    for (let kill = 0; kill < kills; kill += 1) {
      const what = next(20);
      const host = hosts[next(hosts.length)]!;
      if (what === 0) await cluster().killExecutor(host);
      else if (what === 1) await cluster().restartSwitch(host);
      else {
        const role = what % 2 === 0 ? 'app' : 'sandbox';
        const found = await bench.until('a container to kill', async () => {
          const { client } = cluster().substrate.engine;
          const list = await client.listContainers({ filters: { label: [`patchpanel.role=${role}`] } });
          const ours = list.filter(({ Labels }) => agents.has(Labels['patchpanel.agent'] ?? ''));
          return ours[next(Math.max(1, ours.length))];
        });
        try {
          await cluster().substrate.engine.client.getContainer(found.Id).kill({ signal: 'SIGKILL' });
        } catch (error) {
          if (!endedMeanwhile(error)) throw error;
        }
      }
    }
    const after = [...(await bench.running('/one', 3)), ...(await bench.running('/two', 3))];
    expect(after.map(addressOf)).toEqual(before.map(addressOf));
    await bench.until('one app and one sandbox for each task', async () => {
      const count = await bench.containerCount();
      return count.app === 6 && count.sandbox === 6;
    });
    await flowsAreThoseOfTheView(bench);
    await bench.removeAll();
    await bench.until('ports, veths and containers to be gone', async () => {
      const count = await bench.containerCount();
      const ports = await Promise.all(hosts.map((host) => bench.ports(host)));
      const veths = await Promise.all(hosts.map((host) => bench.veths(host)));
      return (
        count.app + count.sandbox === 0 &&
        ports.every((p) => p.length === 1) &&
        veths.every((v) => v.length === 0)
      );
    });
    await flowsAreThoseOfTheView(bench);
  },
  300_000 + kills * 2_000,
);

/** Waits until every switch holds exactly the flows that its host's view compiles to. */
const flowsAreThoseOfTheView = (bench: ClusterBench): Promise<true> =>
  bench.until('each switch to hold exactly the flows of its view', async () => {
    const differences = await Promise.all(cluster().members.map(flowDifference));
    return differences.every((difference) => difference === '') || undefined;
  });
