import { cookieOf } from '../cookie.ts';
import type { DropReason, FlowPurpose } from '../cookie.ts';
import type { Flow } from '../flow.ts';
import type { TableNumber } from '../tables.ts';
import { drop } from './actions.ts';

/** Collects the flows of one object, each with the object's cookie. */
export class FlowWriter {
  readonly flows: Flow[] = [];
  readonly #round: number;
  readonly #object: number;

  /** `object` is the 32-bit number of the object, 0 for the switch itself. */
  constructor(round: number, object: number) {
    this.#round = round;
    this.#object = object;
  }

  /** Adds a flow that does something with the frames that it matches. */
  flow(purpose: FlowPurpose, table: TableNumber, priority: number, match: string, actions: string): void {
    const cookie = cookieOf(this.#round, purpose, this.#object);
    this.flows.push({ table, priority, match, actions, cookie });
  }

  /** Adds a flow that drops; its counter counts the reason. */
  drop(reason: DropReason, table: TableNumber, priority: number, match: string): void {
    this.flow(reason, table, priority, match, drop);
  }
}
