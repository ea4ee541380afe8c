/** Between two pings, milliseconds: three of them within the two thirds of the session's timeout that a server may be silent. */
const pingEveryMs = (timeoutMs: number): number => timeoutMs / 5;

const silentAfterMs = (timeoutMs: number): number => (timeoutMs * 2) / 3;

/** Moments in milliseconds that never run backwards. */
export interface Hearing {
  readonly now: number;
  readonly heardAtMs: number;
  /** When the last ping left, which is when this was asked the last time. */
  readonly pingedAtMs: number;
  readonly timeoutMs: number;
}

/**
 * Whether the server is to be given up. Not when it is we who were away, since the last ping left long ago: its answers
 * may lie there unread, because timers come before sockets after a pause of this process.
 */
export function isSilent({ now, heardAtMs, pingedAtMs, timeoutMs }: Hearing): boolean {
  const wasAway = now - pingedAtMs > 2 * pingEveryMs(timeoutMs);
  return !wasAway && now - heardAtMs >= silentAfterMs(timeoutMs);
}

/**
 * Until the next ping, milliseconds: as usual, or just when the server would have been silent for too long, since the
 * third of the timeout that is left is for those that are tried next.
 */
export function nextPingInMs({ now, heardAtMs, timeoutMs }: Omit<Hearing, 'pingedAtMs'>): number {
  const leftMs = heardAtMs + silentAfterMs(timeoutMs) - now;
  return leftMs > 0 ? Math.min(leftMs, pingEveryMs(timeoutMs)) : pingEveryMs(timeoutMs);
}
