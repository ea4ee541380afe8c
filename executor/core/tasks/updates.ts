import type { ExecutorCallUpdate, TaskInfo, TaskStatus } from '../../../proto/mesos.gen.ts';
import type { ReportChange } from './status.ts';

interface Pending {
  /** Until the first acknowledgement: the agent may not know that the task arrived. */
  task: TaskInfo | undefined;
  /** In the order in which they were made. */
  readonly sent: { readonly status: TaskStatus; readonly sentAt: number }[];
  /** The newest progress or news of the checks that waits until the one before it is acknowledged. */
  held: TaskStatus | undefined;
}

/** How long an update may stay unacknowledged before it is sent again, in milliseconds. */
const resendMs = 10_000;

/**
 * The updates that the agent has not acknowledged. INVARIANTS: of one task they stay in order; a task has at most one
 * unacknowledged progress message or news and one that waits, so the whole is bounded by the number of tasks.
 */
export class TaskUpdates {
  readonly #tasks = new Map<string, Pending>();

  /** A task that arrived: it is listed as unacknowledged until its first update is acknowledged. */
  launched(task: TaskInfo): void {
    this.#tasks.set(task.task_id.value, { task, sent: [], held: undefined });
  }

  /**
   * Takes an update in; true: send it now. Progress and news of the checks are held back while an earlier update is
   * unacknowledged; only the newest is kept.
   */
  add(status: TaskStatus, kind: Exclude<ReportChange, 'none'>, now: number): boolean {
    const pending = this.#pendingOf(status.task_id.value);
    if (kind !== 'state' && pending.sent.length > 0) {
      pending.held = status;
      return false;
    }
    pending.held = undefined;
    pending.sent.push({ status, sentAt: now });
    return true;
  }

  /** Forgets an acknowledged update; gives the one that waited for it and is to be sent now, if there is one. */
  acknowledge(taskId: string, uuid: Uint8Array, now: number): TaskStatus | undefined {
    const pending = this.#tasks.get(taskId);
    const index = pending?.sent.findIndex(({ status }) => sameBytes(status.uuid, uuid)) ?? -1;
    if (pending === undefined || index === -1) return undefined;
    pending.task = undefined;
    pending.sent.splice(index, 1);
    const { held } = pending;
    if (held !== undefined && pending.sent.length === 0) {
      pending.held = undefined;
      pending.sent.push({ status: held, sentAt: now });
      return held;
    }
    if (pending.sent.length === 0) this.#tasks.delete(taskId);
    return undefined;
  }

  /** For SUBSCRIBE: what the agent may not have. */
  unacknowledged(): { readonly tasks: readonly TaskInfo[]; readonly updates: readonly ExecutorCallUpdate[] } {
    const all = [...this.#tasks.values()];
    return {
      tasks: all.flatMap(({ task }) => task ?? []),
      updates: all.flatMap(({ sent }) => sent.map(({ status }) => ({ status }))),
    };
  }

  /** The updates that were sent so long ago that they are to be sent again; they count as sent now. */
  overdue(now: number): readonly TaskStatus[] {
    const due: TaskStatus[] = [];
    for (const pending of this.#tasks.values()) {
      for (const [index, { status, sentAt }] of pending.sent.entries()) {
        if (now - sentAt < resendMs) continue;
        pending.sent[index] = { status, sentAt: now };
        due.push(status);
      }
    }
    return due;
  }

  /** Whether the agent has everything. */
  get allAcknowledged(): boolean {
    return this.#tasks.size === 0;
  }

  #pendingOf(taskId: string): Pending {
    const known = this.#tasks.get(taskId);
    if (known !== undefined) return known;
    const pending: Pending = { task: undefined, sent: [], held: undefined };
    this.#tasks.set(taskId, pending);
    return pending;
  }
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, index) => byte === b[index]);
}
