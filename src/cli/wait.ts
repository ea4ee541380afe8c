import { SingleBar } from 'cli-progress';
import { InvalidArgumentError } from 'commander';
import { sleep } from '../runtime/deadline.ts';
import type { AppInfo, DeploymentFate, DeploymentInfo } from './api-types.ts';
import { CliError, exitCodes, type ApiClient } from './client.ts';
import { remark } from './output.ts';

const pollMs = 250;

/** Reads `--timeout`. @throws InvalidArgumentError unless it is a number of seconds above 0 */
export function seconds(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('must be a number of seconds above 0');
  return value;
}

/** How far a deployment is: tasks that run of the tasks that it wants. */
interface Progress {
  readonly running: number;
  readonly wanted: number;
  readonly failure: string | undefined;
}

/**
 * Waits until a deployment has ended, with a progress bar on a terminal and a line for each change elsewhere.
 * @throws CliError 1 when it has ended otherwise than by being done, 6 after `timeoutSeconds`, with the last failure and what to look at
 */
export async function waitForDeployment(
  client: ApiClient,
  id: string,
  timeoutSeconds: number,
): Promise<void> {
  const deadline = performance.now() + timeoutSeconds * 1000;
  const display = process.stderr.isTTY ? barDisplay() : lineDisplay();
  let last: Progress | undefined;
  try {
    while (performance.now() < deadline) {
      const deployments = await client.get<DeploymentInfo[]>('/v2/deployments');
      const deployment = deployments.find((candidate) => candidate.id === id);
      if (deployment === undefined) {
        await demandSuccess(client, id);
        return display.done(last);
      }
      last = await progressOf(client, deployment);
      display.show(last);
      await sleep(pollMs);
    }
  } finally {
    display.stop();
  }
  throw new CliError(
    exitCodes.timeout,
    `deployment ${id} has not ended after ${timeoutSeconds} s${last?.failure === undefined ? '' : `; last failure: ${last.failure}`}\n` +
      'See `patchpanel app show <id>` for its tasks; it goes on, `patchpanel deployment rollback` takes it back.',
  );
}

/** Where the API tells of one deployment, also when it has ended. */
export const pathOfDeployment = (id: string): string => `/v1/deployments/${encodeURIComponent(id)}`;

/** A deployment that is not under way any more: one that nothing is remembered of is taken for done. */
async function demandSuccess(client: ApiClient, id: string): Promise<void> {
  const fate = await client.get<DeploymentFate>(pathOfDeployment(id)).catch((error: unknown) => {
    if (error instanceof CliError && error.exitCode === exitCodes.notFound) return undefined;
    throw error;
  });
  if (fate === undefined || fate.state === 'succeeded' || fate.state === 'running') return;
  const successor = fate.successor === undefined ? '' : `; deployment ${fate.successor} came in its place`;
  throw new CliError(
    exitCodes.failed,
    `deployment ${id}: ${fate.state}, ${fate.reason ?? 'no reason is known'}${successor}`,
  );
}

async function progressOf(client: ApiClient, deployment: DeploymentInfo): Promise<Progress> {
  const apps = await Promise.all(
    deployment.affectedApps.map((app) =>
      client.get<{ app: AppInfo }>(`/v2/apps${app}`).catch(() => undefined),
    ),
  );
  let [running, wanted] = [0, 0];
  let failure: string | undefined;
  for (const answer of apps) {
    if (answer === undefined) continue;
    const { app } = answer;
    wanted += app.instances;
    const upToDate = app.tasks?.filter(
      (task) => task.state === 'TASK_RUNNING' && task.patchpanel.endpoint !== 'standby',
    );
    running += Math.min(app.instances, upToDate?.length ?? 0);
    if (app.lastTaskFailure !== undefined && app.lastTaskFailure.timestamp >= deployment.version) {
      failure = `${app.lastTaskFailure.state} on ${app.lastTaskFailure.host}: ${app.lastTaskFailure.message}`;
    }
  }
  return { running, wanted, failure };
}

interface Display {
  show(progress: Progress): void;
  done(last: Progress | undefined): void;
  stop(): void;
}

function barDisplay(): Display {
  const bar = new SingleBar({
    format: 'deploying |{bar}| {value}/{total} running  {failure}',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: false,
  });
  let started = false;
  return {
    show: ({ running, wanted, failure }) => {
      const payload = { failure: failure ?? '' };
      if (!started) bar.start(wanted, running, payload);
      started = true;
      bar.setTotal(wanted);
      bar.update(running, payload);
    },
    done: (last) => {
      if (started && last !== undefined) bar.update(last.wanted, { failure: '' });
    },
    stop: () => {
      if (started) bar.stop();
    },
  };
}

function lineDisplay(): Display {
  let shown = '';
  const say = (line: string) => {
    if (line === shown) return;
    shown = line;
    remark(line);
  };
  return {
    show: ({ running, wanted, failure }) =>
      say(`${running}/${wanted} running${failure === undefined ? '' : ` (${failure})`}`),
    done: () => say('done'),
    stop: () => undefined,
  };
}
