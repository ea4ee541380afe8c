import path from 'node:path';
import type { KillPolicy, TaskInfo } from '../../proto/mesos.gen.ts';
import { endpointKey, type EndpointKey } from '../../src/fabric/view.ts';
import { taskId as toTaskId, type TaskId } from '../../src/model/ids.ts';
import type { SchedulerAccess } from '../../src/model/task-spec.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import type { StepTools } from '../apply.ts';
import { containerName, type ContainerRole } from '../core/tasks/container-spec.ts';
import { killGraceMs, readLaunch, type DesiredTask } from '../core/tasks/desired.ts';
import { reportOf } from '../core/tasks/status.ts';
import type { Prober } from '../core/tasks/probing.ts';
import { isEnding, type TaskRecord } from '../core/tasks/record.ts';
import { OutputCopier } from './output-copier.ts';
import type { Rotation } from './rotating-file.ts';
import type { TaskReporter } from './task-reporter.ts';
import { TaskRunner } from './task-runner.ts';

export interface TaskSetOptions {
  readonly tools: StepTools;
  readonly prober: Prober;
  readonly reporter: TaskReporter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Each task's output goes to `<sandboxDir>/tasks/<task id>`. */
  readonly sandboxDir: string;
  readonly rotation: Rotation;
  /** Called with what a launch carries: where the scheduler's API is and how to be let in. */
  readonly onScheduler: (url: string, access: SchedulerAccess | undefined) => void;
  /** Called with the number of tasks whenever it changes. */
  readonly onCount: (count: number) => void;
}

/** All tasks of this executor, from LAUNCH until nothing of them is left on the host. */
export class TaskSet {
  readonly #options: TaskSetOptions;
  readonly #runners = new Map<TaskId, TaskRunner>();
  /** Ends that Docker told while its answer to the start was still on the way. */
  readonly #earlyDeaths = new Set<TaskId>();
  /** Why launches come too late, once they do. */
  #late: string | undefined;
  #retired = false;
  #emptied: (() => void)[] = [];
  #settled: (() => void)[] = [];

  constructor(options: TaskSetOptions) {
    this.#options = options;
  }

