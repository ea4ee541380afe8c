import type { Resource } from '../../../../proto/mesos.gen.ts';
import { bundleOf, describeRanges, type Bundle } from './bundle.ts';

/** Resources as the pages show them: all four scalars, zero where there is none, and ranges as text. */
export function summaryOf(bundle: Bundle): Record<string, number | string> {
  const summary: Record<string, number | string> = { disk: 0, mem: 0, gpus: 0, cpus: 0 };
  for (const [name, milli] of bundle.scalars) summary[name] = milli / 1000;
  for (const [name, ranges] of bundle.ranges) summary[name] = describeRanges(ranges);
  return summary;
}

export const resourceSummary = (resources: readonly Resource[] = []): Record<string, number | string> =>
  summaryOf(bundleOf(resources));
