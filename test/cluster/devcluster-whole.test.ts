import axios from 'axios';
import { expect, test } from '@jest/globals';
import { run } from '../../src/runtime/process.ts';
import { demoImage } from '../../src/devcluster/images.ts';
import { eventually } from '../support/fabric-bench.ts';
import { useCluster } from '../support/cluster.ts';

const cluster = useCluster({ hosts: 3 });

interface Task {
  readonly id: string;
  readonly state: string;
  readonly host: string;
  readonly ipAddresses: readonly { readonly ipAddress: string }[];
}

async function tasksOf(app: string): Promise<readonly Task[]> {
  const url = `${cluster().scheduler?.apiUrl}/v2/apps/${app}/tasks`;
  const { data } = await axios.get<{ tasks: Task[] }>(url, { proxy: false });
  return data.tasks;
}

/** Waits, by what the master hears, until this many tasks run and gives the scheduler's account of them. */
async function runningTasks(app: string, count: number): Promise<readonly Task[]> {
  await cluster().mesos.waitFor(
    `${count} running tasks`,
    ({ frameworks }) =>
      frameworks.flatMap(({ tasks }) => tasks).filter(({ state }) => state === 'TASK_RUNNING').length ===
      count,
    60_000,
  );
  return tasksOf(app);
}

async function answerFrom(task: Task, ip: string): Promise<{ readonly ip: string }> {
  const { client, dockerHost } = cluster().substrate.engine;
  const label = [`patchpanel.task=${task.id}`, 'patchpanel.role=app'];
  const [container] = await client.listContainers({ filters: { label } });
  const fetch = ['exec', container?.Id ?? '', 'wget', '-q', '-T', '5', '-O', '-', `http://${ip}/`];
  return JSON.parse(await run('docker', fetch, { env: { DOCKER_HOST: dockerHost } })) as { ip: string };
}

test('three instances on three hosts reach each other by their addresses', async () => {
  const api = cluster().scheduler?.apiUrl;
  const app = {
    id: '/web',
    instances: 3,
    cpus: 0.1,
    mem: 32,
    constraints: [['hostname', 'UNIQUE']],
    container: { type: 'DOCKER', docker: { image: demoImage }, portMappings: [{ containerPort: 80 }] },
    networks: [{ mode: 'container' }],
  };
  await axios.post(`${api}/v2/apps`, app, { proxy: false });
  const tasks = await runningTasks('web', 3);
  expect(new Set(tasks.map((task) => task.host)).size).toBe(3);
  for (const from of tasks) {
    for (const to of tasks) {
      const ip = to.ipAddresses[0]?.ipAddress ?? '';
      // A task runs a moment before its server listens.
      await eventually(async () => expect(await answerFrom(from, ip)).toMatchObject({ ip }));
    }
  }
});
