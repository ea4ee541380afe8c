import type { FlowFilter, StatisticsReader } from '../adapters/openflow/statistics.ts';
import { CounterRows, type CountedObjects } from '../core/fabric/counter-rows.ts';
import { FlowTotals } from '../core/fabric/flow-totals.ts';
import { cookieOf, dropBit, purposeMask } from '../../src/fabric/cookie.ts';
import type { HostCounters } from '../../src/fabric/counters.ts';
import { table } from '../../src/fabric/tables.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { Loop } from '../../src/runtime/loop.ts';

/** Tables with flows that drop for a reason. */
const dropTables = [
  table.classify,
  table.tunnelGuard,
  table.portSecurity,
  table.arp,
  table.gateway,
  table.forward,
  table.connections,
];
const filters: readonly FlowFilter[] = [
  ...dropTables.map((number): FlowFilter => ({ table: number, cookie: dropBit, mask: dropBit })),
  { table: table.traffic, cookie: cookieOf(0, 'traffic', 0), mask: purposeMask },
];

export interface FlowCountersParts {
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Names this run of the executor. */
  readonly origin: string;
  readonly everyMs: number;
  readonly read: (look: (reader: StatisticsReader) => Promise<void>) => Promise<void>;
  /** What is programmed now. */
  readonly objects: () => CountedObjects;
  /** Changes when somebody else is told. */
  readonly listener: () => unknown;
  /** Tells rows; false when nobody listens. @throws when they were not taken */
  readonly tell: (counters: HostCounters, signal: AbortSignal) => Promise<boolean>;
}

/**
 * Looks at what flows have counted, every so often, and tells the scheduler what changed. A table whose sums are as
 * they were is not looked at closely.
 */
export class FlowCounters {
  readonly #parts: FlowCountersParts;
  readonly #totals = new FlowTotals();
  readonly #rows = new CounterRows();
  readonly #sums = new Map<FlowFilter, string>();
  readonly #loop: Loop;
  #listener: unknown;

  constructor(parts: FlowCountersParts) {
    this.#parts = parts;
    const { clock, random, log, everyMs } = parts;
    this.#loop = new Loop({
      clock,
      random,
      everyMs,
      backoff: { baseMs: everyMs, maxMs: everyMs * 6, factor: 2 },
      onError: (error, attempt) => {
        if (attempt === 1)
          log.warn('counters of flows could not be read or told; it is tried again', { error });
      },
      round: (signal) => this.#round(signal),
    });
  }

  start(): void {
    this.#loop.trigger();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #round(signal: AbortSignal): Promise<void> {
    await this.#parts.read(async (reader) => {
      for (const filter of filters) await this.#look(reader, filter);
    });
    const listener = this.#parts.listener();
    if (listener !== this.#listener) this.#rows.tellAll();
    this.#listener = listener;
    for (let next = this.#rows.next(); next !== undefined; next = this.#rows.next()) {
      if (!(await this.#parts.tell({ origin: this.#parts.origin, ...next.rows }, signal))) return;
      next.sent();
    }
  }

  async #look(reader: StatisticsReader, filter: FlowFilter): Promise<void> {
    const { packets, flows } = await reader.sums(filter);
    const sums = `${packets} ${flows}`;
    if (this.#sums.get(filter) === sums) return;
    const totals = this.#totals.look(String(filter.table), await reader.counts(filter));
    this.#rows.take(totals, this.#parts.objects);
    this.#sums.set(filter, sums);
  }
}
