import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { ApiClient } from '../../cli/client.ts';
import type { AppInfo, TaskInfo } from '../../cli/api-types.ts';
import { taskTable } from '../../cli/task.ts';
import { waitForDeployment } from '../../cli/wait.ts';
import { sleep } from '../../runtime/deadline.ts';
import { PatchpanelError } from '../../runtime/errors.ts';
import type { DevCluster } from '../cluster.ts';
import { Containers } from '../containers.ts';
import { projectRoot } from '../project.ts';
import type { Report } from './report.ts';

const deploymentSeconds = 120;
const replacementMs = 60_000;

const answerSchema = z.object({ hostname: z.string(), ip: z.string(), task: z.string() });

/** The main job, step by step; every line that it prints comes from the running system. */
export class Demo {
  readonly #cluster: DevCluster;
  readonly #report: Report;
  readonly #api: ApiClient;
  readonly #containers: Containers;

  constructor(cluster: DevCluster, report: Report) {
    this.#cluster = cluster;
    this.#report = report;
    this.#api = new ApiClient({ url: cluster.scheduler?.apiUrl ?? '' });
    this.#containers = new Containers(cluster.substrate.engine.client);
  }

  /** @throws PatchpanelError when something that must be seen is not seen */
  async run(): Promise<void> {
    const tasks = await this.#submit();
    await this.#reachEachOther(tasks);
    await this.#scale(tasks);
    await this.#redeploy(tasks);
    await this.#cutOff();
    await this.#remove();
  }

