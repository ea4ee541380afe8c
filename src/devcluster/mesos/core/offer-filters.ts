import { containsBundle, type Bundle } from './bundle.ts';

/** A refusal: offers that hold no more than `refused` are not made until `expiresAt` (milliseconds since 1970). */
export interface OfferFilter {
  readonly refused: Bundle;
  readonly expiresAt: number;
}

const defaultRefuseSeconds = 5;
const maxRefuseSeconds = 365 * 24 * 3600;

/**
 * How long a refusal holds in milliseconds: 5 s where nothing or nonsense is asked for, 365 days at most, at least
 * one allocation interval; 0 (undefined here) means no filter at all.
 */
export function refusalMs(
  refuseSeconds: number | undefined,
  allocationIntervalMs: number,
): number | undefined {
  if (refuseSeconds === 0) return undefined;
  const asked = refuseSeconds === undefined || !(refuseSeconds > 0) ? defaultRefuseSeconds : refuseSeconds;
  return Math.max(allocationIntervalMs, Math.min(asked, maxRefuseSeconds) * 1000);
}

/** Whether a filter that is still in force refuses this: the offer is a subset of what was refused. */
export function isRefused(filters: readonly OfferFilter[], offered: Bundle, nowMs: number): boolean {
  return filters.some(({ refused, expiresAt }) => expiresAt > nowMs && containsBundle(refused, offered));
}
