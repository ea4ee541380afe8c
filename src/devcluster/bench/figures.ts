import { table } from '../../cli/output.ts';
import type { Part } from './options.ts';

type Unit =
  '' | 'µs' | 'ms' | 's' | 'KiB' | 'MiB' | 'Mbit/s' | 'tasks/s' | 'flows' | '% of a core' | 'a task';

/** What a figure should be: `of` says which of its numbers is held against `limit`. */
export interface Target {
  readonly of: 'p50' | 'p99' | 'ratio';
  readonly is: 'at most' | 'at least';
  readonly limit: number;
}

/** One measured thing; with `n` of 1 both quantiles are the only value. */
export interface Figure {
  readonly part: Part;
  readonly what: string;
  readonly unit: Unit;
  readonly n: number;
  readonly p50: number;
  readonly p99: number;
  /** p50 divided by the p50 of the figure that it is held against. */
  readonly ratio?: number;
  readonly target?: Target;
  readonly met?: boolean;
}

interface Comparison {
  readonly against?: Figure;
  readonly target?: Target;
}

/** A figure of several values. */
export function figure(
  part: Part,
  what: string,
  unit: Unit,
  values: readonly number[],
  { against, target }: Comparison = {},
): Figure {
  const [p50, p99] = [quantile(values, 0.5), quantile(values, 0.99)];
  const ratio = against === undefined ? undefined : p50 / against.p50;
  const seen = { p50, p99, ratio: ratio ?? Number.NaN };
  return {
    part,
    what,
    unit,
    n: values.length,
    p50,
    p99,
    ...(ratio === undefined ? {} : { ratio }),
    ...(target === undefined ? {} : { target, met: meets(target, seen[target.of]) }),
  };
}

/** The value that this part of all values does not exceed (nearest rank); NaN without values. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

function meets({ is, limit }: Target, seen: number): boolean {
  return is === 'at most' ? seen <= limit : seen >= limit;
}

/** The figures as a table for people. */
export function figureTable(figures: readonly Figure[]): string {
  return table(
    ['WHAT', 'N', 'P50', 'P99', 'UNIT', 'RATIO', 'TARGET', ''],
    figures.map(({ what, n, p50, p99, unit, ratio, target, met }) => [
      what,
      n,
      shortened(p50),
      n === 1 ? '' : shortened(p99),
      unit,
      ratio?.toFixed(2) ?? '',
      target === undefined ? '' : `${target.of} ${target.is} ${target.limit}`,
      met === undefined ? '' : met ? 'met' : 'missed',
    ]),
    'nothing measured',
  );
}

const shortened = (value: number): string => (Math.abs(value) < 10 ? value.toFixed(2) : value.toFixed(0));
