import { Command } from 'commander';
import type { AppInfo } from './api-types.ts';
import { ApiClient, type Answer, CliError, exitCodes, type GlobalOptions } from './client.ts';
import { parsePairs, pathOf, readJson, readJsonObject } from './definition.ts';
import { deploy, deploying, type DeployOptions } from './deploying.ts';
import { bold, print, table } from './output.ts';
import { taskTable } from './task.ts';

/** `patchpanel app …` */
export function appCommand(): Command {
  const app = new Command('app').description('submit, scale, redeploy and remove apps');
  deploying(app.command('add').description('create apps from a JSON file (an object or an array)'))
    .requiredOption('-f, --file <file>', 'app definition; - reads standard input')
    .action((_options, command: Command) => add(command.optsWithGlobals()));
  app
    .command('list')
    .description('list apps')
    .option('-l, --label <selector>', 'only apps with these labels, e.g. tier==web')
    .action((_options, command: Command) => list(command.optsWithGlobals()));
  app
    .command('show <id>')
    .description('show one app with its tasks and addresses')
    .action((id: string, _options, command: Command) => show(id, command.optsWithGlobals()));
  deploying(app.command('update <id>').description('change an app; what is not named stays'))
    .option('-f, --file <file>', 'fields to change; - reads standard input')
    .option('-e, --env <NAME=value...>', 'set environment variables')
    .option('-i, --image <image>', 'set the image')
    .option('--replace', 'replace the whole definition by the file', false)
    .action((id: string, _options, command: Command) => update(id, command.optsWithGlobals()));
  deploying(app.command('scale <id> <instances>').description('set the number of instances')).action(
    (id: string, instances: string, _options, command: Command) =>
      scale(id, instances, command.optsWithGlobals()),
  );
  deploying(app.command('restart <id>').description('replace every instance; addresses stay')).action(
    (id: string, _options, command: Command) =>
      deploy(command.optsWithGlobals(), 'restarting', (client, force) =>
        client.send('POST', `/v2/apps${pathOf(id)}/restart?force=${force}`),
      ),
  );
  deploying(app.command('remove <id>').description('stop an app and free its addresses')).action(
    (id: string, _options, command: Command) =>
      deploy(command.optsWithGlobals(), 'removing', (client, force) =>
        client.send('DELETE', `/v2/apps${pathOf(id)}?force=${force}`),
      ),
  );
  return app;
}

async function add(options: DeployOptions & { file: string }): Promise<void> {
  const definition = await readJson(options.file);
  await deploy(options, 'created', (client, force) =>
    Array.isArray(definition)
      ? addSeveral(client, force, definition)
      : client.send('POST', `/v2/apps?force=${force}`, definition),
  );
}

/** In one deployment, and none of them when one exists: the request would change that one without the header. */
async function addSeveral(
  client: ApiClient,
  force: boolean,
  definitions: readonly unknown[],
): Promise<Answer<unknown>> {
  try {
    return await client.send('PUT', `/v2/apps?force=${force}`, definitions, { 'If-None-Match': '*' });
  } catch (error) {
    if (!(error instanceof CliError) || error.status !== 412) throw error;
    const remedy = 'take them out of the file, or change them with `patchpanel app update <id> -f FILE`';
    throw new CliError(error.exitCode, `${error.message}\nNothing was created: ${remedy}.`, error.status);
  }
}

interface UpdateOptions extends DeployOptions {
  readonly file?: string;
  readonly env?: readonly string[];
  readonly image?: string;
  readonly replace: boolean;
}

async function update(id: string, options: UpdateOptions): Promise<void> {
  const path = `/v2/apps${pathOf(id)}`;
  const file = options.file === undefined ? {} : await readJsonObject(options.file);
  const fields = await withFlags(path, file, options);
  if (Object.keys(fields).length === 0) {
    throw new CliError(exitCodes.usage, 'nothing to change: give --file, --env or --image');
  }
  await deploy(options, 'updated', (client, force) =>
    options.replace
      ? client.send('PUT', `${path}?force=${force}&partialUpdate=false`, fields)
      : client.send('PATCH', `${path}?force=${force}`, fields),
  );
}

/**
 * The file's fields with --env and --image in them. Both go into what the file says, or, when it says nothing of
 * env or container, into what the app has; `--replace` keeps nothing of the app.
 */
async function withFlags(path: string, file: JsonObject, options: UpdateOptions): Promise<JsonObject> {
  const { env, image, replace } = options;
  if (env === undefined && image === undefined) return file;
  const base: Definition = replace
    ? file
    : { ...(await new ApiClient(options).get<{ app: AppInfo }>(path)).app, ...file };
  return {
    ...file,
    ...(env === undefined ? {} : { env: { ...base.env, ...parsePairs(env) } }),
    ...(image === undefined
      ? {}
      : { container: { ...base.container, docker: { ...base.container?.docker, image } } }),
  };
}

type JsonObject = Readonly<Record<string, unknown>>;
type Definition = Pick<Partial<AppInfo>, 'env' | 'container'>;

async function scale(id: string, text: string, options: DeployOptions): Promise<void> {
  const instances = Number(text);
  if (!/^\d+$/.test(text)) {
    throw new CliError(exitCodes.usage, `'${text}' is not a number of instances`);
  }
  await deploy(options, `scaling to ${instances}`, (client, force) =>
    client.send('PATCH', `/v2/apps${pathOf(id)}?force=${force}`, { instances }),
  );
}

async function list(options: GlobalOptions & { label?: string }): Promise<void> {
  const query = options.label === undefined ? '' : `?label=${encodeURIComponent(options.label)}`;
  const { apps } = await new ApiClient(options).get<{ apps: AppInfo[] }>(`/v2/apps${query}`);
  print(options.json, apps, () =>
    table(
      ['ID', 'RUNNING', 'CPUS', 'MEM', 'NETWORK', 'IMAGE', 'STATUS'],
      apps.map((app) => [
        app.id,
        `${app.tasksRunning}/${app.instances}`,
        app.cpus,
        app.mem,
        app.networks?.[0]?.name ?? app.networks?.[0]?.mode,
        app.container?.docker?.image,
        statusOf(app),
      ]),
      'no apps; add one with `patchpanel app add -f app.json`',
    ),
  );
}

/** What an app is doing, in a word. */
export function statusOf(app: AppInfo): string {
  if (app.deployments.length > 0) return 'deploying';
  if (app.instances === 0) return 'suspended';
  return app.tasksRunning >= app.instances ? 'running' : 'waiting';
}

async function show(id: string, options: GlobalOptions): Promise<void> {
  const { app } = await new ApiClient(options).get<{ app: AppInfo }>(`/v2/apps${pathOf(id)}`);
  print(options.json, app, () =>
    [
      `${bold(app.id)}  ${statusOf(app)}, ${app.tasksRunning} of ${app.instances} running, version ${app.version}`,
      `image ${app.container?.docker?.image}, ${app.cpus} cpus, ${app.mem} MiB`,
      ...failureLine(app),
      '',
      taskTable(app.tasks ?? []),
    ].join('\n'),
  );
}

function failureLine(app: AppInfo): string[] {
  const failure = app.lastTaskFailure;
  if (failure === undefined) return [];
  return [`last failure ${failure.timestamp} on ${failure.host}: ${failure.state} ${failure.message}`];
}
