/** Where the masters of a Mesos cluster are. */
export interface MasterSource {
  /** `host:port` or URLs to try, the leading one first where it is known; empty when none is. */
  readonly addresses: () => readonly string[];
  /** Calls back when another master leads; the result ends that. */
  readonly onChange: (listener: () => void) => () => void;
  readonly close: () => Promise<void>;
}

/** Masters that somebody has written down: those that do not lead redirect to the one that does. */
export const listedMasters = (addresses: readonly string[]): MasterSource => ({
  addresses: () => addresses,
  onChange: () => () => undefined,
  close: () => Promise.resolve(),
});
