import type { TaskState, TaskStatus, TaskStatusReason } from '../../../proto/mesos.gen.ts';
import type { AgentId, ExecutorId, TaskId } from '../../../src/model/ids.ts';
import {
  healthOf,
  isSameResponse,
  type CheckResult,
  type CheckResults,
  type HttpResponse,
} from '../../../src/model/health.ts';
import { isHealthNews } from './health-check.ts';
import { isEnding, type AppExit, type TaskRecord } from './record.ts';

/** What is to be told of a task. */
export interface TaskReport {
  readonly state: TaskState;
  readonly message: string;
  readonly reason?: TaskStatusReason;
  /** The task is refused because its host cannot be served. Travels in TaskStatus.data, for the scheduler to leave it out. */
  readonly hostUnfit?: true;
  /** What the health checks found; absent for a task without any, and before it runs. */
  readonly checkResults?: CheckResults;
  /** What the readiness check found; absent as above. */
  readonly ready?: boolean;
  /** The newest answer to the readiness check, if it keeps answers. */
  readonly lastResponse?: HttpResponse;
}

/** Whether a state is the last that a task reports. */
export const isTerminalState = (state: TaskState): boolean => terminalStates.has(state);

const terminalStates: ReadonlySet<TaskState> = new Set<TaskState>([
  'TASK_FINISHED',
  'TASK_FAILED',
  'TASK_KILLED',
  'TASK_ERROR',
  'TASK_DROPPED',
]);

/** The state of a task as Mesos knows states. It ends when no process of the app is left or can appear. */
export function reportOf(record: TaskRecord): TaskReport {
  const { app, goal } = record;
  if (isEnding(record) && app !== 'running' && !record.underWay.has('start-app')) return ending(record);
  if (goal.kind === 'stop') return { state: 'TASK_KILLING', message: 'stopping' };
  if (app === 'running') {
    return { state: 'TASK_RUNNING', message: runningMessage(record), ...checksOf(record) };
  }
  return { state: 'TASK_STARTING', message: record.progress };
}

function ending(record: TaskRecord): TaskReport {
  const { exit, goal, failure } = record;
  if (goal.kind === 'stop') {
    return record.timings.startMs !== undefined
      ? { state: 'TASK_KILLED', message: `killed${withExit(exit)}` }
      : { state: 'TASK_KILLED', message: 'killed before it ran', reason: 'REASON_TASK_KILLED_DURING_LAUNCH' };
  }
  if (failure !== undefined) return { state: 'TASK_FAILED', ...failure };
  return exitReport(exit);
}

function exitReport(exit: AppExit | undefined): TaskReport {
  if (exit === undefined) return { state: 'TASK_FAILED', message: 'the container is gone' };
  // A part of the app may have been killed without harm to the rest: only a bad end is blamed on it.
  if (exit.oomKilled && exit.exitCode !== 0) {
    return {
      state: 'TASK_FAILED',
      message: `out of memory: the container went over its limit and was killed${withExit(exit)}`,
      reason: 'REASON_CONTAINER_LIMITATION_MEMORY',
    };
  }
  if (exit.exitCode === 0) return { state: 'TASK_FINISHED', message: 'exited with status 0' };
  return {
    state: 'TASK_FAILED',
    message: `exited with status ${exit.exitCode}${signalText(exit.exitCode)}`,
    reason: 'REASON_COMMAND_EXECUTOR_FAILED',
  };
}

const withExit = (exit: AppExit | undefined): string =>
  exit === undefined ? '' : ` (exit status ${exit.exitCode})`;

/** Shells and Docker give 128 + the number of the signal. */
function signalText(exitCode: number): string {
  if (exitCode === 137) return ' (SIGKILL)';
  if (exitCode === 143) return ' (SIGTERM)';
  return exitCode === 139 ? ' (SIGSEGV)' : '';
}

function runningMessage(record: TaskRecord): string {
  const { plug } = record.task;
  const where = plug === undefined ? 'on the host network' : `${plug.network.ip} on ${plug.network.name}`;
  const causes = record.health.flatMap(({ result }) =>
    result?.alive === false ? [failureText(result)] : [],
  );
  return [`running, ${where}`, ...record.notes, ...causes].join('; ');
}

