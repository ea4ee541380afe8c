import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { DropTally, seriesLimits, type DropSeries } from '../../scheduler/driver/counters/drop-series.ts';

const reasons = ['spoofed', 'fenced'] as const;
const drops = fc.array(
  fc.record({
    reason: fc.constantFrom(...reasons),
    // More slots than are told, so that they take each other's places.
    slot: fc.nat(3 * seriesLimits.told),
    packets: fc.integer({ min: 1, max: 50 }),
  }),
  { minLength: 400, maxLength: 1_500 },
);

const nameOf = ({ reason, host, slot }: DropSeries) => `${reason} ${host} ${slot}`;
const sumOf = (rows: readonly { readonly packets: number }[]) =>
  rows.reduce((sum, { packets }) => sum + packets, 0);

test('series of drops are few, sum up to all drops, never shrink, and are the largest', () => {
  fc.assert(
    fc.property(drops, (all) => {
      const tally = new DropTally();
      const last = new Map<string, number>();
      all.forEach(({ reason, slot, packets }, index) => {
        tally.add(reason, { host: 'h', slot: `/web#${slot}` }, packets);
        if (index % 10 !== 0) return;
        const series = tally.series();
        expect(sumOf(series)).toBe(sumOf(all.slice(0, index + 1)));
        expect(series.filter((row) => row.packets < (last.get(nameOf(row)) ?? 0))).toEqual([]);
        for (const row of series) last.set(nameOf(row), row.packets);
      });
      for (const reason of reasons) {
        const sums = new Map<number, number>();
        for (const each of all)
          if (each.reason === reason) sums.set(each.slot, (sums.get(each.slot) ?? 0) + each.packets);
        const told = tally.series().filter((row) => row.reason === reason && row.slot !== 'other');
        const largest = [...sums.values()].sort((a, b) => b - a).slice(0, seriesLimits.told);
        expect(told.map((row) => row.packets)).toEqual(largest);
      }
    }),
    { numRuns: 10 },
  );
});

test('rows that are not kept any more are among all others', () => {
  const tally = new DropTally();
  const slots = seriesLimits.kept + 10;
  for (let slot = 0; slot < slots; slot += 1) tally.add('spoofed', { host: 'h', slot: `/web#${slot}` }, 1);
  const series = tally.series();
  expect(series).toHaveLength(seriesLimits.told + 1);
  expect(series.at(-1)).toEqual({
    reason: 'spoofed',
    host: 'other',
    slot: 'other',
    packets: slots - seriesLimits.told,
  });
});
