import type { SchedulerCallType, SchedulerEvent } from '../../../proto/mesos.gen.ts';
import type { LosableCall } from './options.ts';

/** What the cluster was told to do wrong, and how often still. */
export class Faults {
  readonly #losses = new Map<string, number>();
  #duplicates = 0;

  lose(call: LosableCall, count: number): void {
    this.#losses.set(call, count);
  }

  duplicateUpdates(count: number): void {
    this.#duplicates = count;
  }

  /** Whether this call is to be forgotten; counts down. */
  takeLoss(type: SchedulerCallType): boolean {
    const left = this.#losses.get(type) ?? 0;
    if (left > 0) this.#losses.set(type, left - 1);
    return left > 0;
  }

  /** How often this event is sent; counts down. */
  copies(event: SchedulerEvent): number {
    if (event.update?.status.uuid === undefined || this.#duplicates === 0) return 1;
    this.#duplicates -= 1;
    return 2;
  }
}
