import { ExecutorClient, type ExecutorOutcome } from '../src/mesos/executor-client.ts';
import type { ExecutorEnvironment } from '../src/mesos/executor-environment.ts';
import type { AgentEvent } from '../src/mesos/events.ts';
import { systemClock as clock } from '../src/runtime/clock.ts';
import { withDeadline } from '../src/runtime/deadline.ts';
import { messageOf } from '../src/runtime/errors.ts';
import type { Logger } from '../src/runtime/logger.ts';
import { Scope } from '../src/runtime/scope.ts';
import { handleTaskEvent } from './adapters/mesos/task-events.ts';
import { deferred } from './adapters/mesos/deferred.ts';
import type { ExecutorConfig } from './config.ts';
import { prepareHost } from './host.ts';
import { refusingTasks, startTasks, type Tasks } from './serve.ts';
import { TaskReporter } from './tasks/task-reporter.ts';
import { WaitingTasks } from './tasks/waiting-tasks.ts';

/** Kept of the shutdown grace period for removing containers and telling their ends, in milliseconds. */
const shutdownReserveMs = 1500;
/** How long tasks may take beyond their grace period until nothing of them is left, in milliseconds. */
const removalMs = 5000;
/** How long the host's own part in networks may take to be removed, in milliseconds. */
const leaveMs = 1000;
/** How long the last updates may take to be acknowledged, in milliseconds. */
const drainUpdatesMs = 3000;
/** Grace period where nobody gives one: the agent is gone, or there are no tasks. */
const ownGraceMs = 10_000;
/** How long an executor that cannot serve its host stays to say so, in milliseconds. */
const lastWordsMs = 3000;

/** Why an executor ends, and how. */
interface End {
  readonly reason: string;
  readonly graceMs: number;
  readonly exitCode: number;
}

/** One executor, from its subscription until its orderly end. */
export class Executor {
  readonly #config: ExecutorConfig;
  readonly #environment: ExecutorEnvironment;
  readonly #log: Logger;
  readonly #scope: Scope;
  readonly #client: ExecutorClient;
  readonly #reporter: TaskReporter;
  readonly #hostname = deferred<string>();
  readonly #waiting: WaitingTasks;
  #tasks: Tasks;
  readonly #end = deferred<End>();
  readonly #ending = new AbortController();

