import type { TaskStatusReason } from '../../../proto/mesos.gen.ts';
import type { HttpResponse } from '../../../src/model/health.ts';
import type { DesiredTask } from './desired.ts';
import { untriedCheck, type CheckState } from './health-check.ts';

/** Everything that is ever done for a task. */
export type StepKind =
  | 'fetch-files'
  | 'fetch-image'
  | 'create-sandbox'
  | 'start-sandbox'
  | 'create-app'
  | 'attach'
  | 'await-converged'
  | 'start-app'
  | 'signal-app'
  | 'kill-app'
  | 'detach'
  | 'remove-app'
  | 'remove-sandbox';

/** The container that owns the network namespace. `none`: the task is on the host's network. */
export type SandboxState =
  | { readonly is: 'none' | 'absent' | 'created' | 'dead' | 'removed' }
  | { readonly is: 'running'; readonly pid: number };

export type AppState = 'absent' | 'created' | 'running' | 'exited' | 'removed';

/** How the app's process ended. */
export interface AppExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/**
 * The endpoint on the switch. `prepared`: flows may be there, but no port; `attached`: plugged in;
 * `ready`: the other hosts know it; `none`: the task is on the host's network.
 */
export type PortState = 'none' | 'prepared' | 'attached' | 'ready' | 'detached';

/** `killAt`: when patience with the app ends, in milliseconds since 1970. */
export type Goal = { readonly kind: 'run' } | { readonly kind: 'stop'; readonly killAt: number };

export interface Failure {
  readonly message: string;
  readonly reason?: TaskStatusReason;
}

/** The next attempt, not before `at` (milliseconds since 1970); `attempts` failed so far. */
export interface Retry {
  readonly at: number;
  readonly attempts: number;
}

/** Milliseconds that the parts of a start took. */
export interface StartTimings {
  readonly filesMs?: number;
  readonly imageMs?: number;
  readonly sandboxMs?: number;
  readonly attachMs?: number;
  readonly convergeMs?: number;
  readonly createMs?: number;
  readonly startMs?: number;
  /** From LAUNCH until the app's process ran. */
  readonly totalMs?: number;
}

/**
 * What is known of one task. INVARIANTS: once `failure` or `exit` is set it stays; an app that has exited never runs again; a
 * step is in `underWay` from `step-began` to `step-done` or `step-failed`.
 */
export interface TaskRecord {
  readonly task: DesiredTask;
  readonly launchedAt: number;
  readonly goal: Goal;
  /** What is to be in the sandbox before the app starts. */
  readonly files: 'wanted' | 'present';
  readonly image: 'wanted' | 'present';
  readonly sandbox: SandboxState;
  readonly port: PortState;
  readonly app: AppState;
  readonly exit?: AppExit;
  /** The app was sent the signal that asks it to end. */
  readonly signalled: boolean;
  /** When SIGKILL was last sent, in milliseconds since 1970. */
  readonly killedAt?: number;
  readonly underWay: ReadonlySet<StepKind>;
  readonly failure?: Failure;
  /** A step failed that must succeed some time. */
  readonly retry?: Retry;
  /** When the app's process was started, in milliseconds since 1970. */
  readonly startedAt?: number;
  /** In the order of the specification's health checks. */
  readonly health: readonly CheckState[];
  /** What the readiness check says; absent: there is none. */
  readonly ready?: boolean;
  /** The newest answer to the readiness check, if it keeps answers. */
  readonly lastResponse?: HttpResponse;
  /** What is said with TASK_STARTING. */
  readonly progress: string;
  /** What is worth saying with TASK_RUNNING. */
  readonly notes: readonly string[];
  readonly timings: StartTimings;
}

/** A task that was just launched. `now`: milliseconds since 1970. */
export function newRecord(task: DesiredTask, now: number): TaskRecord {
  const plugged = task.plug !== undefined;
  return {
    task,
    launchedAt: now,
    goal: { kind: 'run' },
    files: task.spec.fetch.length > 0 ? 'wanted' : 'present',
    image: 'wanted',
    sandbox: { is: plugged ? 'absent' : 'none' },
    port: plugged ? 'prepared' : 'none',
    app: 'absent',
    signalled: false,
    underWay: new Set(),
    ...(task.spec.readinessCheck === undefined ? {} : { ready: false }),
    health: task.spec.healthChecks.map(() => untriedCheck),
    progress: `preparing ${task.spec.image}`,
    notes: [],
    timings: {},
  };
}

/** Whether the task is on its way out: asked to stop, failed, or its process has ended. */
export function isEnding(record: TaskRecord): boolean {
  return record.goal.kind === 'stop' || record.failure !== undefined || record.exit !== undefined;
}

/** Whether everything that the task had on this host is gone. */
export function isGone(record: TaskRecord): boolean {
  const clean = (state: string) => state === 'none' || state === 'removed' || state === 'detached';
  return isEnding(record) && clean(record.sandbox.is) && clean(record.app) && clean(record.port);
}
