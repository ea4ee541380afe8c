import type { DropReason } from '../../../src/fabric/cookie.ts';
import type { DropPlace } from './drop-place.ts';
import { RecentRows } from './recent-rows.ts';

/** Of each reason: the rows that are told one by one, and those that are kept to find the largest among. */
export const seriesLimits = { told: 100, kept: 4_096 };

/** Packets that were dropped for one reason on one host, of one slot where that is known. */
export interface DropSeries {
  readonly reason: DropReason;
  readonly host: string;
  /** `other`: all that have no row of their own, on whichever host. */
  readonly slot: string | undefined;
  readonly packets: number;
}

/**
 * Drops by reason, host and slot, for a store of time series.
 * INVARIANTS: the rows of a reason sum up to all that was dropped for it; the number of rows has a bound; no row shrinks
 * as long as it is told. That of all others does not either: the sum of all but the largest of numbers that only grow
 * only grows. So which rows are told may change at any time.
 */
export class DropTally {
  readonly #reasons = new Map<DropReason, { packets: number; readonly rows: RecentRows<DropSeries> }>();

  /** Adds packets; whose they are is settled now, whoever has the address later. */
  add(reason: DropReason, { host, slot }: DropPlace, more: number): void {
    const known = this.#reasons.get(reason) ?? { packets: 0, rows: new RecentRows(seriesLimits.kept) };
    this.#reasons.set(reason, known);
    known.packets += more;
    const key = `${host} ${slot ?? ''}`;
    known.rows.set(key, { reason, host, slot, packets: (known.rows.get(key)?.packets ?? 0) + more });
  }

  /** The largest rows of each reason, and one of all others where there are others. */
  series(): readonly DropSeries[] {
    return [...this.#reasons].flatMap(([reason, { packets, rows }]) => {
      const told = [...rows.rows()].sort((a, b) => b.packets - a.packets).slice(0, seriesLimits.told);
      const rest = told.reduce((left, row) => left - row.packets, packets);
      return rest === 0 ? told : [...told, { reason, host: 'other', slot: 'other', packets: rest }];
    });
  }
}
