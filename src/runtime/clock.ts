/** Time as a parameter: milliseconds since the epoch and one-shot timers. Tests pass a virtual one. */
export interface Clock {
  /** Wall-clock milliseconds since 1970 (UTC). */
  now(): number;
  /** Calls `action` once after `delayMs`; the returned function cancels it. */
  after(delayMs: number, action: () => void): () => void;
}

/** What setTimeout can count (about 25 days); it takes more for nothing at all. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (delayMs, action) => {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      timer =
        leftMs > longestTimerMs
          ? setTimeout(() => arm(leftMs - longestTimerMs), longestTimerMs)
          : setTimeout(action, leftMs);
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
