import type { App } from './app.ts';

/** The labels of an app that say what becomes of deployments that change it. */
export const deploymentLabels = {
  deadlineSeconds: 'patchpanel.deploymentDeadlineSeconds',
  onFailure: 'patchpanel.onDeploymentFailure',
} as const;

/** What may be done about a deployment that has failed. stop: it ends, everything stays as it is then. */
export const failureActions = ['stop', 'rollback'] as const;

/** What becomes of a deployment that does not get done. */
export interface DeploymentPolicy {
  /** How long it may take; absent: as long as it takes. */
  readonly deadlineMs?: number;
  readonly onFailure: (typeof failureActions)[number];
}

const maxDeadlineSeconds = 7 * 86_400;

/**
 * The policy of a deployment of these apps: the shortest of the times that they give, `defaultMs` where one gives
 * none, no limit where it gives 0; rolled back when one of them asks for that. Their labels are valid.
 */
export function deploymentPolicy(
  apps: readonly Pick<App, 'labels'>[],
  defaultMs: number | undefined,
): DeploymentPolicy {
  const limits = apps.flatMap(({ labels }) => {
    const seconds = labels[deploymentLabels.deadlineSeconds];
    const limit = seconds === undefined ? defaultMs : Number(seconds) * 1000;
    return limit === undefined || limit === 0 ? [] : [limit];
  });
  const rollsBack = apps.some(({ labels }) => labels[deploymentLabels.onFailure] === 'rollback');
  const onFailure = rollsBack ? 'rollback' : 'stop';
  return limits.length === 0
    ? { onFailure }
    : { deadlineMs: limits.reduce((a, b) => Math.min(a, b)), onFailure };
}

/** What is wrong with the labels: each with its name. */
export function deploymentPolicyProblems(
  labels: Readonly<Record<string, string>>,
): readonly { readonly label: string; readonly problem: string }[] {
  const problems: { label: string; problem: string }[] = [];
  const seconds = labels[deploymentLabels.deadlineSeconds];
  if (seconds !== undefined && (!/^\d+$/.test(seconds) || Number(seconds) > maxDeadlineSeconds)) {
    problems.push({
      label: deploymentLabels.deadlineSeconds,
      problem: `must be a whole number of seconds from 0 (no deadline) to ${maxDeadlineSeconds}`,
    });
  }
  const action = labels[deploymentLabels.onFailure];
  if (action !== undefined && !failureActions.some((each) => each === action)) {
    problems.push({
      label: deploymentLabels.onFailure,
      problem: `must be one of ${failureActions.join(', ')}`,
    });
  }
  return problems;
}
