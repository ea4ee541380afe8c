import type { DropCount, HostCounters, TrafficCount } from '../../../src/fabric/counters.ts';
import type { ObjectKey } from '../../../src/fabric/object-key.ts';
import type { AgentId } from '../../../src/model/ids.ts';
import type { DropPlace } from './drop-place.ts';
import { DropTally, type DropSeries } from './drop-series.ts';
import { RecentRows } from './recent-rows.ts';

/** Rows that are kept; those that did not change for the longest time make room. */
const limits = { drops: 20_000, pairs: 10_000, reported: 8_192 };

/** What one host dropped for one reason and one object. */
export interface DropRow extends DropCount {
  readonly host: AgentId;
  /** When it last grew, milliseconds since 1970. */
  readonly lastAt: number;
}

/** What all hosts delivered between two ends. */
export interface TrafficRow extends TrafficCount {
  readonly lastAt: number;
}

interface Count {
  readonly packets: number;
  readonly bytes: number;
}

/** What a host reported last, to know what is new in its next report. */
interface Reported {
  readonly origin: string;
  readonly counts: RecentRows<Count>;
}

/**
 * What the hosts' switches dropped and delivered, since this leader began or the executors did.
 * INVARIANTS: nothing that is given out ever shrinks while the process runs; an executor that begins anew adds to what
 * its host had; memory is bounded.
 */
export class FabricCounters {
  readonly #now: () => number;
  readonly #placeOf: (host: AgentId, subject: ObjectKey) => DropPlace;
  readonly #reported = new Map<AgentId, Reported>();
  readonly #drops = new RecentRows<DropRow>(limits.drops);
  readonly #traffic = new RecentRows<TrafficRow>(limits.pairs);
  readonly #tally = new DropTally();
  #delivered: Count = { packets: 0, bytes: 0 };

  constructor(now: () => number, placeOf: (host: AgentId, subject: ObjectKey) => DropPlace) {
    this.#now = now;
    this.#placeOf = placeOf;
  }

  /** Takes a host's rows in. The same rows again change nothing. */
  take(host: AgentId, { origin, drops, traffic }: HostCounters): void {
    const known = this.#reported.get(host);
    const reported =
      known?.origin === origin ? known : { origin, counts: new RecentRows<Count>(limits.reported) };
    this.#reported.set(host, reported);
    for (const row of drops) this.#addDrop(host, row, newIn(reported, `${row.reason} ${row.subject}`, row));
    for (const row of traffic) this.#addTraffic(row, newIn(reported, `${row.from} ${row.to}`, row));
  }

  /** What the host reported last is of no use any more; what was counted stays. */
  forgetHost(host: AgentId): void {
    this.#reported.delete(host);
  }

  /** Most lately grown last. */
  drops(): Iterable<DropRow> {
    return this.#drops.rows();
  }

  /** Most lately grown last. */
  traffic(): Iterable<TrafficRow> {
    return this.#traffic.rows();
  }

  /** All drops, also those whose rows are gone, as a bounded number of series. */
  dropSeries(): readonly DropSeries[] {
    return this.#tally.series();
  }

  get delivered(): Count {
    return this.#delivered;
  }

  #addDrop(host: AgentId, { reason, subject }: DropCount, more: Count): void {
    if (more.packets === 0) return;
    const key = `${host} ${reason} ${subject}`;
    const sum = plus(this.#drops.get(key), more);
    this.#drops.set(key, { host, reason, subject, ...sum, lastAt: this.#now() });
    this.#tally.add(reason, this.#placeOf(host, subject), more.packets);
  }

  #addTraffic({ from, to }: TrafficCount, more: Count): void {
    if (more.packets === 0) return;
    const key = `${from} ${to}`;
    this.#traffic.set(key, { from, to, ...plus(this.#traffic.get(key), more), lastAt: this.#now() });
    this.#delivered = plus(this.#delivered, more);
  }
}

/** How much a row has grown since the host's last report of it. */
function newIn({ counts }: Reported, key: string, { packets, bytes }: Count): Count {
  const before = counts.get(key);
  counts.set(key, { packets, bytes });
  if (before === undefined) return { packets, bytes };
  return { packets: Math.max(0, packets - before.packets), bytes: Math.max(0, bytes - before.bytes) };
}

const plus = (one: Count | undefined, more: Count): Count => ({
  packets: (one?.packets ?? 0) + more.packets,
  bytes: (one?.bytes ?? 0) + more.bytes,
});
