import type { ViewDelta, ViewVersion } from '../../../src/fabric/view.ts';
import type { DeltaRecord, ViewRecord } from '../../../src/fabric/view-wire.ts';
import { DeltaLog, type DeltaLogLimits } from './delta-log.ts';

/** Where a host's records go: one HTTP response. */
export interface ViewSink {
  write(record: ViewRecord): void;
  /** Bytes that were written and that the host's connection has not taken yet. */
  readonly outstandingBytes: number;
  /** Ends the response; the host comes back and goes on from its version. */
  end(): void;
}

/** What a host said of itself and what its stream knows. */
export interface HostStreamStatus {
  readonly connected: boolean;
  /** `term.n` of the newest view that the host has put in force. */
  readonly applied: string | undefined;
  /** Changes that the host has been sent and has not acknowledged. */
  readonly lag: number;
  readonly problem: string | undefined;
}

export interface FeedLimits extends DeltaLogLimits {
  /** A host with more unread bytes is cut off. A snapshot is always written, to an empty connection. */
  readonly maxOutstandingBytes: number;
}

/**
 * One host's side of the views: its stream, the log that lets it continue, what it acknowledged.
 * INVARIANT: the records of one stream lead from the host's own version to the newest without a gap.
 */
export class HostFeed {
  readonly #limits: FeedLimits;
  readonly #log: DeltaLog;
  #sink: ViewSink | undefined;
  #applied: ViewVersion | undefined;
  #behindSince: number | undefined;
  problem: string | undefined;

  constructor(n: number, limits: FeedLimits) {
    this.#limits = limits;
    this.#log = new DeltaLog(n, limits);
  }

  get connected(): boolean {
    return this.#sink !== undefined;
  }

  /** The n that the host's view is at once it has taken everything. */
  get newest(): number {
    return this.#log.newest;
  }

  /** Since when the host has not caught up, in milliseconds since 1970. */
  get behindSince(): number | undefined {
    return this.#behindSince;
  }

  hasApplied(version: ViewVersion): boolean {
    return this.#applied?.term === version.term && this.#applied.n >= version.n;
  }

  isSink(sink: ViewSink): boolean {
    return this.#sink === sink;
  }

  /** The deltas that continue from `have`, or undefined: only a snapshot helps. */
  continuation(have: ViewVersion | undefined, term: number): readonly ViewDelta[] | undefined {
    return have?.term === term ? this.#log.since(have.n) : undefined;
  }

  /** Begins a stream; one that was open is ended. */
  connect(sink: ViewSink, records: readonly ViewRecord[], now: number): void {
    this.disconnect();
    this.#sink = sink;
    // One that is there acknowledges nothing more until something changes.
    this.#behindSince = this.#hasNewest() ? undefined : now;
    for (const record of records) sink.write(record);
  }

  /** Ends the stream, if there is one. */
  disconnect(): void {
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.end();
  }

  restart(n: number): void {
    this.#log.restart(n);
  }

  /** Logs a delta and sends it. False: the host reads too slowly and was cut off. */
  follow(record: DeltaRecord, now: number): boolean {
    this.#log.append(record.delta);
    this.#behindSince ??= now;
    return this.send(record);
  }

  /** Writes to the stream, if there is one. False: the host reads too slowly and was cut off. */
  send(record: ViewRecord): boolean {
    if (this.#sink === undefined) return true;
    if (this.#sink.outstandingBytes > this.#limits.maxOutstandingBytes) {
      this.disconnect();
      return false;
    }
    this.#sink.write(record);
    return true;
  }

  /** Takes an acknowledgement; versions of another term and older ones are of no interest. */
  acknowledge(version: ViewVersion, term: number, now: number): void {
    if (version.term !== term || version.n > this.newest || this.hasApplied(version)) return;
    this.#applied = version;
    this.#behindSince = version.n === this.newest ? undefined : now;
  }

  status(): HostStreamStatus {
    const applied = this.#applied;
    return {
      connected: this.connected,
      applied: applied === undefined ? undefined : `${applied.term}.${applied.n}`,
      lag: this.#lag(),
      problem: this.problem,
    };
  }

  #lag(): number {
    if (this.#hasNewest()) return 0;
    return Math.max(1, this.#log.countAfter(this.#applied?.n ?? -1));
  }

  #hasNewest(): boolean {
    return this.#applied?.n === this.newest;
  }
}