  constructor(config: ExecutorConfig, environment: ExecutorEnvironment, log: Logger) {
    this.#config = config;
    this.#environment = environment;
    this.#log = log;
    this.#scope = new Scope(log);
    this.#client = new ExecutorClient({
      environment,
      encoding: config.mesosEncoding,
      log,
      unacknowledged: () => this.#reporter.unacknowledged(),
      onEvent: (event) => this.#onEvent(event),
      onDisconnected: (reason) => log.warn('the agent is away; tasks go on', { reason }),
    });
    this.#reporter = new TaskReporter({
      agentId: environment.agentId,
      executorId: environment.executorId,
      clock,
      log,
      send: (status) => void this.#send(status),
    });
    this.#waiting = new WaitingTasks(this.#reporter);
    this.#tasks = this.#waiting;
  }

  /** Serves until it is told to end, or cannot go on; gives the exit code. */
  async run(): Promise<number> {
    const subscription = this.#client.run().then(
      (outcome) => this.#end.resolve(endOf(outcome)),
      (error: unknown) => this.#end.resolve({ reason: messageOf(error), graceMs: ownGraceMs, exitCode: 1 }),
    );
    this.#serve().catch((error: unknown) => this.#cannotServe(error));
    const end = await this.#end.promise;
    this.#log.info('ending', { reason: end.reason });
    this.#ending.abort();
    await this.#endTasks(end.graceMs);
    this.#client.stop();
    await subscription;
    await this.#scope.close();
    return end.exitCode;
  }

  /** Every task is ended within the agent's grace period, then run() returns. */
  shutdown(reason: string): void {
    const graceMs = Math.max(0, this.#environment.shutdownGraceMs - shutdownReserveMs);
    this.#end.resolve({ reason, graceMs, exitCode: 0 });
  }

  async #serve(): Promise<void> {
    const host = await prepareHost({
      config: this.#config,
      environment: this.#environment,
      hostname: await this.#hostname.promise,
      log: this.#log,
      scope: this.#scope,
      signal: this.#ending.signal,
      onPortLost: (endpoint, reason) => this.#tasks.portLost(endpoint, reason),
      onSuccessor: () => void this.#handOver(),
    });
    if (this.#ending.signal.aborted) return;
    const tasks = startTasks({
      host,
      config: this.#config,
      sandboxDir: this.#environment.sandbox,
      reporter: this.#reporter,
      clock,
      log: this.#log,
      scope: this.#scope,
      onIdle: () => this.#end.resolve({ reason: 'no tasks for long', graceMs: ownGraceMs, exitCode: 0 }),
      onAbandoned: () => this.shutdown('the newer executor of this host is gone'),
    });
    this.#begin(tasks);
  }

  #begin(tasks: Tasks): void {
    this.#tasks = tasks;
    this.#waiting.handTo(tasks);
  }

  /** A newer executor takes the host; this one stays for the tasks that it has. */
  async #handOver(): Promise<void> {
    try {
      await this.#tasks.handOver();
    } catch (error) {
      this.#log.error('the host could not be handed over; everything of this executor ends', { error });
      this.shutdown('the host could not be handed over');
    }
  }

  /** Tasks are refused with the reason, so that it is seen where the tasks are seen. */
  #cannotServe(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#log.error('cannot serve this host', { error });
    this.#begin(refusingTasks(`the executor cannot serve this host: ${messageOf(error)}`, this.#reporter));
    const cancel = clock.after(lastWordsMs, () =>
      this.#end.resolve({ reason: 'cannot serve this host', graceMs: 0, exitCode: 1 }),
    );
    this.#scope.defer('last words', cancel);
  }

  #onEvent(event: AgentEvent): void {
    switch (event.type) {
      case 'SUBSCRIBED':
        this.#log.info('subscribed', { agent: event.subscribed.agent_info.hostname });
        return this.#hostname.resolve(event.subscribed.agent_info.hostname);
      case 'SHUTDOWN':
        return this.shutdown('the agent wants it');
      case 'HEARTBEAT':
        return;
      case 'ERROR':
        return this.#log.error('the agent reports an error', { reported: event.error.message });
      case 'ACKNOWLEDGED':
        return this.#reporter.acknowledged(event.acknowledged.task_id.value, event.acknowledged.uuid);
      case 'LAUNCH':
      case 'LAUNCH_GROUP':
      case 'KILL':
      case 'MESSAGE':
        return handleTaskEvent(event, { tasks: this.#tasks, reporter: this.#reporter, log: this.#log });
    }
  }

  async #send(...[status]: Parameters<ExecutorClient['update']>): Promise<void> {
    const outcome = await this.#client.update(status);
    if (outcome.kind !== 'refused') return;
    this.#log.error('the agent refuses an update', { taskId: status.task_id.value, outcome });
    this.#end.resolve({ reason: 'the agent does not know this executor', graceMs: ownGraceMs, exitCode: 1 });
  }

  async #endTasks(graceMs: number): Promise<void> {
    const tasks = this.#tasks;
    tasks.killAll(graceMs);
    await this.#atMost(tasks.emptied(), graceMs + removalMs, 'removing all tasks');
    await this.#atMost(tasks.leaveHost(), leaveMs, 'leaving the host');
    if (this.#client.subscribed) {
      await this.#atMost(this.#reporter.drained(), drainUpdatesMs, 'the acknowledgement of the last updates');
    }
  }

  async #atMost(work: Promise<void>, limitMs: number, what: string): Promise<void> {
    try {
      await withDeadline(work, limitMs, what);
    } catch (error) {
      this.#log.warn('ending without it', { error });
    }
  }
}

function endOf(outcome: ExecutorOutcome): End {
  switch (outcome.kind) {
    case 'stopped':
      return { reason: 'stopped', graceMs: ownGraceMs, exitCode: 0 };
    case 'agent-lost':
      return { reason: `no agent for ${outcome.afterMs} ms`, graceMs: ownGraceMs, exitCode: 0 };
    case 'failed-over':
    case 'removed':
    case 'error':
      return { reason: outcome.message, graceMs: ownGraceMs, exitCode: 1 };
  }
}
