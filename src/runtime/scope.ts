import type { Logger } from './logger.ts';

/**
 * Owns what was opened and closes it in reverse order.
 * INVARIANTS: a finaliser runs once; one that fails is logged and does not keep the others from running.
 */
export class Scope {
  readonly #finalisers: { what: string; close: () => void | Promise<void> }[] = [];
  readonly #log: Logger;
  #closing: Promise<void> | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Registers `close` to run at the end and hands `resource` back. */
  own<T>(what: string, resource: T, close: (resource: T) => void | Promise<void>): T {
    this.#finalisers.push({ what, close: () => close(resource) });
    return resource;
  }

  defer(what: string, close: () => void | Promise<void>): void {
    this.#finalisers.push({ what, close });
  }

  /** Closes everything, newest first. Safe to call twice: the second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#closeAll();
    return this.#closing;
  }

  async #closeAll(): Promise<void> {
    for (let last = this.#finalisers.pop(); last !== undefined; last = this.#finalisers.pop()) {
      try {
        await last.close();
      } catch (error) {
        this.#log.warn('could not close', { what: last.what, error });
      }
    }
  }
}
