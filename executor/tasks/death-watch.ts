import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';
import type { Containers, ListedContainer } from '../core/tasks/containers.ts';
import type { TaskRecord } from '../core/tasks/record.ts';
import type { TaskSet } from './task-set.ts';

/** How often the events are checked against a list, in milliseconds. */
const sweepEveryMs = 10_000;
/** Pause before the events are followed again, in milliseconds. */
const reopenMs = 100;
const backoff = { baseMs: 200, maxMs: 5000, factor: 2 } as const;

/**
 * Notices ends of containers: by Docker's events, and by a list at each (re)connection and every ten seconds, since
 * events can be missed.
 */
export class DeathWatch {
  readonly #containers: Containers;
  readonly #tasks: TaskSet;
  readonly #events: Loop;
  readonly #sweep: Loop;

  constructor(containers: Containers, tasks: TaskSet, clock: Clock, log: Logger) {
    this.#containers = containers;
    this.#tasks = tasks;
    this.#events = new Loop({
      clock,
      backoff,
      everyMs: reopenMs,
      round: (signal) => this.#follow(signal),
      onError: (error) => log.warn('events of Docker were interrupted', { error }),
    });
    this.#sweep = new Loop({
      clock,
      backoff,
      everyMs: sweepEveryMs,
      round: () => this.#compare(),
      onError: (error) => log.warn('could not list containers', { error }),
    });
  }

  start(): void {
    this.#events.trigger();
    this.#sweep.trigger();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#events.stop(), this.#sweep.stop()]);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    for await (const death of this.#containers.deaths(() => this.#sweep.trigger(), signal)) {
      await this.#tasks.checkEnded(death.taskId, death.role);
    }
  }

  /** Whatever should run but is not listed as running is looked at closely. */
  async #compare(): Promise<void> {
    const before = this.#tasks.records();
    const running = new Set((await this.#containers.list()).filter(isRunning).map(keyOf));
    for (const record of before) {
      const { taskId } = record.task;
      if (record.app === 'running' && !running.has(`app ${taskId}`))
        await this.#tasks.checkEnded(taskId, 'app');
      if (hasSandbox(record) && !running.has(`sandbox ${taskId}`)) {
        await this.#tasks.checkEnded(taskId, 'sandbox');
      }
    }
  }
}

const isRunning = (container: ListedContainer): boolean => container.running;
const keyOf = (container: ListedContainer): string => `${container.role} ${container.taskId}`;
const hasSandbox = (record: TaskRecord): boolean => record.sandbox.is === 'running';
