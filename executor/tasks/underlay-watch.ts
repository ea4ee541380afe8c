import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** An address is often taken away before the next one is given; and what is announced while nobody listens is lost. */
const lookEveryMs = 60_000;
const backoff = { baseMs: 200, maxMs: 10_000, factor: 2 } as const;

export interface UnderlayWatchOptions {
  /** The address of the tunnel endpoint at the start. */
  readonly first: string;
  /** The address as it is now. @throws PatchpanelError when there is none */
  readonly discover: () => Promise<string>;
  readonly onMoved: (ip: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Notices that the host has another address on the underlay: the kernel's announcements (`ip monitor`) tell when to
 * look, and once a minute it is looked anyway.
 * INVARIANT: onMoved is called for one address at a time, and again until it has taken it.
 */
export class UnderlayWatch {
  readonly #options: UnderlayWatchOptions;
  readonly #loop: Loop;
  #known: string;
  #monitor: ChildProcess | undefined;

  constructor(options: UnderlayWatchOptions) {
    this.#options = options;
    this.#known = options.first;
    this.#loop = new Loop({
      clock: options.clock,
      backoff,
      everyMs: lookEveryMs,
      round: () => this.#look(),
      onError: (error, attempt) => {
        if (attempt === 1) options.log.warn('the address of the tunnel endpoint is not certain', { error });
      },
    });
  }

  start(): void {
    const monitor = spawn('ip', ['-o', 'monitor', 'address', 'route'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.#monitor = monitor;
    monitor.stdout.on('data', () => this.#loop.trigger());
    monitor.on('error', (error) => this.#options.log.warn('ip monitor cannot be run', { error }));
    this.#loop.trigger();
  }

  async stop(): Promise<void> {
    this.#monitor?.kill('SIGKILL');
    await this.#loop.stop();
  }

  async #look(): Promise<void> {
    const ip = await this.#options.discover();
    if (ip === this.#known) return;
    await this.#options.onMoved(ip);
    this.#known = ip;
  }
}
