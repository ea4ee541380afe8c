import type { TaskSpec } from '../../src/model/task-spec.ts';
import { messageOf } from '../../src/runtime/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { containerName } from '../core/tasks/container-spec.ts';
import { pauseMs, type ProbeOutcome } from '../core/tasks/health-check.ts';
import type { Prober, ProbeTarget } from '../core/tasks/probing.ts';
import { isEnding, type TaskRecord } from '../core/tasks/record.ts';

export interface TaskProbesOptions {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with what a probe found, while the app runs. */
  readonly onOutcome: (check: CheckName, outcome: ProbeOutcome) => void;
}

/** The number of a health check, or the readiness check. */
export type CheckName = number | 'readiness';

/**
 * Runs the health checks of one task while its app runs, and its readiness check until it is ready. INVARIANT: of each check one probe is under way or one timer
 * is set, never both.
 */
export class TaskProbes {
  readonly #options: TaskProbesOptions;
  readonly #timers = new Map<CheckName, () => void>();
  #record: TaskRecord | undefined;
  #phase: 'before' | 'probing' | 'over' = 'before';

  constructor(options: TaskProbesOptions) {
    this.#options = options;
  }

  /** Begins when the app runs, ends when it is to end. Call it with every new record. */
  follow(record: TaskRecord): void {
    this.#record = record;
    if (isEnding(record)) return this.#end();
    if (record.app !== 'running' || this.#phase !== 'before') return;
    this.#phase = 'probing';
    for (const [check, { delayMs }] of record.task.spec.healthChecks.entries()) this.#after(delayMs, check);
    if (record.ready === false) this.#after(0, 'readiness');
  }

  #end(): void {
    this.#phase = 'over';
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #after(delayMs: number, check: CheckName): void {
    const cancel = this.#options.clock.after(delayMs, () => void this.#probe(check));
    this.#timers.set(check, cancel);
  }

  async #probe(check: CheckName): Promise<void> {
    this.#timers.delete(check);
    const record = this.#record;
    const spec = record === undefined ? undefined : specOf(record, check);
    if (record === undefined || spec === undefined) return;
    const outcome = await this.#options.prober
      .probe(spec.probe, targetOf(record), spec.timeoutMs)
      .catch((error: unknown): ProbeOutcome => {
        this.#options.log.warn('could not run a check', { check, error: messageOf(error) });
        return { kind: 'ignored' };
      });
    if (this.#phase !== 'probing') return;
    // This brings a new record by follow(), and perhaps the end.
    this.#options.onOutcome(check, outcome);
    const pause = this.#record === undefined ? undefined : pauseAfter(this.#record, check);
    if (this.#phase === 'probing' && pause !== undefined) this.#after(pause, check);
  }
}

const specOf = ({ task: { spec } }: TaskRecord, check: CheckName): TaskSpec['readinessCheck'] =>
  check === 'readiness' ? spec.readinessCheck : spec.healthChecks[check];

/** Milliseconds until the next probe; undefined: there is none to come. */
function pauseAfter({ task, health, ready }: TaskRecord, check: CheckName): number | undefined {
  if (check === 'readiness') return ready === false ? task.spec.readinessCheck?.intervalMs : undefined;
  const spec = task.spec.healthChecks[check];
  const state = health[check];
  return spec === undefined || state === undefined ? undefined : pauseMs(spec, state);
}

/** A task on the switch is probed at its own address, one on the host's network at the loopback address. */
function targetOf({ task, sandbox }: TaskRecord): ProbeTarget {
  return {
    container: containerName('app', task.taskId),
    address: task.plug?.network.ip ?? '127.0.0.1',
    ...(sandbox.is === 'running' ? { sandboxPid: sandbox.pid } : {}),
  };
}
