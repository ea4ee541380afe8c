import type { Command } from 'commander';
import { ApiClient, type Answer, type GlobalOptions } from './client.ts';
import { print } from './output.ts';
import { seconds, waitForDeployment } from './wait.ts';

/** Options of commands that can wait for the deployment that they begin. */
export interface WaitOptions extends GlobalOptions {
  readonly wait: boolean;
  readonly timeout: number;
}

/** Options of commands that begin a deployment. */
export interface DeployOptions extends WaitOptions {
  readonly force: boolean;
}

/** Gives a command the options of `deploy`. */
export const deploying = (command: Command): Command =>
  waiting(command.option('--force', 'replace a deployment that is under way', false));

/** Gives a command the options to wait. */
export function waiting(command: Command): Command {
  return command
    .option('-w, --wait', 'wait until the deployment has ended', false)
    .option('--timeout <seconds>', 'how long to wait', seconds, 300);
}

/**
 * Sends a change and, when asked to, waits for its deployment.
 * @throws CliError also when the deployment that was waited for has not succeeded
 */
export async function deploy(
  options: DeployOptions,
  doing: string,
  send: (client: ApiClient, force: boolean) => Promise<Answer<unknown>>,
): Promise<void> {
  const client = new ApiClient(options);
  const { data, deploymentId } = await send(client, options.force);
  if (options.wait && deploymentId !== undefined) {
    await waitForDeployment(client, deploymentId, options.timeout);
  }
  print(options.json, data, () =>
    deploymentId === undefined
      ? doing
      : `${doing}: deployment ${deploymentId}${options.wait ? ' has ended' : ''}`,
  );
}
