import type { DropReason } from './cookie.ts';
import type { ObjectKey } from './object-key.ts';
import type { AppPair } from './traffic.ts';

/** What a host's switch dropped for one reason and one object since its executor began to count. */
export interface DropCount {
  readonly reason: DropReason;
  /** Whose frames: of an endpoint's port, of an address, of a network, or of the switch as a whole (`base`). */
  readonly subject: ObjectKey;
  readonly packets: number;
  readonly bytes: number;
}

/** What a host's switch delivered from one end to another. */
export interface TrafficCount extends AppPair {
  readonly packets: number;
  readonly bytes: number;
}

/** What a host has counted; rows that are not there have not changed. */
export interface HostCounters {
  /** Names the executor's run: each begins at 0. */
  readonly origin: string;
  readonly drops: readonly DropCount[];
  readonly traffic: readonly TrafficCount[];
}
