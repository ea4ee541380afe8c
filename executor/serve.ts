import type { KillPolicy, TaskInfo } from '../proto/mesos.gen.ts';
import type { EndpointKey } from '../src/fabric/view.ts';
import { taskId } from '../src/model/ids.ts';
import type { Clock } from '../src/runtime/clock.ts';
import { withDeadline } from '../src/runtime/deadline.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Loop } from '../src/runtime/loop.ts';
import type { Scope } from '../src/runtime/scope.ts';
import type { ExecutorConfig } from './config.ts';
import type { ListedContainer } from './core/tasks/containers.ts';
import type { Host } from './host.ts';
import { ContainerGarbage } from './tasks/container-garbage.ts';
import { DeathWatch } from './tasks/death-watch.ts';
import { hostAbandoned } from './tasks/host-lock.ts';
import { IdleTimer } from './tasks/idle-timer.ts';
import type { TaskReporter } from './tasks/task-reporter.ts';
import { TaskSet } from './tasks/task-set.ts';

/** What the agent and the host want of the tasks. */
export interface Tasks {
  launch(info: TaskInfo): void;
  kill(id: string, policy: KillPolicy | undefined): void;
  killAll(graceMs: number): void;
  emptied(): Promise<void>;
  portLost(endpoint: EndpointKey, reason: string): void;
  /** Leaves the host and the tasks to come to a newer executor; ends when the last task of its own has ended. */
  handOver(): Promise<void>;
  /** Nothing runs here any more: what serves tasks goes, too. */
  leaveHost(): Promise<void>;
  /** The scheduler's API is at `url`, as of `term`. */
  setLeader(url: string, term: number): void;
}

export interface ServeOptions {
  readonly host: Host;
  readonly config: ExecutorConfig;
  readonly sandboxDir: string;
  readonly reporter: TaskReporter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly scope: Scope;
  readonly onIdle: () => void;
  /** The executor that this one handed the host over to has gone, and no other came. */
  readonly onAbandoned: () => void;
}

/** How long tasks that are being started may keep a newer executor waiting, in milliseconds. */
const settleMs = 45_000;
/** A task's last updates go before the executor does. */
const retiredIdleMs = 500;
/** How long a host may be without an executor that has its switch, in milliseconds. */
const abandonedMs = 30_000;

/** How often unacknowledged updates are looked through, in milliseconds. */
const resendEveryMs = 5000;

/** Everything that runs tasks on a host that is ready; it belongs to `scope`. */
export function startTasks(options: ServeOptions): Tasks {
  const { host, config, reporter, clock, log, scope } = options;
  const { containers } = host.tools;
  const idle = new IdleTimer(clock, config.idleExitSeconds * 1000, () => {
    // Whoever handed the host over relies on the one that has it, and so do machines that are no tasks.
    if (tasks.retired || !(host.lives.hasOthers || host.fabric.hasMachines)) options.onIdle();
    else idle.update(0);
  });
  scope.defer('idle timer', () => idle.stop());
  const tasks = new TaskSet({
    tools: host.tools,
    prober: host.prober,
    reporter,
    clock,
    log,
    sandboxDir: options.sandboxDir,
    rotation: { maxBytes: config.outputMaxBytes, maxFiles: config.outputFiles },
    onScheduler: (url, access) => {
      if (access !== undefined) host.fabric.setAccess(access);
      host.fabric.setLeader(url);
    },
    onCount: (count) => idle.update(count),
  });
  scope.defer('containers of tasks', () => {
    const left = tasks.records().map(({ task }) => task.taskId);
    if (left.length === 0) return;
    log.warn('ending before the tasks; what is left of them is for the undertaker', { left });
    host.lives.leaveContainers();
  });
  const watch = new DeathWatch(containers, tasks, clock, log);
  watch.start();
  scope.defer('watch of containers', () => watch.stop());
  const isWanted = ({ taskId: id, runId }: ListedContainer) => tasks.has(id) || host.lives.isOther(runId);
  const garbage = new ContainerGarbage(containers, isWanted, clock, log);
  garbage.start();
  scope.defer('garbage collection', () => garbage.stop());
  const inCharge = new AbortController();
  scope.defer('watch of other executors', () => inCharge.abort());
  host.lives.follow(inCharge.signal, log, async (id) => {
    try {
      await garbage.removeOf(id);
    } finally {
      await host.fabric.cleanUp((other) => host.lives.isOther(other));
    }
  });
  resendUpdates(options);
  const handOver = async (): Promise<void> => {
    log.info('handing the host over to a newer executor');
    await withDeadline(tasks.retire(), settleMs, 'the start of tasks').catch((error: unknown) =>
      log.warn('the host is handed over in the middle of the start of tasks', { error }),
    );
    inCharge.abort();
    await garbage.stop();
    await host.handOver();
    idle.setPatience(retiredIdleMs);
    watchSuccessor(options);
  };
  return tasksOf(tasks, host, handOver);
}

/** Without anybody who has the switch, the host's view gets old: then its tasks are better placed anew. */
function watchSuccessor({ config, scope, log, onAbandoned }: ServeOptions): void {
  const stop = new AbortController();
  scope.defer('watch of the newer executor', () => stop.abort());
  hostAbandoned(config.stateDir, abandonedMs, stop.signal).then(
    (abandoned) => abandoned && onAbandoned(),
    (error: unknown) => stop.signal.aborted || log.warn('the newer executor is not watched', { error }),
  );
}

function tasksOf(tasks: TaskSet, { fabric }: Host, handOver: () => Promise<void>): Tasks {
  return {
    handOver,
    launch: (info) => tasks.launch(info),
    kill: (id, policy) => tasks.kill(id, policy),
    killAll: (graceMs) => tasks.killAll(graceMs),
    emptied: () => tasks.emptied(),
    portLost: (endpoint, reason) => tasks.portLost(endpoint, reason),
    leaveHost: () => fabric.leave(),
    setLeader: (url, term) => fabric.setLeader(url, term),
  };
}

function resendUpdates({ reporter, clock, log, scope }: ServeOptions): void {
  const loop = new Loop({
    clock,
    everyMs: resendEveryMs,
    round: () => Promise.resolve(reporter.resendOverdue()),
    onError: (error) => log.warn('could not send updates again', { error }),
  });
  loop.trigger();
  scope.defer('resending of updates', () => loop.stop());
}

/** What stands in for the tasks on a host that cannot run any: each is refused with `message`. */
export function refusingTasks(message: string, reporter: TaskReporter): Tasks {
  return {
    launch: (info) => {
      const id = taskId(info.task_id.value);
      reporter.launched(info);
      reporter.report(id, {
        state: 'TASK_FAILED',
        message,
        reason: 'REASON_CONTAINER_LAUNCH_FAILED',
        hostUnfit: true,
      });
      reporter.forget(id);
    },
    kill: () => undefined,
    handOver: () => Promise.resolve(),
    killAll: () => undefined,
    emptied: () => Promise.resolve(),
    portLost: () => undefined,
    leaveHost: () => Promise.resolve(),
    setLeader: () => undefined,
  };
}
