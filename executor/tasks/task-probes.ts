import { messageOf } from '../../src/runtime/errors.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { containerName } from '../core/container-spec.ts';
import { pauseMs, type ProbeOutcome } from '../core/health-check.ts';
import type { Prober, ProbeTarget } from '../core/probing.ts';
import { isEnding, type TaskRecord } from '../core/task-record.ts';

export interface TaskProbesOptions {
  readonly prober: Prober;
  readonly clock: Clock;
  readonly log: Logger;
  /** Called with what a probe of the check with this number found, while the app runs. */
  readonly onOutcome: (check: number, outcome: ProbeOutcome) => void;
}

/**
 * Runs the health checks of one task while its app runs. INVARIANT: of each check one probe is under way or one timer
 * is set, never both.
 */
export class TaskProbes {
  readonly #options: TaskProbesOptions;
  readonly #timers = new Map<number, () => void>();
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
  }

  #end(): void {
    this.#phase = 'over';
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #after(delayMs: number, check: number): void {
    const cancel = this.#options.clock.after(delayMs, () => void this.#probe(check));
    this.#timers.set(check, cancel);
  }

  async #probe(check: number): Promise<void> {
    this.#timers.delete(check);
    const record = this.#record;
    const spec = record?.task.spec.healthChecks[check];
    if (record === undefined || spec === undefined) return;
    const outcome = await this.#options.prober
      .probe(spec.probe, targetOf(record), spec.timeoutMs)
      .catch((error: unknown): ProbeOutcome => {
        this.#options.log.warn('could not run a health check', { check, error: messageOf(error) });
        return { kind: 'ignored' };
      });
    if (this.#phase !== 'probing') return;
    // This brings a new record by follow(), and perhaps the end.
    this.#options.onOutcome(check, outcome);
    const state = this.#record?.health[check];
    if (this.#phase === 'probing' && state !== undefined) this.#after(pauseMs(spec, state), check);
  }
}

/** A task on the switch is probed at its own address, one on the host's network at the loopback address. */
function targetOf({ task, sandbox }: TaskRecord): ProbeTarget {
  return {
    container: containerName('app', task.taskId),
    address: task.plug?.network.ip ?? '127.0.0.1',
    ...(sandbox.is === 'running' ? { sandboxPid: sandbox.pid } : {}),
  };
}
