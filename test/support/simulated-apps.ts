import { join } from 'node:path';
import type { DevMesos } from '../../src/devcluster/mesos/dev-mesos.ts';
import { sleep } from '../../src/runtime/deadline.ts';
import type { SchedulerProcess } from './scheduler-process.ts';

interface ApiTask {
  readonly id: string;
  readonly state: string;
}

/** Asks until it holds: the API tells no other way. @throws when it does not come true within half a minute */
export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: did not come true`);
    await sleep(50);
  }
}

/** Apps on agents whose tasks are only states, and whether the scheduler's books and Mesos agree about them. */
export class SimulatedApps {
  readonly #mesos: DevMesos;

  constructor(mesos: DevMesos) {
    this.#mesos = mesos;
  }

  async addAgents(directory: string): Promise<void> {
    const resources = { cpus: 8, mem: 8_192, disk: 10_000 };
    for (const hostname of ['h1', 'h2', 'h3']) {
      const workDir = join(directory, hostname);
      await this.#mesos.addAgent({ hostname, resources, workDir, executor: 'simulated' });
    }
  }

  app(id: string, instances: number): object {
    return {
      id,
      instances,
      cpus: 0.2,
      mem: 32,
      cmd: 'sleep 1000',
      container: { type: 'DOCKER', docker: { image: 'busybox' } },
      networks: [{ mode: 'container', name: 'default' }],
      // No executor is there to tell that nobody is connected any more.
      labels: { 'patchpanel.drainSeconds': '1' },
    };
  }

  /** Every task that the agents run, in the order of their ids. */
  running(): string[] {
    const { agents } = this.#mesos.state();
    return agents
      .flatMap(({ executors }) => executors.flatMap(({ tasks }) => tasks.map(({ taskId }) => taskId)))
      .sort();
  }

  /** Resolves when the app has exactly so many tasks, running, none more in Mesos, and no deployment is left. */
  settled(of: SchedulerProcess, app: string, count: number): Promise<void> {
    return eventually(`${count} running tasks of ${app}`, async () => {
      const tasks = await tasksOf(of, `/v2/apps/${app}/tasks`);
      const name = app.slice(1).replaceAll('/', '_');
      const inMesos = this.running().filter((id) => id.startsWith(`${name}.`) || id.startsWith(`${name}_`));
      const deployments = await of.api.get<unknown[]>('/v2/deployments');
      return tasks.length === count && same(tasks, inMesos) && deployments.data.length === 0;
    });
  }

  /** Resolves when every task of the books runs in Mesos, and the other way round. */
  allSettled(of: SchedulerProcess): Promise<void> {
    return eventually('the books agree with Mesos', async () => {
      const deployments = await of.api.get<unknown[]>('/v2/deployments');
      return deployments.data.length === 0 && same(await tasksOf(of, '/v2/tasks'), this.running());
    });
  }
}

async function tasksOf(of: SchedulerProcess, path: string): Promise<readonly ApiTask[]> {
  const answer = await of.api.get<{ tasks: ApiTask[] }>(path);
  return answer.status === 200 ? answer.data.tasks : [];
}

function same(tasks: readonly ApiTask[], inMesos: readonly string[]): boolean {
  const running = tasks.filter(({ state }) => state === 'TASK_RUNNING').map(({ id }) => id);
  return running.length === tasks.length && JSON.stringify(running.sort()) === JSON.stringify(inMesos);
}
