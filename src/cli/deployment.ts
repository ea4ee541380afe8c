import { Command } from 'commander';
import type { DeploymentInfo } from './api-types.ts';
import { ApiClient, CliError, exitCodes, type GlobalOptions } from './client.ts';
import { print, table } from './output.ts';
import { seconds, waitForDeployment } from './wait.ts';

/** `patchpanel deployment …` */
export function deploymentCommand(): Command {
  const deployment = new Command('deployment').description('follow deployments');
  deployment
    .command('list')
    .description('list deployments under way')
    .action((_options, command: Command) => list(command.optsWithGlobals()));
  deployment
    .command('show <id>')
    .description('show the steps of a deployment')
    .action((id: string, _options, command: Command) => show(id, command.optsWithGlobals()));
  deployment
    .command('wait <id>')
    .description('wait until a deployment has ended')
    .option('--timeout <seconds>', 'how long to wait', seconds, 300)
    .action((id: string, _options, command: Command) => wait(id, command.optsWithGlobals()));
  deployment
    .command('cancel <id>')
    .description('take a deployment back')
    .option('--force', 'drop it and leave everything as it is now', false)
    .action((id: string, _options, command: Command) => cancel(id, command.optsWithGlobals()));
  return deployment;
}

const fetchAll = (options: GlobalOptions) => new ApiClient(options).get<DeploymentInfo[]>('/v2/deployments');

async function list(options: GlobalOptions): Promise<void> {
  const deployments = await fetchAll(options);
  print(options.json, deployments, () =>
    table(
      ['ID', 'APPS', 'STEP', 'VERSION'],
      deployments.map((d) => [d.id, d.affectedApps.join(' '), `${d.currentStep}/${d.totalSteps}`, d.version]),
      'no deployment is under way',
    ),
  );
}

async function show(id: string, options: GlobalOptions): Promise<void> {
  const deployment = (await fetchAll(options)).find((candidate) => candidate.id === id);
  if (deployment === undefined) {
    throw new CliError(
      exitCodes.notFound,
      `deployment ${id} is not under way: it has ended or never was\n\`patchpanel deployment list\` shows what there is.`,
    );
  }
  print(options.json, deployment, () =>
    table(
      ['STEP', 'ACTION', 'APP', ''],
      deployment.steps.flatMap((step, index) =>
        step.actions.map(({ action, app }) => [
          index + 1,
          action,
          app,
          index + 1 === deployment.currentStep ? 'under way' : '',
        ]),
      ),
      'no steps',
    ),
  );
}

async function wait(id: string, options: GlobalOptions & { timeout: number }): Promise<void> {
  await waitForDeployment(new ApiClient(options), id, options.timeout);
  print(options.json, { id, ended: true }, () => `deployment ${id} has ended`);
}

async function cancel(id: string, options: GlobalOptions & { force: boolean }): Promise<void> {
  const path = `/v2/deployments/${encodeURIComponent(id)}?force=${options.force}`;
  const { data, deploymentId } = await new ApiClient(options).send('DELETE', path);
  print(options.json, data, () =>
    deploymentId === undefined ? `deployment ${id} was dropped` : `taken back by deployment ${deploymentId}`,
  );
}
