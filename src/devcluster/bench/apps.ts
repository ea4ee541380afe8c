import type { AppInfo, DeploymentInfo, TaskInfo } from '../../cli/api-types.ts';
import { ApiClient } from '../../cli/client.ts';
import { messageOf, PatchpanelError } from '../../runtime/errors.ts';
import { sleep } from '../../runtime/deadline.ts';
import { busyboxImage } from '../images.ts';

const deadlineMs = 300_000;
const pollMs = 20;

/** An app that sleeps, on the default network. */
export const sleeper = (id: string, instances: number): Record<string, unknown> => ({
  id,
  instances,
  cpus: 0.05,
  mem: 16,
  cmd: 'exec sleep 100000',
  container: { docker: { image: busyboxImage } },
  networks: [{ mode: 'container' }],
});

/** The scheduler as the benchmarks use it. */
export class BenchApps {
  readonly api: ApiClient;

  constructor(url: string) {
    this.api = new ApiClient({ url });
  }

  /**
   * Milliseconds from the request until the deployment that it begins has ended: each task that it wants runs, and
   * the scheduler has stored that.
   * @throws PatchpanelError `deadline` after five minutes, with the tasks that are there then
   */
  async deploy(method: 'PUT' | 'DELETE', path: string, body?: unknown): Promise<number> {
    const started = performance.now();
    const { deploymentId } = await this.api.send(method, path, body);
    while (performance.now() - started < deadlineMs) {
      const deployments = await this.api.get<DeploymentInfo[]>('/v2/deployments');
      if (deployments.every(({ id }) => id !== deploymentId)) return performance.now() - started;
      await sleep(pollMs);
    }
    const { tasks } = await this.api.get<{ tasks: TaskInfo[] }>('/v2/tasks');
    const left = tasks.map(({ id, host, state }) => `${id} on ${host} is ${state}`).join(', ');
    throw new PatchpanelError(
      'deadline',
      `${method} ${path} was not deployed within ${deadlineMs / 1000} s; tasks: ${left || 'none'}`,
    );
  }

  /** The only task of an app. @throws PatchpanelError `not-found` */
  async taskOf(id: string): Promise<TaskInfo> {
    const { app } = await this.api.get<{ app: AppInfo }>(`/v2/apps${id}`);
    const [task] = app.tasks ?? [];
    if (task === undefined) throw new PatchpanelError('not-found', `${id} has no task`);
    return task;
  }

  /** Creates or scales one app of sleepers. */
  scale(id: string, instances: number): Promise<number> {
    return this.deploy('PUT', `/v2/apps${id}`, sleeper(id, instances));
  }

  /**
   * Removes those of the apps that are there, with whatever is under way, and waits until their tasks are gone. It ends
   * a measurement, and says what went wrong instead of throwing: the error of the measurement is the one to be seen.
   */
  async remove(...ids: readonly string[]): Promise<void> {
    try {
      const { apps } = await this.api.get<{ apps: AppInfo[] }>('/v2/apps');
      for (const { id } of apps) {
        if (ids.includes(id)) await this.deploy('DELETE', `/v2/apps${id}?force=true`);
      }
    } catch (error) {
      process.stderr.write(`bench: ${messageOf(error)}\n`);
    }
  }
}
