import type { PortRange } from '../model/resources.ts';

/** The same numbers as few, sorted, disjoint ranges; inverted ranges are empty. */
export function coalesce(ranges: readonly PortRange[]): readonly PortRange[] {
  const result: { begin: number; end: number }[] = [];
  const sorted = ranges.filter(({ begin, end }) => begin <= end).toSorted((a, b) => a.begin - b.begin);
  for (const { begin, end } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && begin <= last.end + 1) last.end = Math.max(last.end, end);
    else result.push({ begin, end });
  }
  return result;
}

/** The numbers of `a` that are not in `b`, coalesced. */
export function subtractRanges(a: readonly PortRange[], b: readonly PortRange[]): readonly PortRange[] {
  let rest = coalesce(a);
  for (const hole of coalesce(b)) {
    rest = rest.flatMap(({ begin, end }) =>
      hole.end < begin || hole.begin > end
        ? [{ begin, end }]
        : [
            { begin, end: hole.begin - 1 },
            { begin: hole.end + 1, end },
          ].filter((part) => part.begin <= part.end),
    );
  }
  return rest;
}

/** The numbers in both, coalesced. */
export function intersectRanges(a: readonly PortRange[], b: readonly PortRange[]): readonly PortRange[] {
  return subtractRanges(a, subtractRanges(a, b));
}
