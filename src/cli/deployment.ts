import { Command } from 'commander';
import type { DeploymentFate, DeploymentInfo } from './api-types.ts';
import { ApiClient, type GlobalOptions } from './client.ts';
import { waiting, type WaitOptions } from './deploying.ts';
import { print, table } from './output.ts';
import { pathOfDeployment, seconds, waitForDeployment } from './wait.ts';

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
  waiting(deployment.command('rollback <id>').description('take a deployment back by a new one')).action(
    (id: string, _options, command: Command) => rollback(id, command.optsWithGlobals()),
  );
  deployment
    .command('cancel <id>')
    .description('stop a deployment and leave everything as it is now')
    .action((id: string, _options, command: Command) => cancel(id, command.optsWithGlobals()));
  deployment
    .command('history')
    .description('list deployments that have ended, newest first')
    .action((_options, command: Command) => history(command.optsWithGlobals()));
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
  const deployment = await new ApiClient(options).get<DeploymentFate>(pathOfDeployment(id));
  print(options.json, deployment, () =>
    [
      ...(deployment.state === 'running'
        ? []
        : [`${deployment.state} at ${deployment.endedAt}${whyOf(deployment)}`, '']),
      table(
        ['STEP', 'ACTION', 'APP', ''],
        deployment.steps.flatMap((step, index) =>
          step.actions.map(({ action, app }) => [index + 1, action, app, placeOf(deployment, index + 1)]),
        ),
        'no steps',
      ),
    ].join('\n'),
  );
}

function placeOf(deployment: DeploymentFate, step: number): string {
  if (step !== deployment.currentStep || deployment.state === 'succeeded') return '';
  return deployment.state === 'running' ? 'under way' : 'ended here';
}

const whyOf = ({ reason, successor }: DeploymentFate): string =>
  `${reason === undefined ? '' : `: ${reason}`}${successor === undefined ? '' : `; deployment ${successor} came in its place`}`;

async function wait(id: string, options: GlobalOptions & { timeout: number }): Promise<void> {
  const client = new ApiClient(options);
  // One that nothing is known of at first is a slip; one that is forgotten while it is waited for has ended.
  await client.get<DeploymentFate>(pathOfDeployment(id));
  await waitForDeployment(client, id, options.timeout);
  print(options.json, { id, ended: true }, () => `deployment ${id} has ended`);
}

async function rollback(id: string, options: WaitOptions): Promise<void> {
  const client = new ApiClient(options);
  const { data, deploymentId } = await client.send('DELETE', `/v2/deployments/${encodeURIComponent(id)}`);
  if (options.wait && deploymentId !== undefined) {
    await waitForDeployment(client, deploymentId, options.timeout);
  }
  print(options.json, data, () => `taken back by deployment ${deploymentId}`);
}

async function cancel(id: string, options: GlobalOptions): Promise<void> {
  const path = `/v2/deployments/${encodeURIComponent(id)}?force=true`;
  await new ApiClient(options).send('DELETE', path);
  print(options.json, { id, cancelled: true }, () => `deployment ${id} was cancelled`);
}

async function history(options: GlobalOptions): Promise<void> {
  const client = new ApiClient(options);
  const { deployments } = await client.get<{ deployments: DeploymentFate[] }>('/v1/deployments/history');
  print(options.json, deployments, () =>
    table(
      ['ID', 'APPS', 'ENDED', 'STATE', 'REASON'],
      deployments.map((d) => [d.id, d.affectedApps.join(' ') || undefined, d.endedAt, d.state, d.reason]),
      'no deployment has ended yet',
    ),
  );
}
