/** Time as a parameter: milliseconds since the epoch and one-shot timers. Tests pass a virtual one. */
export interface Clock {
  /** Wall-clock milliseconds since 1970 (UTC). */
  now(): number;
  /** Calls `action` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, action) => {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};
