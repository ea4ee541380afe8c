import type { App } from './app.ts';
import type { Group } from './group.ts';
import type { AppId, AppVersion, DeploymentId } from './ids.ts';

export type DeploymentAction =
  'StartApplication' | 'StopApplication' | 'ScaleApplication' | 'RestartApplication';

export interface DeploymentStep {
  readonly actions: readonly { readonly action: DeploymentAction; readonly app: AppId }[];
}

/** A change of one or more apps on its way. It locks the apps that it names until it ends. */
export interface Deployment {
  readonly id: DeploymentId;
  readonly version: AppVersion;
  readonly affectedApps: readonly AppId[];
  readonly steps: readonly DeploymentStep[];
  /** Index into steps of the one under way. */
  readonly currentStep: number;
  readonly startedAt: number;
  /** The definitions before the change, for a rollback; null: the app did not exist. */
  readonly original: Readonly<Record<string, App | null>>;
  /** The same of groups that the change made, removed or changed. */
  readonly originalGroups?: Readonly<Record<string, Group | null>>;
}