function checksOf(record: TaskRecord): Pick<TaskReport, 'checkResults' | 'ready' | 'lastResponse'> {
  const { health, ready, lastResponse } = record;
  return {
    ...(health.length === 0 ? {} : { checkResults: health.map(({ result }) => result) }),
    ...(ready === undefined ? {} : { ready }),
    ...(lastResponse === undefined ? {} : { lastResponse }),
  };
}

const failureText = ({ consecutiveFailures, lastFailureCause = '' }: CheckResult): string =>
  `unhealthy (${consecutiveFailures} in a row), ${lastFailureCause}`;

/**
 * What a new report means to somebody who was told `last`: a change of state, only another message while the task
 * starts, only news of its health or readiness (the first answer is that too), only another answer to the readiness
 * check, or nothing. After a terminal report there is never another one.
 */
export function changeOf(last: TaskReport | undefined, next: TaskReport): ReportChange {
  if (last === undefined) return 'state';
  if (isTerminalState(last.state)) return 'none';
  if (last.state !== next.state) return 'state';
  if (isHealthNews(last.checkResults ?? [], next.checkResults ?? [])) return 'health';
  if (last.ready === false && next.ready === true) return 'readiness';
  if (!isSameResponse(last.lastResponse, next.lastResponse))
    return last.lastResponse === undefined ? 'readiness' : 'response';
  return next.state === 'TASK_STARTING' && last.message !== next.message ? 'progress' : 'none';
}

export type ReportChange = 'state' | 'progress' | 'health' | 'readiness' | 'response' | 'none';

/** Who speaks, when, and under which fresh UUID. */
export interface StatusStamp {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly uuid: Uint8Array;
  readonly nowMs: number;
}

/** Agents and masters keep every message; what a program says when it fails may be long. */
const maxMessage = 4096;

const shortened = (message: string): string =>
  message.length <= maxMessage ? message : `${message.slice(0, maxMessage - 1)}…`;

/** The update that tells a report to Mesos; with the record also the address and how long the start took. */
export function toTaskStatus(
  taskId: TaskId,
  report: TaskReport,
  stamp: StatusStamp,
  record?: TaskRecord,
): TaskStatus {
  const network = record?.task.plug?.network;
  const healthy = record === undefined ? undefined : healthOf(record.health.map(({ result }) => result));
  const data = dataOf(report, record);
  return {
    task_id: { value: taskId },
    state: report.state,
    message: shortened(report.message),
    source: 'SOURCE_EXECUTOR',
    agent_id: { value: stamp.agentId },
    executor_id: { value: stamp.executorId },
    timestamp: stamp.nowMs / 1000,
    uuid: stamp.uuid,
    ...(report.reason === undefined ? {} : { reason: report.reason }),
    ...(healthy === undefined ? {} : { healthy }),
    ...(data === undefined ? {} : { data: new TextEncoder().encode(JSON.stringify(data)) }),
    ...(network === undefined ? {} : { container_status: { network_infos: [networkInfo(network)] } }),
  };
}

/** For the scheduler's eyes: that the host is unfit; of a task that runs how long its start took, and the results of its checks. */
function dataOf(
  { state, hostUnfit, checkResults, ready, lastResponse }: TaskReport,
  record: TaskRecord | undefined,
): object | undefined {
  if (hostUnfit !== undefined) return { hostUnfit };
  if (state !== 'TASK_RUNNING' || record === undefined) return undefined;
  return {
    ...record.timings,
    ...(checkResults === undefined ? {} : { health: checkResults }),
    ...(ready === undefined ? {} : { ready }),
    ...(lastResponse === undefined ? {} : { response: lastResponse }),
  };
}

const networkInfo = (network: { readonly ip: string; readonly name: string }) => ({
  name: network.name,
  ip_addresses: [{ protocol: 'IPv4' as const, ip_address: network.ip }],
});