  /** Begins a task; one that cannot run is refused with TASK_FAILED, one that comes too late with TASK_DROPPED. */
  launch(info: TaskInfo): void {
    const { reporter, log } = this.#options;
    const id = toTaskId(info.task_id.value);
    if (this.#runners.has(id)) return log.warn('a task was launched twice', { taskId: id });
    reporter.launched(info);
    if (this.#late !== undefined) return this.#drop(id, this.#late);
    const launch = readLaunch(info);
    if (launch.kind === 'accepted') {
      const { schedulerUrl, schedulerAccess } = launch.task.spec;
      this.#options.onScheduler(schedulerUrl, schedulerAccess);
      return this.#run(launch.task);
    }
    reporter.report(id, { state: 'TASK_FAILED', message: launch.message, reason: 'REASON_TASK_INVALID' });
    reporter.forget(id);
  }

  /** Ends a task: SIGTERM (or what the image wants), SIGKILL when its grace period is over. */
  kill(id: string, policy: KillPolicy | undefined): void {
    const runner = this.#runners.get(toTaskId(id));
    if (runner === undefined) return this.#options.log.info('no such task to kill', { taskId: id });
    const graceMs = killGraceMs(policy, runner.record.task.spec.killGraceMs);
    runner.handle({ kind: 'kill', graceMs, at: this.#options.clock.now() });
  }

  /**
   * Ends every task, each within its own grace period but at most `graceMs`. A launch that still arrives is given back, as
   * one that never happened.
   */
  killAll(graceMs: number): void {
    this.#late = 'the executor is ending';
    const at = this.#options.clock.now();
    for (const runner of this.#runners.values()) {
      const own = runner.record.task.spec.killGraceMs;
      runner.handle({ kind: 'kill', graceMs: Math.min(own, graceMs), at });
    }
  }

  /**
   * Another executor takes the tasks to come: a launch that still arrives is given back, as one that never happened.
   * Resolves when no task is being started any more.
   */
  retire(): Promise<void> {
    this.#retired = true;
    this.#late ??= 'a newer executor serves this host';
    return new Promise((resolve) => {
      this.#settled.push(resolve);
      this.#checkSettled();
    });
  }

  get retired(): boolean {
    return this.#retired;
  }

  /** Resolves when no task is left. */
  emptied(): Promise<void> {
    if (this.#runners.size === 0) return Promise.resolve();
    return new Promise((resolve) => void this.#emptied.push(resolve));
  }

  has(id: string): boolean {
    return this.#runners.has(toTaskId(id));
  }

  records(): readonly TaskRecord[] {
    return [...this.#runners.values()].map((runner) => runner.record);
  }

  /** The port of an endpoint is broken for good. */
  portLost(endpoint: EndpointKey, reason: string): void {
    const key = endpointKey(endpoint);
    for (const runner of this.#runners.values()) {
      const { plug } = runner.record.task;
      if (plug !== undefined && endpointKey(plug.endpoint) === key)
        runner.handle({ kind: 'port-lost', reason });
    }
  }

  /**
   * Looks at a container that is said to have ended and takes note of what is so.
   * @throws PatchpanelError when Docker does not answer; call it again
   */
  async checkEnded(id: string, role: ContainerRole): Promise<void> {
    const runner = this.#runners.get(toTaskId(id));
    if (runner === undefined) return;
    if (role === 'app' && runner.record.underWay.has('start-app')) {
      this.#earlyDeaths.add(runner.record.task.taskId);
      return;
    }
    const name = containerName(role, runner.record.task.taskId);
    const facts = await this.#options.tools.containers.inspect(name);
    if (facts?.running === true) return;
    if (role === 'sandbox') return runner.handle({ kind: 'sandbox-lost' });
    if (facts === undefined) return runner.handle({ kind: 'app-lost' });
    const { exitCode, oomKilled } = facts;
    runner.handle({ kind: 'app-exited', exitCode, oomKilled });
  }

  #run(task: DesiredTask): void {
    const { tools, prober, clock, log, rotation, sandboxDir, onCount } = this.#options;
    const taskLog = log.child({ taskId: task.taskId });
    const output = new OutputCopier(containerName('app', task.taskId), {
      containers: tools.containers,
      directory: path.join(sandboxDir, 'tasks', task.taskId),
      rotation,
      tty: task.spec.tty,
      log: taskLog,
    });
    const runner = new TaskRunner(task, {
      tools,
      prober,
      clock,
      log: taskLog,
      output,
      onChange: (record) => this.#changed(record),
      onGone: (record) => this.#forget(record),
    });
    this.#runners.set(task.taskId, runner);
    onCount(this.#runners.size);
    runner.start();
  }

  #drop(id: TaskId, message: string): void {
    const { reporter, log } = this.#options;
    log.info('a launch came too late for this executor', { taskId: id });
    reporter.report(id, { state: 'TASK_DROPPED', message });
    reporter.forget(id);
  }

  #checkSettled(): void {
    if (this.#settled.length === 0 || this.records().some(isStarting)) return;
    for (const resolve of this.#settled.splice(0)) resolve();
  }

  #changed(record: TaskRecord): void {
    const { taskId } = record.task;
    this.#options.reporter.report(taskId, reportOf(record), record);
    this.#checkSettled();
    if (record.app === 'running' && this.#earlyDeaths.delete(taskId)) {
      this.checkEnded(taskId, 'app').catch((error: unknown) => {
        this.#options.log.warn('could not look at a container that ended', { taskId, error });
      });
    }
  }

  #forget(record: TaskRecord): void {
    const { taskId } = record.task;
    this.#earlyDeaths.delete(taskId);
    this.#runners.delete(taskId);
    this.#options.reporter.forget(taskId);
    this.#options.onCount(this.#runners.size);
    this.#checkSettled();
    if (this.#runners.size > 0) return;
    for (const resolve of this.#emptied.splice(0)) resolve();
  }
}

/** Whether the task's app has still to be started. */
const isStarting = (record: TaskRecord): boolean =>
  !isEnding(record) && (record.app === 'absent' || record.app === 'created');
