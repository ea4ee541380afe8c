import { Command } from 'commander';
import type { AppInfo, DeploymentInfo, GroupInfo } from './api-types.ts';
import { statusOf } from './app.ts';
import { ApiClient, CliError, exitCodes, type GlobalOptions } from './client.ts';
import { groupPathOf, readJsonObject } from './definition.ts';
import { deploy, deploying, type DeployOptions } from './deploying.ts';
import { bold, print, table } from './output.ts';

interface FileOptions extends DeployOptions {
  readonly file: string;
  readonly dryRun: boolean;
}

/** `patchpanel group …` */
export function groupCommand(): Command {
  const group = new Command('group').description('submit, scale, bring back and remove groups of apps');
  group
    .command('list')
    .description('list groups')
    .action((_options, command: Command) => list(command.optsWithGlobals()));
  group
    .command('show <id>')
    .description('show a group and the apps below it; / shows everything')
    .action((id: string, _options, command: Command) => show(id, command.optsWithGlobals()));
  deploying(group.command('add').description('create a group from a JSON file'))
    .requiredOption('-f, --file <file>', 'definition of the group; - reads standard input')
    .action((_options, command: Command) => add(command.optsWithGlobals()));
  deploying(
    group
      .command('update <id>')
      .description('change a group: of the lists in the file, apps and groups that are not in them go'),
  )
    .requiredOption('-f, --file <file>', 'what to change; - reads standard input')
    .option('--dry-run', 'only show the steps', false)
    .action((id: string, _options, command: Command) => update(id, command.optsWithGlobals()));
  deploying(
    group.command('scale <id> <factor>').description('multiply the instances of all apps below, rounded up'),
  ).action((id: string, factor: string, _options, command: Command) =>
    scale(id, factor, command.optsWithGlobals()),
  );
  group
    .command('versions <id>')
    .description('list the versions that can be brought back, newest first')
    .action((id: string, _options, command: Command) => versions(id, command.optsWithGlobals()));
  deploying(
    group.command('rollback <id> <version>').description('make everything below what it was then'),
  ).action((id: string, version: string, _options, command: Command) =>
    deploy(command.optsWithGlobals(), 'bringing back', (client, force) =>
      client.send('PUT', `/v2/groups${groupPathOf(id)}?force=${force}`, { version }),
    ),
  );
  deploying(group.command('remove <id>').description('stop all apps below, and remove the group')).action(
    (id: string, _options, command: Command) =>
      deploy(command.optsWithGlobals(), 'removing', (client, force) =>
        client.send('DELETE', `/v2/groups${groupPathOf(id)}?force=${force}`),
      ),
  );
  return group;
}

const embed = 'embed=group.groups&embed=group.apps&embed=group.apps.counts';

const fetchGroup = (options: GlobalOptions, id: string) =>
  new ApiClient(options).get<GroupInfo>(`/v2/groups${groupPathOf(id)}?${embed}`);

async function list(options: GlobalOptions): Promise<void> {
  const root = await fetchGroup(options, '/');
  const groups = root.groups.flatMap(withInner);
  print(options.json, groups, () =>
    table(
      ['ID', 'APPS', 'RUNNING', 'DEPENDS ON', 'STATUS'],
      groups.map((group) => {
        const apps = appsBelow(group);
        return [
          group.id,
          apps.length,
          runningOf(apps),
          group.dependencies.join(' ') || undefined,
          summary(apps),
        ];
      }),
      'no groups; add one with `patchpanel group add -f group.json`',
    ),
  );
}

async function show(id: string, options: GlobalOptions): Promise<void> {
  const group = await fetchGroup(options, id);
  const apps = appsBelow(group);
  print(options.json, group, () =>
    [
      `${bold(group.id)}  ${apps.length} apps, ${runningOf(apps)} running, version ${group.version}`,
      ...(group.dependencies.length === 0 ? [] : [`after ${group.dependencies.join(', ')}`]),
      '',
      table(
        ['ID', 'RUNNING', 'IMAGE', 'DEPENDS ON', 'STATUS'],
        apps.map((app) => [
          app.id,
          runningOf([app]),
          app.container?.docker?.image,
          app.dependencies?.join(' '),
          statusOf(app),
        ]),
        'no apps',
      ),
    ].join('\n'),
  );
}

async function add(options: FileOptions): Promise<void> {
  const definition = await readJsonObject(options.file);
  await deploy(options, 'created', (client, force) =>
    client.send('POST', `/v2/groups?force=${force}`, definition),
  );
}

async function update(id: string, options: FileOptions): Promise<void> {
  const definition = await readJsonObject(options.file);
  const path = `/v2/groups${groupPathOf(id)}`;
  if (!options.dryRun) {
    return deploy(options, 'updated', (client, force) =>
      client.send('PUT', `${path}?force=${force}`, definition),
    );
  }
  const client = new ApiClient(options);
  const { data } = await client.send<Pick<DeploymentInfo, 'steps'>>(
    'PUT',
    `${path}?dryRun=true&force=${options.force}`,
    definition,
  );
  print(options.json, data, () =>
    table(
      ['STEP', 'ACTION', 'APP'],
      data.steps.flatMap((step, index) => step.actions.map(({ action, app }) => [index + 1, action, app])),
      'nothing would be done',
    ),
  );
}

async function scale(id: string, text: string, options: DeployOptions): Promise<void> {
  if (!/^\d+(\.\d+)?$/.test(text)) {
    throw new CliError(exitCodes.usage, `'${text}' is not a factor, for example 2 or 0.5`);
  }
  await deploy(options, `scaling by ${text}`, (client, force) =>
    client.send('PUT', `/v2/groups${groupPathOf(id)}?force=${force}`, { scaleBy: Number(text) }),
  );
}

async function versions(id: string, options: GlobalOptions): Promise<void> {
  const found = await new ApiClient(options).get<string[]>(`/v2/groups${groupPathOf(id)}/versions`);
  print(options.json, found, () => found.join('\n'));
}

const withInner = (group: GroupInfo): GroupInfo[] => [group, ...group.groups.flatMap(withInner)];

const appsBelow = (group: GroupInfo): AppInfo[] => withInner(group).flatMap(({ apps }) => apps);

function runningOf(apps: readonly AppInfo[]): string {
  const sum = (of: (app: AppInfo) => number) => apps.reduce((total, app) => total + of(app), 0);
  return `${sum(({ tasksRunning }) => tasksRunning)}/${sum(({ instances }) => instances)}`;
}

/** What most needs attention among the apps of a group. */
function summary(apps: readonly AppInfo[]): string {
  const found = new Set(apps.map(statusOf));
  return ['deploying', 'waiting', 'running', 'suspended'].find((status) => found.has(status)) ?? 'empty';
}
