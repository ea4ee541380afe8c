import type { FaultKind } from './plan.ts';

/** What a round with one fault showed, in milliseconds. */
export interface RoundFigure {
  readonly kind: FaultKind;
  /** From the end of the fault until everything was as it must be. */
  readonly recoveryMs: number;
  /** The longest time in which one slot did not answer its client. */
  readonly outageMs: number;
}

/** A table of what each kind of fault cost, the dearest first. */
export function figuresTable(figures: readonly RoundFigure[]): string {
  const kinds = [...new Set(figures.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const own = figures.filter((figure) => figure.kind === kind);
    const recovery = own.map(({ recoveryMs }) => recoveryMs).toSorted((a, b) => a - b);
    return {
      kind,
      rounds: own.length,
      median: recovery[Math.floor((recovery.length - 1) / 2)] ?? 0,
      most: recovery.at(-1) ?? 0,
      outage: Math.max(...own.map(({ outageMs }) => outageMs)),
    };
  });
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const lines = rows
    .toSorted((a, b) => b.most - a.most)
    .map(({ kind, rounds, median, most, outage }) =>
      [kind, String(rounds), seconds(median), seconds(most), seconds(outage)].join(' | '),
    );
  return [
    'fault alone in a round | rounds | recovery, median | recovery, longest | outage of a slot, longest',
    ...lines,
  ].join('\n');
}
