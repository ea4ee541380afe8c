import type { TaskInfo } from '../../proto/mesos.gen.ts';
import { taskId } from '../../src/model/ids.ts';
import { deferred } from '../adapters/mesos/deferred.ts';
import type { Tasks } from '../serve.ts';
import type { TaskReporter } from './task-reporter.ts';

/**
 * Stands in for the tasks until the host is ready, which may take minutes: the agent is listened to meanwhile. Launches
 * wait, and are listed as unacknowledged in a SUBSCRIBE; what is to end before it began ends at once.
 * INVARIANT: a task waits once, so no more wait than the agent has given resources to.
 */
export class WaitingTasks implements Tasks {
  readonly #reporter: TaskReporter;
  /** In the order in which they came. */
  readonly #launches = new Map<string, TaskInfo>();
  readonly #next = deferred<Tasks>();
  #leader: { readonly url: string; readonly term: number } | undefined;

  constructor(reporter: TaskReporter) {
    this.#reporter = reporter;
  }

  /** What waits, and what waits for the host to be ready, goes on with `tasks`; whatever comes later is theirs. */
  handTo(tasks: Tasks): void {
    for (const info of this.#launches.values()) tasks.launch(info);
    this.#launches.clear();
    if (this.#leader !== undefined) tasks.setLeader(this.#leader.url, this.#leader.term);
    this.#next.resolve(tasks);
  }

  launch(info: TaskInfo): void {
    if (this.#launches.has(info.task_id.value)) return;
    this.#launches.set(info.task_id.value, info);
    this.#reporter.launched(info);
  }

  kill(id: string): void {
    if (!this.#launches.delete(id)) return;
    this.#reporter.report(taskId(id), {
      state: 'TASK_KILLED',
      message: 'killed before it ran',
      reason: 'REASON_TASK_KILLED_DURING_LAUNCH',
    });
    this.#reporter.forget(taskId(id));
  }

  killAll(): void {
    for (const id of this.#launches.keys()) this.kill(id);
  }

  emptied(): Promise<void> {
    return Promise.resolve();
  }

  /** No task of this executor has one yet. */
  portLost(): void {}

  async handOver(): Promise<void> {
    const tasks = await this.#next.promise;
    await tasks.handOver();
  }

  leaveHost(): Promise<void> {
    return Promise.resolve();
  }

  setLeader(url: string, term: number): void {
    if (this.#leader === undefined || term >= this.#leader.term) this.#leader = { url, term };
  }
}
