import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, open, rm, symlink } from 'node:fs/promises';
import { constants } from 'node:os';
import path from 'node:path';
import type { CommandInfo } from '../../../../proto/mesos.gen.ts';
import { withDeadline } from '../../../runtime/deadline.ts';
import { messageOf } from '../../../runtime/errors.ts';
import type { Logger } from '../../../runtime/logger.ts';
import type { ContainerEnd, ContainerRequest, Containers } from '../core/agent-state.ts';
import type { Fetcher } from './fetcher.ts';
import { runAs } from './run-as.ts';

/** Who hears of containers: the agent's process while it is up. */
export interface ContainerEvents {
  readonly started: (containerId: string, pid: number) => void;
  readonly ended: (containerId: string, end: ContainerEnd) => void;
}

interface Container {
  readonly abort: AbortController;
  pid: number | undefined;
  readonly over: Promise<void>;
}

const closeTimeoutMs = 10_000;

/**
 * Executors as child processes: each leads a session of its own in a fresh sandbox, with its output in files.
 * INVARIANTS: they outlive the agent's process (this object does not); when one ends, what is left of its process
 * group is killed; containers that it made elsewhere (Docker) are left, as on a real agent.
 */
export class ProcessContainers implements Containers {
  readonly #running = new Map<string, Container>();
  readonly #fetcher: Fetcher;
  readonly #spawnPrefix: readonly string[];
  readonly #events: ContainerEvents;
  readonly #log: Logger;

  constructor(fetcher: Fetcher, spawnPrefix: readonly string[], events: ContainerEvents, log: Logger) {
    this.#fetcher = fetcher;
    this.#spawnPrefix = spawnPrefix;
    this.#events = events;
    this.#log = log;
  }

  launch(request: ContainerRequest): void {
    const abort = new AbortController();
    const container: Container = {
      abort,
      pid: undefined,
      over: this.#run(request, abort.signal).then((end) => {
        this.#running.delete(request.containerId);
        this.#log.info('an executor ended', { container: request.containerId, end });
        this.#events.ended(request.containerId, end);
      }),
    };
    this.#running.set(request.containerId, container);
  }

  destroy(containerId: string): void {
    const container = this.#running.get(containerId);
    container?.abort.abort();
    if (container?.pid !== undefined) killGroup(container.pid);
  }

  /** Destroys all; gives how many there were. */
  destroyAll(): number {
    for (const containerId of this.#running.keys()) this.destroy(containerId);
    return this.#running.size;
  }

  /** Process ids of the executors that run, by container. */
  pids(): ReadonlyMap<string, number> {
    const pids = new Map<string, number>();
    for (const [containerId, { pid }] of this.#running) if (pid !== undefined) pids.set(containerId, pid);
    return pids;
  }

  /** Destroys all and waits until they have ended. */
  async close(): Promise<void> {
    const running = [...this.#running.values()];
    this.destroyAll();
    this.#fetcher.close();
    await withDeadline(
      Promise.all(running.map(({ over }) => over)),
      closeTimeoutMs,
      'the end of the executors',
    );
  }

  async #run(request: ContainerRequest, signal: AbortSignal): Promise<ContainerEnd> {
    try {
      await makeSandbox(request.directory);
      await this.#fetcher.fetchAll(request.info.command?.uris ?? [], request.directory, signal);
      const child = await this.#spawn(request);
      return await this.#watch(request.containerId, child, signal);
    } catch (error) {
      if (signal.aborted) return { kind: 'exited', status: constants.signals.SIGKILL };
      this.#log.warn('an executor could not be started', { container: request.containerId, error });
      return { kind: 'not-started', message: messageOf(error) };
    }
  }

  async #spawn({ info, user, directory, environment }: ContainerRequest): Promise<ChildProcess> {
    const asUser = await runAs(user, directory);
    const { file, args, argv0 } = commandLine(info.command ?? {});
    const [program = file, ...rest] = [...this.#spawnPrefix, ...asUser, file, ...args];
    const stdout = await open(path.join(directory, 'stdout'), 'a');
    const stderr = await open(path.join(directory, 'stderr'), 'a');
    try {
      return spawn(program, rest, {
        cwd: directory,
        env: environment,
        detached: true,
        stdio: ['ignore', stdout.fd, stderr.fd],
        // Only the program itself can be given another name; a prefix execs it by its path.
        ...(program === file && argv0 !== undefined ? { argv0 } : {}),
      });
    } finally {
      await stdout.close();
      await stderr.close();
    }
  }

  #watch(containerId: string, child: ChildProcess, signal: AbortSignal): Promise<ContainerEnd> {
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, name) => {
        if (child.pid !== undefined) killGroup(child.pid);
        resolve({ kind: 'exited', status: waitStatus(code, name) });
      });
      if (child.pid === undefined) return;
      const container = this.#running.get(containerId);
      if (container !== undefined) container.pid = child.pid;
      if (signal.aborted) killGroup(child.pid);
      this.#log.info('an executor started', { container: containerId, pid: child.pid });
      this.#events.started(containerId, child.pid);
    });
  }
}

/** The sandbox, and `latest` beside it. */
async function makeSandbox(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true });
  const latest = path.join(path.dirname(directory), 'latest');
  await rm(latest, { force: true });
  await symlink(path.basename(directory), latest);
}

function commandLine(command: CommandInfo): { file: string; args: readonly string[]; argv0?: string } {
  const { value = '', shell = true, arguments: given = [] } = command;
  if (shell) return { file: '/bin/sh', args: ['-c', value] };
  const [argv0, ...args] = given;
  return { file: value, args, ...(argv0 === undefined ? {} : { argv0 }) };
}

/** Exit code and signal as waitpid packs them. */
function waitStatus(code: number | null, signal: NodeJS.Signals | null): number {
  return signal === null ? (code ?? 0) << 8 : constants.signals[signal];
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}
