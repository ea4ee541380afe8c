import type { App } from './app.ts';
import type { Group } from './group.ts';
import type { AppId, AppVersion, DeploymentId } from './ids.ts';

export type DeploymentAction =
  'StartApplication' | 'StopApplication' | 'ScaleApplication' | 'RestartApplication';

export interface DeploymentStep {
  readonly actions: readonly { readonly action: DeploymentAction; readonly app: AppId }[];
}

/** What is known of a deployment whether it runs or has ended. */
interface DeploymentPlan {
  readonly id: DeploymentId;
  readonly version: AppVersion;
  readonly affectedApps: readonly AppId[];
  readonly steps: readonly DeploymentStep[];
  /** Index into steps of the one under way, or of the one in which it ended; their number: all are done. */
  readonly currentStep: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The deployment that it takes back. */
  readonly takesBack?: DeploymentId;
}

/** A change of one or more apps on its way. It locks the apps that it names until it ends. */
export interface Deployment extends DeploymentPlan {
  /** The definitions before the change, for a rollback; null: the app did not exist. */
  readonly original: Readonly<Record<string, App | null>>;
  /** The same of groups that the change made, removed or changed. */
  readonly originalGroups?: Readonly<Record<string, Group | null>>;
  /** It has failed when it is not done by then (milliseconds since 1970); absent: it may take as long as it takes. */
  readonly deadline?: number;
  /** It is taken back when it fails; else everything stays as it is then. */
  readonly rollsBack?: boolean;
}

/**
 * How a deployment ended. failed: its deadline passed. cancelled: a person stopped it. replaced: a forced change took
 * its apps. taken-back: a person had it undone. All but succeeded left its apps as they were at that moment.
 */
export type DeploymentOutcome = 'succeeded' | 'failed' | 'cancelled' | 'replaced' | 'taken-back';

/** A deployment that has ended, as it is remembered. */
export interface EndedDeployment extends DeploymentPlan {
  readonly outcome: DeploymentOutcome;
  readonly reason?: string;
  /** Milliseconds since 1970. */
  readonly endedAt: number;
  /** The deployment that came in its place. */
  readonly successor?: DeploymentId;
}
