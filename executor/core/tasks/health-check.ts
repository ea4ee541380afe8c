import {
  maxBodyBytes,
  type CheckResult,
  type CheckResults,
  type HttpResponse,
} from '../../../src/model/health.ts';
import type { CheckSpec, ProbeSpec } from '../../../src/model/task-spec.ts';

/**
 * What one probe found. `ignored`: it says nothing about the app. `response`: the answer, if there was one and the probe
 * keeps it.
 */
export type ProbeOutcome =
  | { readonly kind: 'success'; readonly response?: HttpResponse | undefined }
  | { readonly kind: 'failure'; readonly cause: string; readonly response?: HttpResponse | undefined }
  | { readonly kind: 'ignored' };

/** Where one health check of a task stands. */
export interface CheckState {
  /** null: nothing that counts has happened yet. */
  readonly result: CheckResult | null;
  /** Failures within the grace period. */
  readonly forgiven: number;
}

export const untriedCheck: CheckState = { result: null, forgiven: 0 };

/** The first pause after a failure that is forgiven; it doubles until it is the interval, in milliseconds. */
const firstPauseMs = 500;

/** Counts of failures beyond this are told only when they have doubled. */
const toldOneByOne = 10;

/**
 * The state after a probe that ended at `now` for an app that was started at `startedAt` (milliseconds since 1970).
 * Until its first success an app is forgiven what fails within the grace period.
 */
export function afterProbe(
  spec: CheckSpec,
  state: CheckState,
  outcome: ProbeOutcome,
  startedAt: number,
  now: number,
): CheckState {
  switch (outcome.kind) {
    case 'ignored':
      return state;
    case 'success':
      return { ...state, result: succeeded(state.result, now) };
    case 'failure': {
      const graceful = state.result?.firstSuccess === undefined && now < startedAt + spec.graceMs;
      if (graceful) return { ...state, forgiven: state.forgiven + 1 };
      return { ...state, result: failed(spec, state.result, outcome.cause, now) };
    }
  }
}

function succeeded(before: CheckResult | null, now: number): CheckResult {
  return {
    ...before,
    alive: true,
    consecutiveFailures: 0,
    exhausted: false,
    firstSuccess: before?.firstSuccess ?? now,
    lastSuccess: now,
  };
}

function failed(spec: CheckSpec, before: CheckResult | null, cause: string, now: number): CheckResult {
  const consecutiveFailures = (before?.consecutiveFailures ?? 0) + 1;
  const { maxConsecutiveFailures: max } = spec;
  return {
    ...before,
    alive: false,
    consecutiveFailures,
    exhausted: max > 0 && consecutiveFailures >= max,
    lastFailure: now,
    lastFailureCause: `${probeText(spec.probe)}: ${cause}`,
  };
}

/**
 * Milliseconds from the end of a probe to the next. An app that is starting is looked at more often, so that it is
 * in service soon after it can be.
 */
export function pauseMs(spec: CheckSpec, state: CheckState): number {
  if (state.result !== null || state.forgiven === 0) return spec.intervalMs;
  return Math.min(spec.intervalMs, firstPauseMs * 2 ** Math.min(state.forgiven - 1, 20));
}

/** Whether somebody who was told `before` has to be told `after`. A success after a success is no news. */
export const isHealthNews = (before: CheckResults, after: CheckResults): boolean =>
  after.length !== before.length || after.some((result, index) => isNews(before[index] ?? null, result));

function isNews(before: CheckResult | null, after: CheckResult | null): boolean {
  if (before === null || after === null) return before !== after;
  if (before.alive !== after.alive || before.exhausted !== after.exhausted) return true;
  const { consecutiveFailures: count } = after;
  return (
    count !== before.consecutiveFailures && (count <= toldOneByOne || Number.isInteger(Math.log2(count)))
  );
}

/**
 * The answer to remember of a probe that keeps answers; where there was none, a 504 that says why, as in Marathon
 * (ReadinessCheckExecutorImpl, 1.11).
 */
export function keptResponse(
  probe: ProbeSpec,
  outcome: Exclude<ProbeOutcome, { kind: 'ignored' }>,
): HttpResponse | undefined {
  if (probe.kind !== 'http' || probe.keepsResponse !== true) return undefined;
  if (outcome.response !== undefined || outcome.kind === 'success') return outcome.response;
  const body = `Patchpanel could not query ${probeText(probe)}: ${outcome.cause}`;
  return { status: 504, contentType: 'text/plain', body: body.slice(0, maxBodyBytes) };
}

/** A health check as people know it, `HTTP :80/health`. */
export function probeText(probe: ProbeSpec): string {
  switch (probe.kind) {
    case 'http':
      return `${probe.scheme.toUpperCase()} :${probe.port}${probe.path}`;
    case 'tcp':
      return `TCP :${probe.port}`;
    case 'command':
      return 'COMMAND';
  }
}
