import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TaskInfo } from '../../src/cli/api-types.ts';
import { ApiClient } from '../../src/cli/client.ts';
import { run, tryRun } from '../../src/runtime/process.ts';
import type { Check } from '../../executor/core/host-check.ts';
import { ClusterBench, demoApp, ipOf } from '../support/cluster-bench.ts';
import { useCluster } from '../support/cluster.ts';
import { ZooKeeperBench } from '../support/zookeeper.ts';

const cluster = useCluster({ hosts: 3 });
let parent: ClusterBench;
/** Where the child keeps its state, since it moves. */
let zooKeeper: ZooKeeperBench;
let image: string;

beforeAll(async () => {
  const env = { DOCKER_HOST: cluster().substrate.engine.dockerHost };
  await run(process.execPath, ['deploy/build.mjs', '--only', 'image'], { timeoutMs: 120_000 });
  const imported = await run(process.execPath, ['deploy/image/import.mjs'], { env, timeoutMs: 120_000 });
  image = imported.split(' ')[0]!;
  zooKeeper = await ZooKeeperBench.start();
});

beforeEach(() => {
  parent = new ClusterBench(cluster());
});

afterEach(() => parent.removeAll());

afterAll(() => zooKeeper.stop());

const hostname = (index: number): string => cluster().members[index]!.status().hostname;
const onHost = (index: number) => [['hostname', 'LIKE', hostname(index)]];

/** The parts of deploy/marathon.json that are changed here. */
interface ExampleApp {
  readonly args: readonly string[];
  readonly container: Readonly<Record<string, unknown>>;
  readonly healthChecks: readonly [Readonly<Record<string, unknown>>];
}

/**
 * deploy/marathon.json for this cluster: its master, its ZooKeeper, a host. A task on a host's network is on this
 * machine's network here, and the hosts reach that by the cluster's gateway.
 */
async function childApp(host: number): Promise<Record<string, unknown>> {
  const app = JSON.parse(await readFile('deploy/marathon.json', 'utf8')) as ExampleApp;
  return {
    ...app,
    mem: 512,
    args: [
      ...app.args.filter((arg) => !/^--(master|zk|principal)=/.test(arg)),
      `--master=${cluster().mesos.urls.join(',')}`,
      `--zk=zk://${zooKeeper.server.address}/child`,
      '--zk-session-timeout=2',
      '--min-revive-interval=0.5',
    ],
    env: { PATCHPANEL_HOSTNAME: cluster().substrate.plan.managementGateway },
    container: { ...app.container, docker: { image } },
    constraints: onHost(host),
    healthChecks: [{ ...app.healthChecks[0], intervalSeconds: 1 }],
  };
}

/** The child as its parent knows it, once it is healthy, and not the one of before. */
const childTask = (before?: TaskInfo): Promise<TaskInfo> =>
  parent.until('a healthy child', async () => {
    const tasks = await parent.tasks('/patchpanel');
    const [task] = tasks;
    const isNew = tasks.length === 1 && task?.state === 'TASK_RUNNING' && task.id !== before?.id;
    return isNew && (task.healthCheckResults ?? []).some(({ alive }) => alive) && task;
  });

/** As people get to it: below its path. */
const apiOf = (task: TaskInfo): ApiClient =>
  new ApiClient({
    url: `http://${cluster().substrate.plan.managementGateway}:${task.ports[0]}/service/patchpanel`,
  });

const tasksOf = async (api: ApiClient): Promise<readonly TaskInfo[]> =>
  (await api.get<{ app: { tasks: TaskInfo[] } }>('/v2/apps/web')).app.tasks;

const runningOf = (api: ApiClient, count: number): Promise<readonly TaskInfo[]> =>
  parent.until(`${count} tasks of the child`, async () => {
    // After a crash it stands by until ZooKeeper has given up its predecessor.
    const tasks = await tasksOf(api).catch(() => []);
    return tasks.length === count && tasks.every(({ state }) => state === 'TASK_RUNNING') && tasks;
  });

const frameworkId = async (api: ApiClient): Promise<string> =>
  (await api.get<{ frameworkId: string }>('/v2/info')).frameworkId;

