import type { ExecutorCall, ExecutorEvent, TaskStatus } from '../../proto/mesos.gen.ts';
import { isTerminalState } from '../../executor/core/tasks/status.ts';
import type { TaskSpec } from '../../src/model/task-spec.ts';
import { taskInfo } from './executor-tasks.ts';
import { answer, FakeMesos, FakeStream, type FakeRequest } from './fake-mesos.ts';

const framework = { value: 'framework-1' };

/** An agent behind a real unix socket that accepts one executor and acknowledges its updates. */
export class FakeAgent {
  readonly subscriptions: ExecutorCall[] = [];
  readonly updates: TaskStatus[] = [];
  /** Set it to leave updates unacknowledged. */
  silent = false;
  readonly #server: FakeMesos<'ExecutorCall'>;
  #stream: FakeStream | undefined;
  #changed: (() => void)[] = [];
  #closed = false;

  private constructor(server: FakeMesos<'ExecutorCall'>) {
    this.#server = server;
    void this.#serve();
  }

  static async start(socketPath: string): Promise<FakeAgent> {
    return new FakeAgent(await FakeMesos.start('ExecutorCall', socketPath));
  }

  /** What an agent puts into the environment of an executor. */
  static environment(socketPath: string, sandbox: string): Record<string, string> {
    return {
      MESOS_FRAMEWORK_ID: framework.value,
      MESOS_EXECUTOR_ID: 'executor-1',
      MESOS_SLAVE_ID: 'agent-1',
      MESOS_AGENT_ENDPOINT: '127.0.0.1:5051',
      MESOS_DOMAIN_SOCKET: socketPath,
      MESOS_SANDBOX: sandbox,
      MESOS_DIRECTORY: sandbox,
      MESOS_CHECKPOINT: '1',
      MESOS_RECOVERY_TIMEOUT: '15mins',
      MESOS_SUBSCRIPTION_BACKOFF_MAX: '100ms',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '5secs',
    };
  }

  launch(spec: TaskSpec): string {
    this.send({ type: 'LAUNCH', launch: { task: taskInfo(spec) } });
    return spec.taskId;
  }

  kill(id: string): void {
    this.send({ type: 'KILL', kill: { task_id: { value: id } } });
  }

  send(event: ExecutorEvent): void {
    if (this.#stream === undefined) throw new Error('no executor is subscribed');
    this.#stream.send(event);
  }

  /** Breaks the stream, as a restart of the agent does. */
  cut(): void {
    this.#stream?.cut();
  }

  subscribed(times = 1): Promise<void> {
    return this.#until(() => this.subscriptions.length >= times || undefined).then(() => undefined);
  }

  /** The first update of a task in that state, past or to come. */
  reaches(id: string, state: TaskStatus['state']): Promise<TaskStatus> {
    return this.#until(() => {
      const own = this.updates.filter((update) => update.task_id.value === id);
      const end = own.find((update) => isTerminalState(update.state));
      if (end !== undefined && end.state !== state)
        throw new Error(`${end.state}: ${end.message}, not ${state}`);
      return own.find((update) => update.state === state);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#server.close();
  }

  async #until<T>(look: () => T | undefined): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => void this.#changed.push(resolve));
    }
  }

  async #serve(): Promise<void> {
    while (!this.#closed) {
      const request = await this.#server.requests.next(500).catch(() => undefined);
      if (request === undefined) continue;
      this.#take(request);
      for (const wake of this.#changed.splice(0)) wake();
    }
  }

  #take(request: FakeRequest<'ExecutorCall'>): void {
    const { call } = request;
    if (call.type === 'SUBSCRIBE') return this.#subscribe(request);
    answer(request, 202);
    if (call.type !== 'UPDATE' || call.update === undefined) return;
    const { status } = call.update;
    this.updates.push(status);
    if (this.silent || status.uuid === undefined) return;
    this.send({ type: 'ACKNOWLEDGED', acknowledged: { task_id: status.task_id, uuid: status.uuid } });
  }

  #subscribe(request: FakeRequest<'ExecutorCall'>): void {
    this.subscriptions.push(request.call);
    this.#stream = new FakeStream(request, 'ExecutorEvent');
    this.send({
      type: 'SUBSCRIBED',
      subscribed: {
        executor_info: { executor_id: { value: 'executor-1' } },
        framework_info: { user: 'root', name: 'patchpanel', id: framework },
        agent_info: { hostname: 'host-1', id: { value: 'agent-1' } },
      },
    });
  }
}
