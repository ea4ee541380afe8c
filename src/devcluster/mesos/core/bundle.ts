import type { PortRange } from '../../../model/resources.ts';
import { coalesce, subtractRanges } from '../../../mesos/ranges.ts';
import type { Resource } from '../../../../proto/mesos.gen.ts';

/**
 * Amounts of resources without their identity: scalars in integer thousandths, ranges sorted, disjoint and apart.
 * Bundles are never changed in place; what is zero or empty is absent.
 */
export interface Bundle {
  readonly scalars: ReadonlyMap<string, number>;
  readonly ranges: ReadonlyMap<string, readonly PortRange[]>;
}

export const emptyBundle: Bundle = { scalars: new Map(), ranges: new Map() };

/** Adds up a list of resources. Sets count as scalars of their size: no agent here offers one. */
export function bundleOf(resources: readonly Resource[] = []): Bundle {
  const scalars = new Map<string, number>();
  const ranges = new Map<string, readonly PortRange[]>();
  for (const resource of resources) {
    if (resource.type === 'RANGES') {
      const sum = coalesce([...(ranges.get(resource.name) ?? []), ...(resource.ranges?.range ?? [])]);
      if (sum.length > 0) ranges.set(resource.name, sum);
      continue;
    }
    const amount =
      resource.type === 'SET' ? (resource.set?.item?.length ?? 0) : (resource.scalar?.value ?? 0);
    const milli = (scalars.get(resource.name) ?? 0) + Math.round(amount * 1000);
    if (milli !== 0) scalars.set(resource.name, milli);
  }
  return { scalars, ranges };
}

export function addBundles(a: Bundle, b: Bundle): Bundle {
  const scalars = new Map(a.scalars);
  for (const [name, milli] of b.scalars) setScalar(scalars, name, (scalars.get(name) ?? 0) + milli);
  const ranges = new Map(a.ranges);
  for (const [name, more] of b.ranges) ranges.set(name, coalesce([...(ranges.get(name) ?? []), ...more]));
  return { scalars, ranges };
}

/** `a` without `b`; the caller has made sure that `a` contains `b`. */
export function subtractBundles(a: Bundle, b: Bundle): Bundle {
  const scalars = new Map(a.scalars);
  for (const [name, milli] of b.scalars) setScalar(scalars, name, (scalars.get(name) ?? 0) - milli);
  const ranges = new Map(a.ranges);
  for (const [name, less] of b.ranges) {
    const rest = subtractRanges(ranges.get(name) ?? [], less);
    if (rest.length > 0) ranges.set(name, rest);
    else ranges.delete(name);
  }
  return { scalars, ranges };
}

/** Whether everything in `need` is in `have`. */
export function containsBundle(have: Bundle, need: Bundle): boolean {
  for (const [name, milli] of need.scalars) if (milli > (have.scalars.get(name) ?? 0)) return false;
  for (const [name, wanted] of need.ranges) {
    if (subtractRanges(wanted, have.ranges.get(name) ?? []).length > 0) return false;
  }
  return true;
}

export function isEmptyBundle(bundle: Bundle): boolean {
  return bundle.scalars.size === 0 && bundle.ranges.size === 0;
}

/** The bundle as Mesos resources: ranges first, as the master of a real cluster lists them in offers. */
export function resourcesOf(bundle: Bundle, identity: Partial<Resource> = {}): Resource[] {
  const ranges = [...bundle.ranges].map(([name, range]): Resource => ({
    name,
    type: 'RANGES',
    ranges: { range },
    ...identity,
  }));
  const scalars = [...bundle.scalars].map(([name, milli]): Resource => ({
    name,
    type: 'SCALAR',
    scalar: { value: milli / 1000 },
    ...identity,
  }));
  return [...ranges, ...scalars];
}

/** `cpus(allocated: *):0.1; ports(allocated: *):[31000-32000]`, the form of Mesos's messages. */
export function describeResources(resources: readonly Resource[]): string {
  return resources
    .map((resource) => {
      const role = resource.allocation_info?.role;
      const owner = role === undefined ? '' : `(allocated: ${role})`;
      return `${resource.name}${owner}:${describeAmount(resource)}`;
    })
    .join('; ');
}

/** `[31000-31005, 31007-31007]`, the form of Mesos's messages and state. */
export function describeRanges(ranges: readonly PortRange[]): string {
  return `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
}

function describeAmount(resource: Resource): string {
  if (resource.type === 'RANGES') return describeRanges(resource.ranges?.range ?? []);
  if (resource.type === 'SET') return `{${(resource.set?.item ?? []).join(', ')}}`;
  return String(resource.scalar?.value ?? 0);
}

function setScalar(scalars: Map<string, number>, name: string, milli: number): void {
  if (milli === 0) scalars.delete(name);
  else scalars.set(name, milli);
}