const startedAt = async (tasks: readonly TaskInfo[]): Promise<readonly string[]> =>
  Promise.all(
    tasks.map(async ({ id }) => {
      const container = cluster().substrate.engine.client.getContainer(`patchpanel-app-${id}`);
      return (await container.inspect()).State.StartedAt;
    }),
  );

test('Patchpanel as an app of Patchpanel: killed, then moved to another host, its tasks go on untouched', async () => {
  await parent.deploy('POST', '/v2/apps', await childApp(0));
  const first = await childTask();
  const before = apiOf(first);
  // It answers pings before it leads.
  await parent.until('the child to lead', () =>
    before.get('/v2/info').then(
      () => true,
      () => false,
    ),
  );
  await before.send('POST', '/v2/apps', demoApp('/web', { instances: 2, constraints: onHost(2) }));
  const tasks = await runningOf(before, 2);
  const ids = tasks.map(({ id }) => id).sort();
  const started = await startedAt(tasks);
  const framework = await frameworkId(before);

  // It dies without a word; its parent starts it again, on another port.
  const container = cluster().substrate.engine.client.getContainer(`patchpanel-app-${first.id}`);
  await container.kill({ signal: 'SIGKILL' });
  const second = await childTask(first);
  const killed = apiOf(second);
  expect(second.ports).not.toEqual(first.ports);
  expect((await runningOf(killed, 2)).map(({ id }) => id).sort()).toEqual(ids);

  // It is moved in good order.
  await parent.deploy('PUT', '/v2/apps/patchpanel', await childApp(1));
  const third = await childTask(second);
  expect([second.host, third.host]).toEqual([hostname(0), hostname(1)]);
  const moved = apiOf(third);
  const after = await runningOf(moved, 2);
  expect(after.map(({ id }) => id).sort()).toEqual(ids);
  expect(await startedAt(tasks)).toEqual(started);
  expect(await frameworkId(moved)).toBe(framework);

  // And works: executors have found it at its new place, so a third instance gets its place on the switch.
  await moved.send('PATCH', '/v2/apps/web', { instances: 3 });
  const three = await runningOf(moved, 3);
  const added = three.find(({ id }) => !ids.includes(id))!;
  expect(await parent.ask(tasks[0]!, ipOf(added))).toMatchObject({ task: added.id });
  const frameworks = cluster()
    .mesos.state()
    .frameworks.map(({ frameworkId: id }) => id);
  expect(frameworks).toHaveLength(2);
  expect(frameworks).toContain(framework);

  await moved.send('DELETE', '/v2/apps/web');
  await parent.until('the app of the child to be gone', async () => {
    const deployments = await moved.get<unknown[]>('/v2/deployments');
    return deployments.length === 0;
  });
});

test('a host of the cluster has what an executor needs, and the doctor names what another lacks', async () => {
  const [member] = cluster().members;
  const { netns, underlayIp } = member!.status();
  const doctor = (env: Record<string, string>) =>
    tryRun(process.execPath, ['dist/patchpanel.js', '--json', 'doctor'], {
      netns,
      timeoutMs: 30_000,
      env: {
        OVS_RUNDIR: member!.host.ovsRunDir,
        DOCKER_HOST: cluster().substrate.engine.dockerHost,
        PATCHPANEL_STATE_DIR: member!.host.executorStateDir,
        PATCHPANEL_UNDERLAY_IP: underlayIp,
        PATCHPANEL_DATAPATH: 'netdev',
        ...env,
      },
    });
  const healthy = await doctor({});
  expect([healthy.exitCode, healthy.stderr]).toEqual([0, '']);
  const checks = JSON.parse(healthy.stdout) as Check[];
  expect(checks.find(({ what }) => what === 'underlay')?.found).toContain(`${underlayIp} on `);
  const sick = await doctor({ OVS_RUNDIR: '/nowhere', DOCKER_HOST: 'unix:///nowhere/docker.sock' });
  expect([sick.exitCode, sick.stderr]).toEqual([
    1,
    'patchpanel: no task will run on this machine: Docker Engine, Open vSwitch, datapath',
  ]);
});
