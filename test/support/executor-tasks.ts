import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { TaskInfo, TaskStatus } from '../../proto/mesos.gen.ts';
import type { StepTools } from '../../executor/apply.ts';
import { containerName, type ContainerRole } from '../../executor/core/tasks/container-spec.ts';
import { HostFiles } from '../../executor/adapters/files/host-files.ts';
import { pauseImage } from '../../executor/adapters/docker/pause-image.ts';
import { isTerminalState } from '../../executor/core/tasks/status.ts';
import type { AttachTimings, Fabric } from '../../executor/core/ports.ts';
import type { Prober } from '../../executor/core/tasks/probing.ts';
import type { Containers } from '../../executor/core/tasks/containers.ts';
import { DeathWatch } from '../../executor/tasks/death-watch.ts';
import { TaskReporter } from '../../executor/tasks/task-reporter.ts';
import { TaskSet } from '../../executor/tasks/task-set.ts';
import { busyboxImage } from '../../src/devcluster/images.ts';
import { endpointKey, type EndpointKey } from '../../src/fabric/view.ts';
import { agentId, executorId, taskId } from '../../src/model/ids.ts';
import type { TaskSpec } from '../../src/model/task-spec.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { PatchpanelError } from '../../src/runtime/errors.ts';
import { recordingLogger } from './recording-logger.ts';

let counter = 0;

/** A task on the switch that sleeps, unless told otherwise. */
export function taskSpec(changes: Partial<TaskSpec> = {}): TaskSpec {
  counter += 1;
  const index = counter;
  return {
    schema: 1,
    taskId: `web.instance-${process.pid}-${index}._app.1`,
    appId: '/web',
    slot: `/web#${index}`,
    slotIndex: index,
    epoch: 1,
    appVersion: '2026-01-01T00:00:00.000Z',
    image: busyboxImage,
    forcePullImage: false,
    privileged: false,
    parameters: [],
    cmd: 'sleep 1000',
    args: [],
    env: {},
    labels: {},
    fetch: [],
    secretFiles: [],
    tty: false,
    limits: {},
    volumes: [],
    cpus: 0.1,
    memMib: 32,
    killGraceMs: 3000,
    healthChecks: [],
    network: {
      mode: 'switch',
      name: 'default',
      ip: '10.32.0.7',
      prefixLength: 16,
      mac: '0a:07:0a:20:00:07',
      gateway: '10.32.0.1',
      mtu: 1450,
      hostname: '0-web',
      domain: 'patchpanel.internal',
      dns: ['10.32.0.2'],
    },
    schedulerUrl: 'http://127.0.0.1:8080',
    ...changes,
  };
}

/** What a LAUNCH event carries for a specification. */
export function taskInfo(spec: TaskSpec): TaskInfo {
  return {
    name: 'web',
    task_id: { value: spec.taskId },
    agent_id: { value: 'agent-1' },
    data: new TextEncoder().encode(JSON.stringify(spec)),
  };
}

/** A network side that only notes what it is asked for. */
export class FakeFabric implements Fabric {
  readonly calls: string[] = [];
  /** Set it to let the wait for the other hosts run into its deadline. */
  unconverged = false;
  /** Set it to let attach fail. */
  attachProblem: string | undefined;
  readonly pids = new Map<string, number>();

  prepare(endpoint: EndpointKey): void {
    this.calls.push(`prepare ${endpointKey(endpoint)}`);
  }

  async attach(endpoint: EndpointKey, sandboxPid: number): Promise<AttachTimings> {
    this.calls.push(`attach ${endpointKey(endpoint)}`);
    this.pids.set(endpointKey(endpoint), sandboxPid);
    if (this.attachProblem !== undefined) throw new PatchpanelError('external', this.attachProblem);
    return { linkMs: 1, portMs: 1, flowsMs: 1, totalMs: 3 };
  }

  async awaitConverged(endpoint: EndpointKey, timeoutMs: number): Promise<void> {
    this.calls.push(`converged ${endpointKey(endpoint)}`);
    if (this.unconverged) throw new PatchpanelError('deadline', `not after ${timeoutMs} ms`);
  }

