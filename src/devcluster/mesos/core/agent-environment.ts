import { formatDuration } from '../../../mesos/duration.ts';
import type { AgentContext, AgentFramework, Executor } from './agent-state.ts';

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The whole environment of an executor: the agent's own is not inherited. */
export function executorEnvironment(
  context: AgentContext,
  framework: AgentFramework,
  executor: Pick<Executor, 'info' | 'directory'>,
): Record<string, string> {
  const { host, port } = context.endpoint;
  const { timings } = context;
  const checkpoint = framework.info.checkpoint ?? false;
  const variables = executor.info.command?.environment?.variables ?? [];
  return {
    PATH: defaultPath,
    ...context.executorEnvironment,
    ...Object.fromEntries(variables.map(({ name, value = '' }) => [name, value])),
    LIBPROCESS_IP: host,
    LIBPROCESS_PORT: '0',
    MESOS_AGENT_ENDPOINT: `${host}:${port}`,
    MESOS_CHECKPOINT: checkpoint ? '1' : '0',
    MESOS_DIRECTORY: executor.directory,
    MESOS_SANDBOX: executor.directory,
    MESOS_EXECUTOR_ID: executor.info.executor_id.value,
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: formatDuration(graceMs(context, executor)),
    MESOS_FRAMEWORK_ID: framework.info.id?.value ?? '',
    MESOS_HTTP_COMMAND_EXECUTOR: '0',
    MESOS_SLAVE_ID: context.state.agentId ?? '',
    MESOS_SLAVE_PID: `slave(1)@${host}:${port}`,
    ...(checkpoint
      ? {
          MESOS_RECOVERY_TIMEOUT: formatDuration(timings.recoveryTimeoutMs),
          MESOS_SUBSCRIPTION_BACKOFF_MAX: formatDuration(timings.executorReregistrationMs),
        }
      : {}),
  };
}

/** From SHUTDOWN to SIGKILL. */
export function graceMs(context: AgentContext, { info }: Pick<Executor, 'info'>): number {
  const own = info.shutdown_grace_period;
  return own === undefined ? context.timings.executorShutdownGraceMs : own.nanoseconds / 1e6;
}

/** Where the sandbox of a run is. */
export function sandboxPath(
  context: AgentContext,
  frameworkId: string,
  executorId: string,
  containerId: string,
): string {
  const agentId = context.state.agentId ?? '';
  return [
    context.workDir,
    'slaves',
    agentId,
    'frameworks',
    frameworkId,
    'executors',
    executorId,
    'runs',
    containerId,
  ].join('/');
}
