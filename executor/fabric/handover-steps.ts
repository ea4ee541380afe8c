import { endpointKey, type View } from '../../src/fabric/view.ts';

/**
 * Steps of a handover build on each other, and what comes after it on the last one: what the datapath remembers of the one
 * before must be gone.
 * INVARIANT: views settle in the order in which they came, also those that change no step.
 */
export class HandoverSteps {
  readonly #settle: () => Promise<void>;
  #steps = '';
  #settled = Promise.resolve();

  /** @param settle waits until the datapath asks the flows again about everything; never rejects */
  constructor(settle: () => Promise<void>) {
    this.#settle = settle;
  }

  /** Resolves when the steps of this view, whose flows are written, hold for every frame. */
  follow(view: View): Promise<void> {
    const steps = view.endpoints
      .filter(({ state }) => state === 'anchored' || state === 'draining')
      .map((endpoint) => `${endpointKey(endpoint)} ${endpoint.state}`)
      .join();
    const changed = steps !== this.#steps;
    this.#steps = steps;
    if (changed) {
      const before = this.#settled;
      const now = this.#settle();
      this.#settled = before.then(() => now);
    }
    return this.#settled;
  }
}
