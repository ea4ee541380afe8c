import type { App, ReadinessCheck } from '../../../src/model/app.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';

type ReadinessCheckJson = NonNullable<AppJson['readinessChecks']>[number];

/** Readiness checks with Marathon's defaults; `portNames` are those that the app has. Problems are added by path. */
export function readinessChecksOf(
  json: readonly ReadinessCheckJson[],
  portNames: readonly string[],
  details: Details,
): ReadinessCheck[] {
  return json.map((given, index) => {
    const path = `/readinessChecks(${index})`;
    const check: ReadinessCheck = {
      name: given.name ?? 'readinessCheck',
      protocol: given.protocol ?? 'HTTP',
      path: given.path ?? '/',
      portName: given.portName ?? 'http-api',
      intervalSeconds: given.intervalSeconds ?? 30,
      timeoutSeconds: given.timeoutSeconds ?? 10,
      httpStatusCodesForReady: given.httpStatusCodesForReady ?? [200],
      preserveLastResponse: given.preserveLastResponse ?? false,
    };
    details.require(
      portNames.includes(check.portName),
      `${path}/portName`,
      `No port definition reference for portName ${check.portName}`,
    );
    details.require(
      check.timeoutSeconds < check.intervalSeconds,
      `${path}/timeoutSeconds`,
      `must be less than intervalSeconds, which is ${check.intervalSeconds}`,
    );
    return check;
  });
}

/**
 * Marathon's `readinessCheckResults` of an app: one for each instance that has a readiness check, with the last answer
 * while the app's check keeps it.
 */
export function presentReadiness(app: App, instances: readonly Instance[]): Record<string, unknown>[] {
  const [check] = app.readinessChecks;
  if (check === undefined) return [];
  const { name, preserveLastResponse: shown } = check;
  return instances.flatMap(({ taskId, ready, lastResponse }) =>
    ready === undefined
      ? []
      : [{ name, taskId, ready, ...(shown && lastResponse !== undefined ? { lastResponse } : {}) }],
  );
}
