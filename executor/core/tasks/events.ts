import { afterProbe, keptResponse, type ProbeOutcome } from './health-check.ts';
import {
  isEnding,
  type AppExit,
  type AppState,
  type Retry,
  type Failure,
  type StartTimings,
  type StepKind,
  type TaskRecord,
} from './record.ts';

/** What a step brought, apart from being done. */
export interface StepOutcome {
  /** start-sandbox: the process that holds the network namespace. */
  readonly pid?: number;
  /** Something to tell with TASK_RUNNING. */
  readonly note?: string;
}

/** What can happen to a task. Times are milliseconds since 1970. */
export type TaskEvent =
  | { readonly kind: 'kill'; readonly graceMs: number; readonly at: number }
  | { readonly kind: 'step-began'; readonly step: StepKind }
  | {
      readonly kind: 'step-done';
      readonly step: StepKind;
      readonly tookMs: number;
      readonly at: number;
      readonly outcome: StepOutcome;
    }
  | {
      readonly kind: 'step-failed';
      readonly step: StepKind;
      readonly failure: Failure;
      readonly at: number;
    }
  | { readonly kind: 'progress'; readonly text: string }
  | { readonly kind: 'app-exited'; readonly exitCode: number; readonly oomKilled: boolean }
  /** The container is not there any more, so nobody knows how it ended. */
  | { readonly kind: 'app-lost' }
  | { readonly kind: 'sandbox-lost' }
  | { readonly kind: 'port-lost'; readonly reason: string }
  /** The health check with this number was tried. */
  | {
      readonly kind: 'probed';
      readonly check: number;
      readonly outcome: ProbeOutcome;
      readonly at: number;
    }
  /** The readiness check was tried. */
  | { readonly kind: 'readiness-probed'; readonly outcome: ProbeOutcome };

/** Delays before a failed signal or removal is tried again, in milliseconds; the last one repeats. */
const retryDelaysMs = [500, 1000, 2000, 5000, 10_000, 30_000] as const;

/** The record after an event; the same object when it changes nothing. */
export function reduce(record: TaskRecord, event: TaskEvent): TaskRecord {
  switch (event.kind) {
    case 'kill':
      return stop(record, event.at + event.graceMs);
    case 'step-began':
      return { ...record, underWay: new Set([...record.underWay, event.step]) };
    case 'step-done':
      return done(ended(record, event.step), event);
    case 'step-failed':
      return stepFailed(ended(record, event.step), event);
    case 'progress':
      return { ...record, progress: event.text };
    case 'app-exited':
      return exited(record, { exitCode: event.exitCode, oomKilled: event.oomKilled });
    case 'app-lost':
      return appLost(record);
    case 'sandbox-lost':
      return sandboxLost(record);
    case 'port-lost':
      return fail(record, { message: `network port lost: ${event.reason}` });
    case 'probed':
      return probed(record, event);
    case 'readiness-probed':
      return readinessProbed(record, event.outcome);
  }
}

/** A second kill can only shorten the time that is left. */
function stop(record: TaskRecord, killAt: number): TaskRecord {
  if (record.goal.kind === 'stop') {
    return killAt < record.goal.killAt ? { ...record, goal: { ...record.goal, killAt } } : record;
  }
  if (isEnding(record)) return record;
  return { ...record, goal: { kind: 'stop', killAt } };
}

function ended(record: TaskRecord, step: StepKind): TaskRecord {
  const underWay = new Set(record.underWay);
  underWay.delete(step);
  return { ...record, underWay };
}

/** The first failure is the one that is told. One that follows from the task's own end is no news. */
function fail(record: TaskRecord, failure: Failure): TaskRecord {
  return isEnding(record) ? record : { ...record, failure };
}

function exited(record: TaskRecord, exit: AppExit): TaskRecord {
  return record.app === 'created' || record.app === 'running' ? { ...record, app: 'exited', exit } : record;
}

function appLost(record: TaskRecord): TaskRecord {
  if (record.app !== 'running') return record;
  return { ...fail(record, { message: 'the container was removed by somebody else' }), app: 'exited' };
}

function sandboxLost(record: TaskRecord): TaskRecord {
  const { sandbox } = record;
  if (sandbox.is !== 'running' && sandbox.is !== 'created') return record;
  return fail({ ...record, sandbox: { is: 'dead' } }, { message: 'network sandbox lost' });
}

