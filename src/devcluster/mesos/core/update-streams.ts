import type { TaskStatus } from '../../../../proto/mesos.gen.ts';
import { uuidText } from '../../../mesos/uuid.ts';
import type { Clock } from '../../../runtime/clock.ts';
import type { Timings } from '../options.ts';
import { taskKey } from './master-state.ts';
import { isTerminal } from './task-states.ts';

/** The updates of one task that the scheduler has not acknowledged yet, oldest first. */
export interface UpdateStream {
  readonly frameworkId: string;
  readonly taskId: string;
  readonly pending: TaskStatus[];
  /** Uuids of the updates that were taken in, to recognise repetitions; the oldest are forgotten. */
  readonly seen: Set<string>;
}

/** What outlives a restart of the agent. */
export type UpdateStreams = Map<string, UpdateStream>;

export interface UpdateSenderOptions {
  readonly streams: UpdateStreams;
  readonly clock: Clock;
  readonly timings: Timings;
  readonly forward: (frameworkId: string, status: TaskStatus) => void;
}

const maxSeen = 1000;

/**
 * Brings status updates to the scheduler at least once and in order for each task.
 * INVARIANTS: only the head of a stream is under way; it is repeated with a doubling delay until acknowledged; a
 * stream ends with the acknowledgement of a terminal update; nothing is sent while paused.
 */
export class UpdateSender {
  readonly #options: UpdateSenderOptions;
  readonly #timers = new Map<string, () => void>();
  #paused = true;

  constructor(options: UpdateSenderOptions) {
    this.#options = options;
  }

  /** Takes an update in; false for a repetition of one that was taken in before. */
  add(frameworkId: string, status: TaskStatus): boolean {
    const taskId = status.task_id.value;
    const key = taskKey(frameworkId, taskId);
    const uuid = uuidText(status.uuid ?? new Uint8Array());
    const stream = this.#options.streams.get(key) ?? { frameworkId, taskId, pending: [], seen: new Set() };
    this.#options.streams.set(key, stream);
    if (stream.seen.has(uuid)) return false;
    stream.seen.add(uuid);
    if (stream.seen.size > maxSeen) stream.seen.delete(stream.seen.values().next().value!);
    stream.pending.push(status);
    if (stream.pending.length === 1) this.#send(key, stream);
    return true;
  }

  /**
   * An acknowledgement from the scheduler: `last` when it was that of a terminal update, `unexpected` when it does
   * not belong to the update under way.
   */
  acknowledge(frameworkId: string, taskId: string, uuid: Uint8Array): 'next' | 'last' | 'unexpected' {
    const key = taskKey(frameworkId, taskId);
    const stream = this.#options.streams.get(key);
    const head = stream?.pending[0];
    if (stream === undefined || head?.uuid === undefined || uuidText(head.uuid) !== uuidText(uuid)) {
      return 'unexpected';
    }
    this.#cancel(key);
    stream.pending.shift();
    if (isTerminal(head.state)) {
      this.#options.streams.delete(key);
      return 'last';
    }
    if (stream.pending.length > 0) this.#send(key, stream);
    return 'next';
  }

  /** The update of a task that waits for its acknowledgement. */
  head(frameworkId: string, taskId: string): TaskStatus | undefined {
    return this.#options.streams.get(taskKey(frameworkId, taskId))?.pending[0];
  }

  /** Whether the uuid was taken in before. */
  isKnown(frameworkId: string, status: TaskStatus): boolean {
    const stream = this.#options.streams.get(taskKey(frameworkId, status.task_id.value));
    return status.uuid !== undefined && (stream?.seen.has(uuidText(status.uuid)) ?? false);
  }

  /** The master is away: nothing is sent until `resume`. */
  pause(): void {
    this.#paused = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  /** Sends the head of every stream now. */
  resume(): void {
    this.#paused = false;
    for (const [key, stream] of this.#options.streams) {
      this.#cancel(key);
      if (stream.pending.length > 0) this.#send(key, stream);
    }
  }

  /** The framework is gone: its updates go nowhere. */
  drop(frameworkId: string): void {
    for (const [key, stream] of this.#options.streams) {
      if (stream.frameworkId !== frameworkId) continue;
      this.#cancel(key);
      this.#options.streams.delete(key);
    }
  }

  #send(key: string, stream: UpdateStream, delayMs = this.#options.timings.updateRetryMs): void {
    const head = stream.pending[0];
    if (this.#paused || head === undefined) return;
    this.#options.forward(stream.frameworkId, head);
    const next = Math.min(delayMs * 2, this.#options.timings.updateRetryMaxMs);
    this.#timers.set(
      key,
      this.#options.clock.after(delayMs, () => this.#send(key, stream, next)),
    );
  }

  #cancel(key: string): void {
    this.#timers.get(key)?.();
    this.#timers.delete(key);
  }
}
