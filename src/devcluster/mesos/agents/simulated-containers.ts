import type { ExecutorEvent, TaskInfo, TaskState } from '../../../../proto/mesos.gen.ts';
import type { Agent } from '../core/agent.ts';
import type { ContainerRequest, Containers, ExecutorStream } from '../core/agent-state.ts';
import { randomUuid } from '../core/ids.ts';
import type { ContainerEvents } from './process-containers.ts';

export interface SimulationOptions {
  readonly post: (delivery: () => void) => void;
  readonly random: () => number;
  readonly now: () => number;
  /** The agent's process, if it is up. */
  readonly agent: () => Agent | undefined;
  readonly events: ContainerEvents;
  readonly onLaunch: ((task: TaskInfo) => void) | undefined;
}

/** Executors without processes: tasks are STARTING and RUNNING at once and KILLED when told. */
export class SimulatedContainers implements Containers {
  readonly #executors = new Map<string, SimulatedExecutor>();
  readonly #options: SimulationOptions;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  launch(request: ContainerRequest): void {
    const executor = new SimulatedExecutor(request, this.#options, (status) =>
      this.#end(request.containerId, status),
    );
    this.#executors.set(request.containerId, executor);
    this.#options.post(() => executor.subscribe());
  }

  destroy(containerId: string): void {
    this.#end(containerId, 9);
  }

  /** Destroys all; gives how many there were. */
  destroyAll(): number {
    const count = this.#executors.size;
    for (const containerId of this.#executors.keys()) this.destroy(containerId);
    return count;
  }

  pids(): ReadonlyMap<string, number> {
    return new Map();
  }

  /** The agent was restarted: its executors subscribe again. */
  resubscribe(): void {
    for (const executor of this.#executors.values()) this.#options.post(() => executor.subscribe());
  }

  close(): Promise<void> {
    this.#executors.clear();
    return Promise.resolve();
  }

  #end(containerId: string, status: number): void {
    if (!this.#executors.delete(containerId)) return;
    this.#options.post(() => this.#options.events.ended(containerId, { kind: 'exited', status }));
  }
}

class SimulatedExecutor implements ExecutorStream {
  readonly #frameworkId: string;
  readonly #executorId: string;
  readonly #options: SimulationOptions;
  readonly #exit: (status: number) => void;

  constructor({ info }: ContainerRequest, options: SimulationOptions, exit: (status: number) => void) {
    this.#frameworkId = info.framework_id?.value ?? '';
    this.#executorId = info.executor_id.value;
    this.#options = options;
    this.#exit = exit;
  }

  subscribe(): void {
    const agent = this.#options.agent();
    const executor = agent?.executor(this.#frameworkId, this.#executorId);
    if (agent === undefined || executor === undefined) return;
    agent.subscribe(executor, { ...this.#ids(), type: 'SUBSCRIBE', subscribe: {} }, this);
  }

  send(event: ExecutorEvent): void {
    if (event.launch) {
      const { value } = event.launch.task.task_id;
      this.#options.onLaunch?.(event.launch.task);
      this.#update(value, 'TASK_STARTING');
      this.#update(value, 'TASK_RUNNING');
    }
    if (event.kill) this.#update(event.kill.task_id.value, 'TASK_KILLED');
    if (event.type === 'SHUTDOWN') this.#exit(0);
  }

  end(): void {
    // The agent is restarting; `resubscribe` comes when it is back.
  }

  #update(taskId: string, state: TaskState): void {
    const status = {
      task_id: { value: taskId },
      state,
      source: 'SOURCE_EXECUTOR' as const,
      uuid: randomUuid(this.#options.random),
      timestamp: this.#options.now() / 1000,
    };
    this.#options.post(() => {
      const agent = this.#options.agent();
      const executor = agent?.executor(this.#frameworkId, this.#executorId);
      if (executor !== undefined)
        agent?.call(executor, { ...this.#ids(), type: 'UPDATE', update: { status } });
    });
  }

  #ids() {
    return { framework_id: { value: this.#frameworkId }, executor_id: { value: this.#executorId } };
  }
}
