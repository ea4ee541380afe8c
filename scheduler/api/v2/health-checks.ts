import type { HealthCheck } from '../../../src/model/app.ts';
import type { Details } from '../problems.ts';
import type { AppJson } from './app-json.ts';

type HealthCheckJson = NonNullable<AppJson['healthChecks']>[number];

/** Health checks with Marathon's defaults; `ports` is how many the app has. Problems are added by path. */
export function healthChecksOf(
  json: readonly HealthCheckJson[],
  ports: number,
  details: Details,
): HealthCheck[] {
  // Several COMMAND checks were always allowed.
  const byMesos = json.filter(({ protocol }) => protocol?.startsWith('MESOS_'));
  details.require(
    byMesos.length <= 1,
    '/healthChecks',
    'AppDefinition can contain at most one Mesos health check',
  );
  return json.map((check, index) => healthCheckOf(check, `/healthChecks(${index})`, ports, details));
}

function healthCheckOf(json: HealthCheckJson, path: string, ports: number, details: Details): HealthCheck {
  const protocol = json.protocol ?? 'HTTP';
  const http = protocol.includes('HTTP');
  checkTarget(json, protocol, path, ports, details);
  return {
    protocol,
    ...(http ? { path: json.path ?? '/' } : {}),
    ...(protocol === 'COMMAND' ? { command: json.command?.value ?? '' } : targetOf(json)),
    gracePeriodSeconds: json.gracePeriodSeconds ?? 300,
    intervalSeconds: json.intervalSeconds ?? 60,
    timeoutSeconds: json.timeoutSeconds ?? 20,
    maxConsecutiveFailures: json.maxConsecutiveFailures ?? 3,
    delaySeconds: json.delaySeconds ?? 15,
    ignoreHttp1xx: json.ignoreHttp1xx ?? false,
  };
}

const targetOf = ({ port, portIndex }: HealthCheckJson): Pick<HealthCheck, 'port' | 'portIndex'> =>
  port === undefined ? { portIndex: portIndex ?? 0 } : { port };

function checkTarget(
  json: HealthCheckJson,
  protocol: HealthCheck['protocol'],
  path: string,
  ports: number,
  details: Details,
): void {
  details.require(
    json.ipProtocol !== 'IPv6',
    `${path}/ipProtocol`,
    'IPv6 is not supported: instances have IPv4 addresses',
  );
  if (protocol === 'COMMAND') {
    details.require(json.command !== undefined, `${path}/command`, 'COMMAND health checks require a command');
    return;
  }
  details.require(json.command === undefined, `${path}/command`, 'is for health checks of protocol COMMAND');
  details.require(
    json.port === undefined || json.portIndex === undefined,
    path,
    'must not specify both port and portIndex',
  );
  details.require(
    json.port !== 0,
    `${path}/port`,
    'must be 1 to 65535: use portIndex for a port of any number',
  );
  details.require(
    json.port !== undefined || (json.portIndex ?? 0) < ports,
    path,
    'Health check port indices must address an element of the ports array or container port mappings.',
  );
}

/** A health check in Marathon's JSON: what its protocol has no use for is left out. */
export function presentHealthCheck(check: HealthCheck): Record<string, unknown> {
  const { protocol, command, path, port, portIndex, ignoreHttp1xx, ...times } = check;
  if (protocol === 'COMMAND') return { protocol, command: { value: command }, ...times };
  return {
    protocol,
    ...(path === undefined ? {} : { path, ignoreHttp1xx }),
    ...(port === undefined ? {} : { port }),
    ...(portIndex === undefined ? {} : { portIndex }),
    ipProtocol: 'IPv4',
    ...times,
  };
}