  async #submit(): Promise<readonly TaskInfo[]> {
    return this.#report.step('submit an app with three instances', async () => {
      const file = path.join(projectRoot(), 'deploy/examples/web.json');
      await this.#deploy('POST', '/v2/apps', JSON.parse(await readFile(file, 'utf8')));
      const tasks = await this.#running(3);
      const hosts = new Set(tasks.map((task) => task.host));
      must(hosts.size === 3, `three instances run on ${hosts.size} hosts, not on three`);
      return { saw: `${taskTable(tasks)}\n3 running on ${hosts.size} hosts`, result: tasks };
    });
  }

  async #reachEachOther(tasks: readonly TaskInfo[]): Promise<void> {
    await this.#report.step('reach each from each over TCP', async () => {
      const lines: string[] = [];
      for (const from of tasks) {
        for (const to of tasks) {
          const answer = await this.#ask(from, ipOf(to));
          must(
            answer?.task === to.id,
            `slot ${from.patchpanel.slot} did not reach slot ${to.patchpanel.slot}`,
          );
          lines.push(
            `${from.host} ${ipOf(from)} → ${ipOf(to)} answered by ${answer?.hostname} on ${to.host}`,
          );
        }
      }
      return {
        saw: `${lines.join('\n')}\n${lines.length} of ${lines.length} connections`,
        result: undefined,
      };
    });
  }

  async #scale(before: readonly TaskInfo[]): Promise<void> {
    await this.#report.step('scale to five, and back to three', async () => {
      await this.#deploy('PATCH', '/v2/apps/web', { instances: 5 });
      const five = await this.#running(5);
      await this.#deploy('PATCH', '/v2/apps/web', { instances: 3 });
      const three = await this.#running(3);
      const untouched = three.every((task) => before.some((old) => old.id === task.id));
      must(untouched, 'scaling has replaced tasks that it should have left alone');
      return { saw: `${taskTable(five)}\nthe first three were left alone`, result: undefined };
    });
  }

  async #redeploy(before: readonly TaskInfo[]): Promise<void> {
    await this.#report.step('redeploy with a changed environment', async () => {
      await this.#deploy('PATCH', '/v2/apps/web', { env: { GREETING: 'good evening' } });
      const after = await this.#running(3);
      for (const task of after) {
        const old = before.find((candidate) => candidate.patchpanel.slot === task.patchpanel.slot);
        must(old !== undefined && old.id !== task.id, `slot ${task.patchpanel.slot} was not redeployed`);
        must(
          old !== undefined && sameAddress(old, task),
          `slot ${task.patchpanel.slot} has another address than before`,
        );
        const { output } = await this.#containers.exec(task.id, ['sh', '-c', 'echo "$GREETING"']);
        must(
          output.trim() === 'good evening',
          `slot ${task.patchpanel.slot} has not got the new environment`,
        );
      }
      const [first] = after;
      const answered = await this.#ask(first, ipOf(first));
      must(answered !== undefined && answered.task === first?.id, 'the new incarnation does not answer');
      return { saw: `${taskTable(after)}\nevery slot kept its MAC and IP`, result: undefined };
    });
  }

  async #cutOff(): Promise<void> {
    const [witness, lost] = await this.#report.step('cut a host off', async () => {
      const tasks = await this.#running(3);
      const cut = tasks.find((task) => tasks.filter((other) => other.host === task.host).length === 1);
      const other = tasks.find((task) => task.host !== cut?.host);
      if (cut === undefined || other === undefined) throw failed('no slot has a host to itself');
      await this.#cluster.cut(cut.host, 'management');
      return {
        saw: `${cut.host} with slot ${cut.patchpanel.slot} (${ipOf(cut)}) is cut off`,
        result: [other, cut],
      };
    });
    const moved = await this.#report.step('its slot comes up elsewhere', async () => {
      const task = await this.#replacementOf(lost);
      must(sameAddress(lost, task), 'the slot has another address than before');
      return { saw: `${taskTable([task])}\nsame MAC and IP on ${task.host}`, result: task };
    });
    await this.#report.step('the cut-off copy is fenced', async () => {
      const answer = await this.#ask(witness, ipOf(moved));
      must(answer?.task === moved.id, 'the address is not answered by the new incarnation');
      const before = await this.#containers.exec(lost.id, ['hostname']);
      must(before.exitCode === 0, 'the cut-off copy does not run any more, so nothing was shown');
      const heard = await this.#containers.get(lost.id, ipOf(witness), 3);
      must(heard === undefined, 'the cut-off copy still reaches others with the address');
      const saw = `${ipOf(moved)} is answered by ${moved.host}; the copy on ${lost.host} runs and reaches nobody`;
      return { saw, result: undefined };
    });
    await this.#report.step('the host comes back', async () => {
      await this.#cluster.heal(lost.host);
      await this.#until(`the old copy on ${lost.host} to be killed`, async () => {
        const tasks = await this.#tasks();
        const listed = tasks.some((task) => task.id === lost.id);
        return listed || (await this.#containers.runs(lost.id)) ? undefined : tasks;
      });
      return { saw: `the old copy on ${lost.host} was killed`, result: undefined };
    });
  }

  async #remove(): Promise<void> {
    await this.#report.step('remove the app', async () => {
      await this.#deploy('DELETE', '/v2/apps/web');
      const { tasks } = await this.#api.get<{ tasks: TaskInfo[] }>('/v2/tasks');
      must(tasks.length === 0, `${tasks.length} tasks are left`);
      return { saw: 'no task is left', result: undefined };
    });
  }

  async #deploy(method: 'POST' | 'PATCH' | 'DELETE', url: string, body?: unknown): Promise<void> {
    const { deploymentId } = await this.#api.send(method, url, body);
    if (deploymentId === undefined) throw failed(`${method} ${url} began no deployment`);
    await waitForDeployment(this.#api, deploymentId, deploymentSeconds);
  }

  async #tasks(): Promise<readonly TaskInfo[]> {
    const { app } = await this.#api.get<{ app: AppInfo }>('/v2/apps/web');
    return app.tasks ?? [];
  }

  async #running(count: number): Promise<readonly TaskInfo[]> {
    const tasks = await this.#tasks();
    const running = tasks.filter((task) => task.state === 'TASK_RUNNING');
    must(tasks.length === count && running.length === count, `${running.length} of ${count} tasks run`);
    return tasks;
  }

  async #replacementOf(lost: TaskInfo): Promise<TaskInfo> {
    return this.#until(`slot ${lost.patchpanel.slot} to run elsewhere`, async () => {
      const tasks = await this.#tasks();
      return tasks.find(
        (task) =>
          task.patchpanel.slot === lost.patchpanel.slot &&
          task.host !== lost.host &&
          task.state === 'TASK_RUNNING',
      );
    });
  }

  /** Asks the system again and again until it shows what is waited for. */
  async #until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + replacementMs;
    while (performance.now() < deadline) {
      const seen = await look();
      if (seen !== undefined) return seen;
      await sleep(100);
    }
    throw failed(`waited ${replacementMs / 1000} s in vain for ${what}`);
  }

  async #ask(from: TaskInfo | undefined, ip: string) {
    if (from === undefined) return undefined;
    const text = await this.#containers.get(from.id, ip);
    return text === undefined ? undefined : answerSchema.parse(JSON.parse(text));
  }
}

const failed = (message: string): PatchpanelError => new PatchpanelError('external', message);

function must(condition: boolean, otherwise: string): void {
  if (!condition) throw failed(otherwise);
}

function ipOf(task: TaskInfo | undefined): string {
  const ip = task?.patchpanel.ip;
  if (ip === undefined) throw failed(`task ${task?.id} has no address`);
  return ip;
}

const sameAddress = (a: TaskInfo, b: TaskInfo): boolean =>
  a.patchpanel.ip !== undefined &&
  a.patchpanel.ip === b.patchpanel.ip &&
  a.patchpanel.mac === b.patchpanel.mac;
