import type { App, HealthCheck } from '../../../src/model/app.ts';
import { maxProbeSeconds } from '../../../src/model/bounds.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { CheckSpec, ProbeSpec, TaskSpec } from '../../../src/model/task-spec.ts';
import { PatchpanelError } from '../../../src/runtime/errors.ts';
import { taskPorts } from '../../core/offers/task-env.ts';

/** Nobody gains by checking more often, and a check that may take no time at all can only fail. */
const leastMs = 1000;

const intervalMs = (seconds: number): number => Math.max(leastMs, seconds * 1000);

/** Definitions that were stored before there was a bound may be above it. */
const timeoutMs = (seconds: number): number => Math.max(leastMs, Math.min(seconds, maxProbeSeconds) * 1000);

/**
 * The app's health checks as the executor runs them for one instance.
 * @throws PatchpanelError `invalid` for a check whose port the app does not have; the API refuses such an app
 */
export const checkSpecs = (app: App, instance: Instance): CheckSpec[] =>
  app.healthChecks.map((check) => ({
    probe: probeOf(check, app, instance),
    delayMs: startsLate(check) ? check.delaySeconds * 1000 : 0,
    graceMs: check.gracePeriodSeconds * 1000,
    intervalMs: intervalMs(check.intervalSeconds),
    timeoutMs: timeoutMs(check.timeoutSeconds),
    maxConsecutiveFailures: check.maxConsecutiveFailures,
  }));

/**
 * The app's readiness check as the executor runs it for one instance, if there is one.
 * @throws PatchpanelError `invalid` for a port that the app does not have; the API refuses such an app
 */
export function readinessSpec(app: App, instance: Instance): Pick<TaskSpec, 'readinessCheck'> {
  const [check] = app.readinessChecks;
  if (check === undefined) return {};
  const portIndex = taskPorts(app, instance).findIndex(({ name }) => name === check.portName);
  const probe: ProbeSpec = {
    kind: 'http',
    scheme: check.protocol === 'HTTP' ? 'http' : 'https',
    port: portOf({ portIndex }, app, instance),
    path: rooted(check.path),
    ignore1xx: false,
    statuses: [...check.httpStatusCodesForReady],
    ...(check.preserveLastResponse ? { keepsResponse: true } : {}),
  };
  const times = { intervalMs: intervalMs(check.intervalSeconds), timeoutMs: timeoutMs(check.timeoutSeconds) };
  return { readinessCheck: { probe, ...times } };
}

const rooted = (path: string): string => (path.startsWith('/') ? path : `/${path}`);

function probeOf(check: HealthCheck, app: App, instance: Instance): ProbeSpec {
  switch (check.protocol) {
    case 'COMMAND':
      return { kind: 'command', command: check.command ?? '' };
    case 'TCP':
    case 'MESOS_TCP':
      return { kind: 'tcp', port: portOf(check, app, instance) };
    case 'HTTP':
    case 'MESOS_HTTP':
      return httpProbe('http', check, app, instance);
    case 'HTTPS':
    case 'MESOS_HTTPS':
      return httpProbe('https', check, app, instance);
  }
}

function httpProbe(scheme: 'http' | 'https', check: HealthCheck, app: App, instance: Instance): ProbeSpec {
  return {
    kind: 'http',
    scheme,
    port: portOf(check, app, instance),
    path: rooted(check.path ?? '/'),
    ignore1xx: check.ignoreHttp1xx,
  };
}

/** Probes run inside the container's network namespace: there its own port counts, not one of the host. */
function portOf(
  { port, portIndex }: Pick<HealthCheck, 'port' | 'portIndex'>,
  app: App,
  instance: Instance,
): number {
  if (port !== undefined) return port;
  const found = taskPorts(app, instance)[portIndex ?? 0];
  if (found === undefined) {
    throw new PatchpanelError('invalid', `${app.id} has no port ${portIndex ?? 0} that its check names`);
  }
  return found.inside;
}

const startsLate = ({ protocol }: HealthCheck): boolean =>
  protocol === 'COMMAND' || protocol.startsWith('MESOS_');
