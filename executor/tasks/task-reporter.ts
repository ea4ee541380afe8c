import type { TaskInfo, TaskStatus, TaskStatusReason } from '../../proto/mesos.gen.ts';
import { newUuid } from '../../src/mesos/uuid.ts';
import type { AgentId, ExecutorId, TaskId } from '../../src/model/ids.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { changeOf, toTaskStatus, type ReportChange, type TaskReport } from '../core/tasks/status.ts';
import type { TaskRecord } from '../core/tasks/record.ts';
import { TaskUpdates } from '../core/tasks/updates.ts';

export interface ReporterOptions {
  readonly agentId: AgentId;
  readonly executorId: ExecutorId;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hands an update to the agent; it may be lost, then it is sent again. */
  readonly send: (status: TaskStatus) => void;
}

/**
 * News of one task that may come often are at least so far apart, in milliseconds. What came too early is told with the
 * next report.
 */
const leastApartMs: Partial<Record<ReportChange, number>> = { progress: 2000, response: 10_000 };

/** Why an update comes that does not change the state. */
const reasons: Partial<Record<ReportChange, TaskStatusReason>> = {
  health: 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED',
  readiness: 'REASON_TASK_CHECK_STATUS_UPDATED',
  response: 'REASON_TASK_CHECK_STATUS_UPDATED',
};

interface Told {
  readonly report: TaskReport;
  readonly at: number;
}

/** Tells the agent every change of every task, each update until it is acknowledged, and one terminal update a task. */
export class TaskReporter {
  readonly #options: ReporterOptions;
  readonly #updates = new TaskUpdates();
  readonly #told = new Map<TaskId, Told>();
  #drained: (() => void)[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Call it before the first report of a task. */
  launched(info: TaskInfo): void {
    this.#updates.launched(info);
  }

  /** Tells a task's state when it is news. */
  report(taskId: TaskId, report: TaskReport, record?: TaskRecord): void {
    const { agentId, executorId, clock } = this.#options;
    const now = clock.now();
    const told = this.#told.get(taskId);
    const change = changeOf(told?.report, report);
    if (change === 'none') return;
    const apartMs = leastApartMs[change];
    if (apartMs !== undefined && told !== undefined && now - told.at < apartMs) return;
    this.#told.set(taskId, { report, at: now });
    if (apartMs === undefined) this.#note(taskId, report, record);
    const reason = reasons[change];
    const reasoned = reason === undefined ? report : { ...report, reason };
    const status = toTaskStatus(
      taskId,
      reasoned,
      { agentId, executorId, uuid: newUuid(), nowMs: now },
      record,
    );
    if (this.#updates.add(status, change, now)) this.#options.send(status);
  }

  #note(taskId: TaskId, { state, reason, message }: TaskReport, record: TaskRecord | undefined): void {
    const timings = state === 'TASK_RUNNING' ? record?.timings : undefined;
    // The log has a field of its own that is called message.
    this.#options.log.info('task state', { taskId, state, reason, detail: message, timings });
  }

  /** Nothing more will come of this task. */
  forget(taskId: TaskId): void {
    this.#told.delete(taskId);
  }

  acknowledged(taskId: string, uuid: Uint8Array): void {
    const next = this.#updates.acknowledge(taskId, uuid, this.#options.clock.now());
    if (next !== undefined) this.#options.send(next);
    if (!this.#updates.allAcknowledged) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  /** What a SUBSCRIBE lists. */
  unacknowledged(): ReturnType<TaskUpdates['unacknowledged']> {
    return this.#updates.unacknowledged();
  }

  /** Sends again what the agent has not acknowledged for long. */
  resendOverdue(): void {
    for (const status of this.#updates.overdue(this.#options.clock.now())) this.#options.send(status);
  }

  /** Whether the agent has acknowledged everything. */
  get idle(): boolean {
    return this.#updates.allAcknowledged;
  }

  /** Resolves when the agent has acknowledged everything. */
  drained(): Promise<void> {
    if (this.#updates.allAcknowledged) return Promise.resolve();
    return new Promise((resolve) => void this.#drained.push(resolve));
  }
}
