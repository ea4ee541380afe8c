import { agentId, executorId, frameworkId } from '../model/ids.ts';
import type { AgentId, ExecutorId, FrameworkId } from '../model/ids.ts';
import { PatchpanelError } from '../runtime/errors.ts';
import { parseDuration } from './duration.ts';
import { isTrue, readMesosTls, type MesosTls } from './tls.ts';

/** What an agent tells an executor through its environment. */
export interface ExecutorEnvironment {
  readonly frameworkId: FrameworkId;
  readonly executorId: ExecutorId;
  readonly agentId: AgentId;
  /** `http://10.0.0.1:5051` */
  readonly agentUrl: string;
  /** Unix socket to reach the agent by instead of TCP; without TLS whatever there is on TCP. */
  readonly domainSocket?: string;
  readonly tls?: MesosTls;
  /** The sandbox as the executor sees it. */
  readonly sandbox: string;
  /** Whether the executor is expected to outlive a restart of its agent. */
  readonly checkpoint: boolean;
  /** How long it may live without its agent. */
  readonly recoveryTimeoutMs: number;
  /** Upper bound of the random delay between attempts to subscribe again. */
  readonly subscriptionBackoffMaxMs: number;
  /** How long after SHUTDOWN until the agent destroys it. */
  readonly shutdownGraceMs: number;
  /** Token for the Authorization header. Take it out of the environment before starting children. */
  readonly authenticationToken?: string;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads the environment of an executor.
 * @throws PatchpanelError `invalid` that names the variable which is missing or malformed
 */
export function readExecutorEnvironment(variables: Variables): ExecutorEnvironment {
  const tls = readMesosTls(variables);
  const domainSocket = variables['MESOS_DOMAIN_SOCKET'];
  const secure = tls?.enabled === true && domainSocket === undefined;
  const authenticationToken = variables['MESOS_EXECUTOR_AUTHENTICATION_TOKEN'];
  return {
    frameworkId: frameworkId(required(variables, 'MESOS_FRAMEWORK_ID')),
    executorId: executorId(required(variables, 'MESOS_EXECUTOR_ID')),
    agentId: agentId(required(variables, 'MESOS_SLAVE_ID')),
    agentUrl: `${secure ? 'https' : 'http'}://${required(variables, 'MESOS_AGENT_ENDPOINT')}`,
    sandbox: variables['MESOS_SANDBOX'] ?? required(variables, 'MESOS_DIRECTORY'),
    checkpoint: isTrue(variables['MESOS_CHECKPOINT']),
    recoveryTimeoutMs: duration(variables, 'MESOS_RECOVERY_TIMEOUT', '15mins'),
    subscriptionBackoffMaxMs: duration(variables, 'MESOS_SUBSCRIPTION_BACKOFF_MAX', '2secs'),
    shutdownGraceMs: duration(variables, 'MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', '5secs'),
    ...(domainSocket === undefined ? {} : { domainSocket }),
    ...(tls === undefined ? {} : { tls }),
    ...(authenticationToken === undefined ? {} : { authenticationToken }),
  };
}

function required(variables: Variables, name: string): string {
  const value = variables[name];
  if (value !== undefined && value !== '') return value;
  throw new PatchpanelError('invalid', `${name} is not set: this program is started by a Mesos agent`);
}

function duration(variables: Variables, name: string, fallback: string): number {
  try {
    return parseDuration(variables[name] ?? fallback);
  } catch (cause) {
    throw new PatchpanelError('invalid', `${name} is not a Mesos duration: ${variables[name]}`, { cause });
  }
}
