/** Between two pings, milliseconds: three of them within the two thirds of the session's timeout that a server may be silent. */
export const pingEveryMs = (timeoutMs: number): number => timeoutMs / 5;

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
  return !wasAway && now - heardAtMs > (timeoutMs * 2) / 3;
}
