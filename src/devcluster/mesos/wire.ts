import type { Connection, ToAgent, ToMaster } from './core/messages.ts';

export interface WireOptions {
  readonly post: (delivery: () => void) => void;
  readonly toMaster: (message: ToMaster) => void;
  readonly toAgent: (message: ToAgent) => void;
  /** Called once when either end closes it. */
  readonly closed: () => void;
}

const maxHeld = 100_000;

/**
 * One connection between an agent and a master, like TCP: in order, held back while the network between them is
 * cut, and broken for both ends at once.
 * INVARIANT: after the close nothing is delivered, not even what was on its way.
 */
export class Wire {
  readonly atAgent: Connection<ToMaster>;
  readonly atMaster: Connection<ToAgent>;
  readonly #options: WireOptions;
  #held: (() => void)[] | undefined;
  #open = true;

  constructor(options: WireOptions) {
    this.#options = options;
    const close = () => this.close();
    this.atAgent = { send: (message) => this.#carry(() => options.toMaster(message)), close };
    this.atMaster = { send: (message) => this.#carry(() => options.toAgent(message)), close };
  }

  get isOpen(): boolean {
    return this.#open;
  }

  /** From now on messages wait. A peer that waits too long for answers closes the connection. */
  cut(): void {
    this.#held ??= [];
  }

  heal(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const delivery of held) this.#options.post(delivery);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#held = undefined;
    this.#options.closed();
  }

  #carry(deliver: () => void): void {
    const delivery = () => {
      if (this.#open) deliver();
    };
    if (this.#held === undefined) this.#options.post(delivery);
    else if (this.#held.length < maxHeld) this.#held.push(delivery);
    else this.close();
  }
}
