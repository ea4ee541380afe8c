import { spawn, type ChildProcess } from 'node:child_process';
import type { Logger } from '../../../src/runtime/logger.ts';
import { launch, type Launch, type LaunchOutcome } from './launch.ts';

/** Beyond a program's own limit, in milliseconds: a launcher that has not answered by then is stuck. */
const SLACK_MS = 5_000;
const START_TIMEOUT_MS = 15_000;
/**
 * From here on a fork costs several times what it costs the launcher, whose own memory (8 MiB, and 30 MiB that it shares with
 * this process, since both are Node) is little beside.
 */
export const WORTH_FROM_BYTES = 128 * 1024 ** 2;

export interface ToLauncher {
  readonly id: number;
  readonly launch: Launch;
  /** Whether to tell when the program first writes to its standard output. */
  readonly tellsOutput: boolean;
}

export type FromLauncher =
  | { readonly kind: 'ready' }
  | { readonly kind: 'output'; readonly id: number }
  | { readonly kind: 'outcome'; readonly id: number; readonly outcome: LaunchOutcome };

export interface LauncherOptions {
  readonly node: string;
  /** The built launcher-main.ts. */
  readonly program: string;
  /** What this process has in memory, in bytes. */
  readonly residentBytes: () => number;
  readonly log: Logger;
}

interface Pending {
  readonly launch: Launch;
  readonly onOutput: (() => void) | undefined;
  readonly resolve: (outcome: LaunchOutcome) => void;
  timer: NodeJS.Timeout | undefined;
}

/** One process that runs programs, from its start to its end. */
interface Life {
  readonly child: ChildProcess;
  readonly pending: Map<number, Pending>;
  readonly startTimer: NodeJS.Timeout;
  ready: boolean;
}

/**
 * Runs programs by a small process beside this one. A fork copies the page tables of whoever forks, and its pages are
 * written to anew one fault at a time: for a process with hundreds of megabytes, as an executor with many flows is, that is
 * most of what a small program costs, and nothing else can be done meanwhile. While this one is small, programs are run from
 * here.
 * INVARIANTS: at most one such process, started for the first program that it is worth its memory for, and anew for the first
 * one after it has gone; every program has one outcome; a program is never started twice. Where the process cannot be had at
 * all, programs are run from here.
 */
export class Launcher {
  readonly #options: LauncherOptions;
  #life: Life | undefined;
  #lastId = 0;
  /** False when the process cannot be had, or is not to be had any more. */
  #usable = true;

  constructor(options: LauncherOptions) {
    this.#options = options;
  }

  /** Its process; undefined when there is none. */
  get pid(): number | undefined {
    return this.#life?.child.pid;
  }

  /** See Runner; `killed` too when the launcher has gone meanwhile. */
  run(wish: Launch, onOutput?: () => void): Promise<LaunchOutcome> {
    const life = this.#life ?? this.#start();
    if (life === undefined) return launch(wish, onOutput);
    const id = (this.#lastId += 1);
    return new Promise((resolve) => {
      const pending: Pending = { launch: wish, onOutput, resolve, timer: undefined };
      life.pending.set(id, pending);
      if (life.ready) this.#send(life, id, pending);
    });
  }

  /** Ends the process and what it still runs. Programs are run from here after that. */
  close(): void {
    this.#usable = false;
    const life = this.#life;
    if (life?.child.connected === true) life.child.disconnect();
    if (life !== undefined) this.#gone(life);
  }

  #start(): Life | undefined {
    const { node, program, residentBytes, log } = this.#options;
    if (!this.#usable || residentBytes() < WORTH_FROM_BYTES) return undefined;
    try {
      const child = spawn(node, [program], {
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
        serialization: 'advanced',
      });
      const startTimer = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS);
      const life: Life = { child, pending: new Map(), startTimer, ready: false };
      child.on('message', (message) => this.#told(life, message as FromLauncher));
      // All that it said has been read by then, which is not so at its `exit`.
      child.on('disconnect', () => this.#gone(life));
      child.on('error', (error) => {
        log.warn('the launcher of programs failed', { error });
        this.#gone(life);
      });
      this.#life = life;
      return life;
    } catch (error) {
      log.warn('the launcher of programs cannot be started', { error });
      this.#usable = false;
      return undefined;
    }
  }

  #told(life: Life, message: FromLauncher): void {
    if (message.kind === 'ready') {
      life.ready = true;
      clearTimeout(life.startTimer);
      for (const [id, pending] of life.pending) this.#send(life, id, pending);
      return;
    }
    const pending = life.pending.get(message.id);
    if (message.kind === 'output') return pending?.onOutput?.();
    life.pending.delete(message.id);
    clearTimeout(pending?.timer);
    pending?.resolve(message.outcome);
  }

  #send(life: Life, id: number, pending: Pending): void {
    const tellsOutput = pending.onOutput !== undefined;
    const message: ToLauncher = { id, launch: pending.launch, tellsOutput };
    // When it fails the process is about to be gone, and that is what is acted on.
    life.child.send(message, () => {});
    // A process that was frozen finds its timers due before it reads what it was told meanwhile: hence two.
    pending.timer = setTimeout(
      () => {
        pending.timer = setTimeout(() => life.child.kill('SIGKILL'), SLACK_MS / 2);
      },
      pending.launch.timeoutMs + SLACK_MS / 2,
    );
  }

  #gone(life: Life): void {
    if (this.#life !== life) return;
    this.#life = undefined;
    clearTimeout(life.startTimer);
    const pending = [...life.pending.values()];
    for (const { timer } of pending) clearTimeout(timer);
    if (this.#usable) this.#options.log.warn('the launcher of programs is gone', { pending: pending.length });
    if (life.ready) {
      for (const { resolve } of pending) resolve({ kind: 'killed', signal: 'SIGKILL' });
      return;
    }
    // It was never asked to start any of them, and another one would not do better.
    this.#usable = false;
    for (const { launch: wish, onOutput, resolve } of pending) void launch(wish, onOutput).then(resolve);
  }
}