function probed(record: TaskRecord, event: Extract<TaskEvent, { kind: 'probed' }>): TaskRecord {
  const { check, outcome, at } = event;
  const spec = record.task.spec.healthChecks[check];
  const state = record.health[check];
  if (spec === undefined || state === undefined || record.app !== 'running') return record;
  const next = afterProbe(spec, state, outcome, record.startedAt ?? at, at);
  return next === state ? record : { ...record, health: record.health.with(check, next) };
}

function readinessProbed(record: TaskRecord, outcome: ProbeOutcome): TaskRecord {
  if (record.ready !== false || outcome.kind === 'ignored') return record;
  const { readinessCheck: check } = record.task.spec;
  const lastResponse = check === undefined ? undefined : keptResponse(check.probe, outcome);
  if (lastResponse === undefined) return outcome.kind === 'success' ? { ...record, ready: true } : record;
  // A new record also for an answer as the last one: that one may not have been told yet.
  return { ...record, lastResponse, ready: outcome.kind === 'success' };
}

function done(record: TaskRecord, event: Extract<TaskEvent, { kind: 'step-done' }>): TaskRecord {
  const { outcome, tookMs } = event;
  switch (event.step) {
    case 'fetch-files':
      return timed(
        { ...record, files: 'present', progress: `preparing ${record.task.spec.image}` },
        { filesMs: tookMs },
      );
    case 'fetch-image':
      return timed({ ...record, image: 'present', progress: 'creating the container' }, { imageMs: tookMs });
    case 'create-sandbox':
      return timed({ ...record, sandbox: { is: 'created' } }, { sandboxMs: tookMs });
    case 'start-sandbox':
      return timed(
        { ...record, sandbox: { is: 'running', pid: outcome.pid ?? 0 } },
        { sandboxMs: (record.timings.sandboxMs ?? 0) + tookMs },
      );
    case 'create-app':
      return timed({ ...record, app: 'created' }, { createMs: tookMs });
    case 'attach':
      return timed(
        { ...record, port: 'attached', progress: 'waiting for the other hosts' },
        { attachMs: tookMs },
      );
    case 'await-converged':
      return timed({ ...noted(record, outcome.note), port: 'ready' }, { convergeMs: tookMs });
    case 'start-app':
      return started(record, event);
    case 'signal-app':
      return { ...record, signalled: true };
    case 'kill-app':
      return { ...record, killedAt: event.at };
    case 'detach':
      return { ...record, port: 'detached' };
    case 'remove-app':
      return { ...record, app: 'removed' };
    case 'remove-sandbox':
      return { ...record, sandbox: { is: 'removed' } };
  }
}

/** The app may have exited before Docker's answer to the start came. */
function started(record: TaskRecord, event: Extract<TaskEvent, { kind: 'step-done' }>): TaskRecord {
  const app: AppState = record.app === 'created' ? 'running' : record.app;
  return timed(
    { ...record, app, startedAt: event.at },
    { startMs: event.tookMs, totalMs: event.at - record.launchedAt },
  );
}

const timed = (record: TaskRecord, timings: StartTimings): TaskRecord => ({
  ...record,
  timings: { ...record.timings, ...timings },
});

const noted = (record: TaskRecord, note: string | undefined): TaskRecord =>
  note === undefined ? record : { ...record, notes: [...record.notes, note] };

function stepFailed(record: TaskRecord, event: Extract<TaskEvent, { kind: 'step-failed' }>): TaskRecord {
  switch (event.step) {
    case 'fetch-files':
    case 'fetch-image':
    case 'create-sandbox':
    case 'start-sandbox':
    case 'create-app':
    case 'attach':
    case 'await-converged':
    case 'start-app':
      return fail(record, event.failure);
    case 'signal-app':
    case 'kill-app':
    case 'detach':
    case 'remove-app':
    case 'remove-sandbox':
      return { ...record, retry: nextRetry(record.retry, event.at) };
  }
}

function nextRetry(last: Retry | undefined, now: number): Retry {
  const attempts = (last?.attempts ?? 0) + 1;
  return { attempts, at: now + (retryDelaysMs[attempts - 1] ?? retryDelaysMs[retryDelaysMs.length - 1]!) };
}
