import type { Resource } from '../../proto/mesos.gen.ts';
import { toMilli } from '../model/resources.ts';
import { withRanges, withScalar } from './resources.ts';
import { coalesce, subtractRanges } from './ranges.ts';

/**
 * What makes two entries the same resource, as text: everything but the amount. Mesos adds and subtracts only
 * amounts of equal identity.
 */
function identityOf(resource: Resource): string {
  const { scalar: _scalar, ranges: _ranges, set: _set, role, ...identity } = resource;
  return canonical({ ...identity, role: role ?? '*' });
}

/** The sum of two lists, one entry for each identity; entries without an amount are left out. */
export function addResources(a: readonly Resource[], b: readonly Resource[]): readonly Resource[] {
  const sums = new Map<string, Resource>();
  for (const resource of [...a, ...b]) {
    const key = identityOf(resource);
    const before = sums.get(key);
    sums.set(key, before === undefined ? normalised(resource) : sumOf(before, resource));
  }
  return [...sums.values()].filter((resource) => !isEmpty(resource));
}

/** `whole` without `part`; undefined when `part` is not contained in `whole`, identity by identity. */
export function subtractResources(
  whole: readonly Resource[],
  part: readonly Resource[],
): readonly Resource[] | undefined {
  const rest = new Map(addResources(whole, []).map((resource) => [identityOf(resource), resource]));
  for (const resource of addResources(part, [])) {
    const key = identityOf(resource);
    const have = rest.get(key);
    const left = have === undefined ? undefined : differenceOf(have, resource);
    if (left === undefined) return undefined;
    rest.set(key, left);
  }
  return [...rest.values()].filter((resource) => !isEmpty(resource));
}

function sumOf(a: Resource, b: Resource): Resource {
  switch (a.type) {
    case 'SCALAR':
      return withScalar(a, milli(a) + milli(b));
    case 'RANGES':
      return withRanges(a, [...ranges(a), ...ranges(b)]);
    case 'SET':
    case 'TEXT':
      return withItems(a, [...items(a), ...items(b)]);
  }
}

function differenceOf(a: Resource, b: Resource): Resource | undefined {
  switch (a.type) {
    case 'SCALAR':
      return milli(b) > milli(a) ? undefined : withScalar(a, milli(a) - milli(b));
    case 'RANGES':
      if (subtractRanges(ranges(b), ranges(a)).length > 0) return undefined;
      return withRanges(a, subtractRanges(ranges(a), ranges(b)));
    case 'SET':
    case 'TEXT':
      if (items(b).some((item) => !items(a).includes(item))) return undefined;
      return withItems(
        a,
        items(a).filter((item) => !items(b).includes(item)),
      );
  }
}

function normalised(resource: Resource): Resource {
  return resource.type === 'RANGES' ? withRanges(resource, ranges(resource)) : resource;
}

function isEmpty(resource: Resource): boolean {
  switch (resource.type) {
    case 'SCALAR':
      return milli(resource) === 0;
    case 'RANGES':
      return ranges(resource).length === 0;
    case 'SET':
    case 'TEXT':
      return items(resource).length === 0;
  }
}

const milli = (resource: Resource): number => toMilli(resource.scalar?.value ?? 0);
const ranges = (resource: Resource) => coalesce(resource.ranges?.range ?? []);
const items = (resource: Resource): readonly string[] => resource.set?.item ?? [];

function withItems(resource: Resource, item: readonly string[]): Resource {
  return { ...resource, set: { item: [...new Set(item)] } };
}

/** JSON with sorted keys, without what is undefined. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join(',')}}`;
}
