import type { View } from '../../src/fabric/view.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** Making the text of a view holds up everything else. What takes no longer than this is done at once. */
const QUICK_MS = 10;
/** What takes longer is put off by so many times what it took last, so that it stays a small part of all time. */
const PAUSE_FACTOR = 20;
/** A process that was not let run for a while looks as if its views were large. */
const MAX_PAUSE_MS = 2_000;

export interface ViewKeeperParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Puts a view where it outlives this process; what holds up everything else happens before it returns. */
  readonly save: (view: View) => Promise<void>;
}

/**
 * Keeps the newest view on disk.
 * INVARIANT: what is on disk is the newest view, or, where views are large, one of at most MAX_PAUSE_MS ago and the time to
 * write it; after stop() the newest.
 */
export class ViewKeeper {
  readonly #parts: ViewKeeperParts;
  readonly #saves: Loop;
  #newest: View | undefined;
  #saved: View | undefined;
  #pauseMs = 0;
  #cancelPause: (() => void) | undefined;

  constructor(parts: ViewKeeperParts) {
    this.#parts = parts;
    const { clock, random, log } = parts;
    this.#saves = new Loop({
      clock,
      random,
      onError: (error) => log.warn('the view could not be kept on disk; it is tried again', { error }),
      round: () => this.#save(),
    });
  }

  /** This is the newest view now. */
  keep(view: View): void {
    this.#newest = view;
    if (this.#pauseMs === 0) return this.#saves.trigger();
    this.#cancelPause ??= this.#parts.clock.after(this.#pauseMs, () => {
      this.#cancelPause = undefined;
      this.#saves.trigger();
    });
  }

  /** @throws what save throws for the newest view, if it is not on disk yet */
  async stop(): Promise<void> {
    this.#cancelPause?.();
    await this.#saves.stop();
    await this.#save();
  }

  async #save(): Promise<void> {
    const { clock, save } = this.#parts;
    const view = this.#newest;
    if (view === undefined || view === this.#saved) return;
    const started = clock.now();
    const saved = save(view);
    const tookMs = clock.now() - started;
    this.#pauseMs = tookMs <= QUICK_MS ? 0 : Math.min(tookMs * PAUSE_FACTOR, MAX_PAUSE_MS);
    await saved;
    this.#saved = view;
  }
}
