import { Command } from 'commander';
import type { TaskInfo } from './api-types.ts';
import { ApiClient, CliError, exitCodes, type GlobalOptions } from './client.ts';
import { pathOf } from './definition.ts';
import { print, table } from './output.ts';

/** `patchpanel task …` */
export function taskCommand(): Command {
  const task = new Command('task').description('list and kill tasks');
  task
    .command('list [app]')
    .description('list tasks with their host and address')
    .action((app: string | undefined, _options, command: Command) => list(app, command.optsWithGlobals()));
  task
    .command('kill <ids...>')
    .description('kill tasks; each comes back in its slot with its address')
    .option('--scale', 'shrink the app by as many instead', false)
    .option('--wipe', 'give tasks up whose host is unreachable: their slots are placed anew at once', false)
    .option('--force', 'with --scale: replace a deployment that is under way', false)
    .action((ids: string[], _options, command: Command) => kill(ids, command.optsWithGlobals()));
  return task;
}

async function list(app: string | undefined, options: GlobalOptions): Promise<void> {
  const path = app === undefined ? '/v2/tasks' : `/v2/apps${pathOf(app)}/tasks`;
  const { tasks } = await new ApiClient(options).get<{ tasks: TaskInfo[] }>(path);
  print(options.json, tasks, () => taskTable(tasks));
}

/** Tasks with slot, host, MAC, address and name, in the order of apps and slots. */
export function taskTable(tasks: readonly TaskInfo[]): string {
  return table(
    ['APP', 'SLOT', 'STATE', 'HOST', 'IP', 'MAC', 'NAME', 'ENDPOINT', 'TASK'],
    tasks
      .toSorted(bySlot)
      .map((task) => [
        task.appId,
        task.patchpanel.slot,
        stateText(task),
        task.host,
        task.patchpanel.ip,
        task.patchpanel.mac,
        task.patchpanel.hostname,
        task.patchpanel.endpoint,
        task.id,
      ]),
    'no tasks',
  );
}

/** Incarnations of a slot stand together, the oldest first; tasks without a slot come in the order of the answer. */
const bySlot = (a: TaskInfo, b: TaskInfo): number =>
  a.appId.localeCompare(b.appId) ||
  (a.patchpanel.slot ?? 0) - (b.patchpanel.slot ?? 0) ||
  a.patchpanel.epoch - b.patchpanel.epoch;

/** `running`, and what its health checks say of it. */
function stateText({ state, healthCheckResults = [] }: TaskInfo): string {
  const text = state.replace('TASK_', '').toLowerCase();
  if (healthCheckResults.length === 0) return text;
  return `${text}, ${healthCheckResults.every(({ alive }) => alive) ? 'healthy' : 'unhealthy'}`;
}

async function kill(
  ids: readonly string[],
  options: GlobalOptions & { scale: boolean; wipe: boolean; force: boolean },
): Promise<void> {
  const { scale, wipe, force } = options;
  const path = `/v2/tasks/delete?scale=${scale}&wipe=${wipe}&force=${force}`;
  const { data } = await new ApiClient(options).send<{ tasks?: TaskInfo[] }>('POST', path, { ids });
  if (data.tasks !== undefined && data.tasks.length < ids.length) {
    const known = new Set(data.tasks.map((task) => task.id));
    const unknown = ids.filter((id) => !known.has(id));
    throw new CliError(
      exitCodes.notFound,
      `no such task: ${unknown.join(', ')}; see \`patchpanel task list\``,
    );
  }
  print(options.json, data, () => `killing ${ids.length} task${ids.length === 1 ? '' : 's'}`);
}