  async detach(endpoint: EndpointKey): Promise<void> {
    this.calls.push(`detach ${endpointKey(endpoint)}`);
  }

  attached(): readonly EndpointKey[] {
    return [];
  }
}

/** Files of tasks in a directory of the test. */
export const filesIn = (directory: string): HostFiles =>
  new HostFiles({
    directory,
    secretsDirectory: path.join(directory, 'secrets'),
    runId: 'run-1',
    cacheDirectory: path.join(directory, 'cache'),
    cacheBytes: 1024 * 1024,
    maxBytes: 16 * 1024 * 1024,
    dockerConfig: path.join(directory, 'docker-config.json'),
    log: recordingLogger(),
  });

const noProber: Prober = {
  probe: () => Promise.reject(new PatchpanelError('invalid', 'this test does not expect health checks')),
};

/** The task side of an executor over some containers, with a fake network and an agent that acknowledges at once. */
export class TaskBench {
  readonly updates: TaskStatus[] = [];
  readonly fabric = new FakeFabric();
  readonly tasks: TaskSet;
  readonly #watch: DeathWatch;
  readonly #directory: string;
  readonly #containers: Containers;
  #changed: (() => void)[] = [];

  private constructor(
    containers: Containers,
    directory: string,
    hostKey: string,
    maxBytes: number,
    prober: Prober,
  ) {
    const log = recordingLogger();
    this.#directory = directory;
    this.#containers = containers;
    const tools: StepTools = {
      containers,
      fabric: this.fabric,
      files: filesIn(directory),
      surroundings: { hostKey, agentId: 'agent-1', runId: 'run-1', ipv6: true },
      sandboxImage: pauseImage.name,
      convergeTimeoutMs: 100,
      drainTimeoutMs: 5000,
    };
    const reporter: TaskReporter = new TaskReporter({
      agentId: agentId('agent-1'),
      executorId: executorId('executor-1'),
      clock: systemClock,
      log,
      send: (status) => {
        this.updates.push(status);
        setImmediate(() => reporter.acknowledged(status.task_id.value, status.uuid!));
        for (const wake of this.#changed.splice(0)) wake();
      },
    });
    this.tasks = new TaskSet({
      tools,
      prober,
      reporter,
      clock: systemClock,
      log,
      sandboxDir: directory,
      rotation: { maxBytes, maxFiles: 3 },
      onScheduler: () => undefined,
      onCount: () => undefined,
    });
    this.#watch = new DeathWatch(containers, this.tasks, systemClock, log);
    this.#watch.start();
  }

  static async start(
    containers: Containers,
    hostKey: string,
    maxBytes = 1024 * 1024,
    prober: Prober = noProber,
  ): Promise<TaskBench> {
    const directory = await mkdtemp(path.join(os.tmpdir(), 'ppx-tasks-'));
    return new TaskBench(containers, directory, hostKey, maxBytes, prober);
  }

  /** Launches a task and gives its id. */
  launch(spec: TaskSpec): string {
    this.tasks.launch(taskInfo(spec));
    return spec.taskId;
  }

  /** The first update of a task in that state, past or to come. */
  async reaches(id: string, state: TaskStatus['state']): Promise<TaskStatus> {
    for (;;) {
      const found = this.of(id).find((update) => update.state === state);
      if (found !== undefined) return found;
      const end = this.of(id).find((update) => isTerminalState(update.state));
      if (end !== undefined) throw new Error(`${end.state}: ${end.message}, not ${state}`);
      await new Promise<void>((resolve) => void this.#changed.push(resolve));
    }
  }

  /** Every update of a task so far. */
  of(id: string): readonly TaskStatus[] {
    return this.updates.filter((update) => update.task_id.value === id);
  }

  output(id: string, file: string): Promise<string> {
    return readFile(path.join(this.#directory, 'tasks', id, file), 'utf8');
  }

  name(id: string, role: ContainerRole): string {
    return containerName(role, taskId(id));
  }

  /** Ends every task and the watch. */
  async stop(): Promise<void> {
    this.tasks.killAll(0);
    await this.tasks.emptied();
    await this.#watch.stop();
    for (const { id } of await this.#containers.list()) await this.#containers.remove(id);
    await rm(this.#directory, { recursive: true, force: true });
  }
}
