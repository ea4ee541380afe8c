import type { Bundle } from './bundle.ts';

/** What dominant resource fairness looks at. */
export interface Share {
  readonly allocated: Bundle;
  readonly allocations: number;
  readonly name: string;
}

/** The largest fraction that `allocated` is of any scalar in `total`. */
export function dominantShare(allocated: Bundle, total: Bundle): number {
  let share = 0;
  for (const [name, milli] of total.scalars) {
    share = Math.max(share, (allocated.scalars.get(name) ?? 0) / milli);
  }
  return share;
}

/** Whether `a` comes before `b`: smaller share, then fewer allocations, then the name. */
export function lower(a: Share, b: Share, total: Bundle): boolean {
  const difference = dominantShare(a.allocated, total) - dominantShare(b.allocated, total);
  if (difference !== 0) return difference < 0;
  if (a.allocations !== b.allocations) return a.allocations < b.allocations;
  return a.name < b.name;
}
