export interface BackoffOptions {
  readonly baseMs: number;
  readonly maxMs: number;
  readonly factor: number;
}

/**
 * Full-jitter exponential back-off: a delay in milliseconds, uniform in [base/2, min(max, base × factor^attempt)].
 * `random` gives numbers in [0, 1); `attempt` counts from 0.
 */
export function backoffMs(options: BackoffOptions, attempt: number, random: () => number): number {
  const ceiling = Math.min(options.maxMs, options.baseMs * options.factor ** attempt);
  const floor = Math.min(ceiling, options.baseMs / 2);
  return Math.round(floor + random() * (ceiling - floor));
}
