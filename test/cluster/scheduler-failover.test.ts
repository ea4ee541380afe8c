import { afterEach, expect, test } from '@jest/globals';
import type { DeploymentInfo } from '../../src/cli/api-types.ts';
import type { SchedulerProcess } from '../../src/devcluster/scheduler-process.ts';
import { addressOf, ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 2, schedulers: 2, schedulerArgs: ['--zk-session-timeout', '2'] });

const through = (scheduler: SchedulerProcess): ClusterBench => new ClusterBench(cluster(), scheduler.apiUrl);

/** Who leads, and who does not. */
async function roles(): Promise<readonly [SchedulerProcess, SchedulerProcess]> {
  const leader = await cluster().schedulers.leader();
  const standby = cluster().schedulers.members.find((member) => member !== leader)!;
  return [leader, standby];
}

const isLeading = (scheduler: SchedulerProcess): Promise<true> =>
  through(scheduler).until('the standby to lead', async () => {
    const found = await cluster()
      .schedulers.leader()
      .catch(() => undefined);
    return found === scheduler;
  });

const settled = (bench: ClusterBench): Promise<true> =>
  bench.until('every deployment to end', async () => {
    const deployments = await bench.api.get<DeploymentInfo[]>('/v2/deployments').catch(() => undefined);
    return deployments?.length === 0;
  });

interface HostAnswer {
  readonly view: {
    readonly connected: boolean;
    /** `term.n` */
    readonly applied: string | null;
  };
}

/** The terms of the views that the hosts have put in force, once all of them follow the leader. */
const termsInForce = (bench: ClusterBench): Promise<readonly number[]> =>
  bench.until('every host to follow the leader', async () => {
    const { hosts } = await bench.api.get<{ hosts: HostAnswer[] }>('/v1/hosts');
    const applied = hosts.map(({ view }) => (view.connected ? view.applied : null));
    const terms = applied.map((version) => Number(version?.split('.')[0]));
    return terms.length === 2 && terms.every((term) => !Number.isNaN(term)) && terms;
  });

afterEach(async () => {
  for (const scheduler of cluster().schedulers.members) {
    scheduler.signal('SIGCONT');
    await scheduler.start();
  }
  await through(await cluster().schedulers.leader()).removeAll();
});

const spread = { instances: 2, constraints: [['hostname', 'UNIQUE']] };

test('a leader that dies in the middle of a redeploy: the next one finishes it, every slot keeps its address', async () => {
  const [first, second] = await roles();
  const before = await through(first).add(demoApp('/web', spread));
  await through(first).api.send('PATCH', '/v2/apps/web?force=true', { env: { ROUND: 'next' } });
  const old = new Set(before.map(({ id }) => id));
  await through(first).until('the redeploy to be under way', async () =>
    (await through(first).tasks('/web')).some(({ id }) => !old.has(id)),
  );
  const network = { vni: 41, cidr: '10.41.0.0/24' };
  await through(first).api.send('PUT', '/v1/networks/more', network);
  await first.kill();
  await isLeading(second);
  const next = through(second);
  await settled(next);
  const after = await next.running('/web', 2);
  expect(after.map(addressOf)).toEqual(before.map(addressOf));
  const { output } = await next.containers.exec(after[0]!.id, ['sh', '-c', 'echo $ROUND']);
  expect(output.trim()).toBe('next');
  expect(await next.ask(after[0]!, ipOf(after[1]))).toMatchObject({ task: after[1]!.id });
  expect(await next.api.get('/v1/networks/more')).toMatchObject(network);
  await next.until('old containers to be gone', async () => (await next.containerCount()).app === 2);
});

test('hosts follow the new leader and stay with it when the old one wakes up', async () => {
  const [old, standby] = await roles();
  const tasks = await through(old).add(
    demoApp('/web', { ...spread, constraints: [['hostname', 'MAX_PER', '2']] }),
  );
  const [term] = await termsInForce(through(old));
  old.signal('SIGSTOP');
  await isLeading(standby);
  const bench = through(standby);
  const following = await termsInForce(bench);
  expect(following.every((each) => each > term!)).toBe(true);
  old.signal('SIGCONT');
  await bench.deploy('PATCH', '/v2/apps/web', { instances: 3 });
  const now = await bench.running('/web', 3);
  expect(now.map(({ id }) => id)).toEqual(expect.arrayContaining(tasks.map(({ id }) => id)));
  expect(await termsInForce(bench)).toEqual(following);
  await bench.until('the old one to name the new one', async () => {
    const said = await through(old)
      .api.get<{ leader: string }>('/v2/leader')
      .catch(() => undefined);
    return said?.leader === standby.advertised;
  });
});
