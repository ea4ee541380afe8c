import type { Resource } from '../../proto/mesos.gen.ts';
import { fromMilli, noScalars, toMilli, type PortRange, type Scalars } from '../model/resources.ts';
import { coalesce, intersectRanges, subtractRanges } from './ranges.ts';

/** An amount of what tasks use: scalars in thousandths and host ports. */
export interface Amounts {
  readonly scalars: Scalars;
  readonly ports: readonly PortRange[];
}

type ScalarName = keyof Scalars;
const scalarNames: readonly ScalarName[] = ['cpus', 'mem', 'disk', 'gpus'];

/** The role that a resource is reserved for, `*` for an unreserved one, in the old and in the refined form. */
export function reservedRole(resource: Resource): string {
  return resource.reservations?.at(-1)?.role ?? resource.role ?? '*';
}

/**
 * Offered resources as they may be sent back. In JSON a master writes the default of `role` also beside `reservations`,
 * where it refuses it in a task.
 */
export const withoutDefaultRoles = (resources: readonly Resource[]): readonly Resource[] =>
  resources.map(({ role, ...resource }) =>
    role === undefined || role === unreserved || resource.reservations !== undefined
      ? resource
      : { ...resource, role },
  );

/** The role of what is reserved for nobody. */
export const unreserved = '*';

/** The roles that some of a list is reserved for. */
export function reservedRoles(resources: readonly Resource[]): readonly string[] {
  return [...new Set(resources.map(reservedRole))].filter((role) => role !== unreserved);
}

/**
 * What can be taken of a list, by the role that it is reserved for. Volumes, whole disks, shared and revocable
 * resources are left out: a task must ask for these by name.
 */
export function amountsByRole(resources: readonly Resource[]): ReadonlyMap<string, Amounts> {
  const result = new Map<string, Amounts>();
  for (const resource of resources.filter(isOrdinary)) {
    const role = reservedRole(resource);
    const before = result.get(role) ?? { scalars: noScalars, ports: [] };
    result.set(role, added(before, resource));
  }
  return result;
}

/** The same for all roles together, or only for those given. */
export function totalAmounts(resources: readonly Resource[], roles?: readonly string[]): Amounts {
  return resources
    .filter((resource) => isOrdinary(resource) && isAccepted(resource, roles))
    .reduce(added, { scalars: noScalars, ports: [] });
}

/** A division of a list of resources: `taken` and `rest` together are the whole. */
export interface Division {
  readonly taken: readonly Resource[];
  readonly rest: readonly Resource[];
}

/**
 * Takes `need` out of a list, reserved resources first, from several entries where one is not enough. Each entry
 * taken keeps its identity (reservations, allocation role, provider); what remains of it stays in `rest`.
 * Undefined when there is not enough. `roles` restricts what may be used (`*`: unreserved).
 */
export function take(
  resources: readonly Resource[],
  need: Amounts,
  roles?: readonly string[],
): Division | undefined {
  const missing: Record<ScalarName, number> = { ...need.scalars };
  let ports = coalesce(need.ports);
  const taken: Resource[] = [];
  const rest: Resource[] = resources.filter((resource) => !isUsable(resource, roles));
  for (const resource of reservedFirst(resources.filter((candidate) => isUsable(candidate, roles)))) {
    const name = scalarName(resource);
    const part = name === undefined ? takeRanges(resource, ports) : takeScalar(resource, missing[name]);
    taken.push(...part.taken);
    rest.push(...part.rest);
    if (name === undefined) ports = subtractRanges(ports, rangesOf(part.taken));
    else missing[name] -= part.taken.reduce((sum, { scalar }) => sum + milli(scalar), 0);
  }
  const enough = ports.length === 0 && scalarNames.every((name) => missing[name] <= 0);
  return enough ? { taken, rest } : undefined;
}

function takeScalar(resource: Resource, wanted: number): Division {
  const have = milli(resource.scalar);
  const used = Math.max(0, Math.min(have, wanted));
  if (used === 0) return { taken: [], rest: [resource] };
  if (used === have) return { taken: [resource], rest: [] };
  return { taken: [withScalar(resource, used)], rest: [withScalar(resource, have - used)] };
}

function takeRanges(resource: Resource, wanted: readonly PortRange[]): Division {
  const have = rangesOf([resource]);
  const used = intersectRanges(have, wanted);
  if (used.length === 0) return { taken: [], rest: [resource] };
  const left = subtractRanges(have, used);
  return {
    taken: [withRanges(resource, used)],
    rest: left.length === 0 ? [] : [withRanges(resource, left)],
  };
}

/** The same resource with another scalar amount, in thousandths. */
export function withScalar(resource: Resource, amount: number): Resource {
  return { ...resource, scalar: { value: fromMilli(amount) } };
}

/** The same resource with other ranges. */
export function withRanges(resource: Resource, ranges: readonly PortRange[]): Resource {
  return { ...resource, ranges: { range: coalesce(ranges) } };
}

function added(amounts: Amounts, resource: Resource): Amounts {
  const name = scalarName(resource);
  if (name === undefined) {
    return { ...amounts, ports: coalesce([...amounts.ports, ...rangesOf([resource])]) };
  }
  const sum = amounts.scalars[name] + milli(resource.scalar);
  return { ...amounts, scalars: { ...amounts.scalars, [name]: sum } };
}

function isUsable(resource: Resource, roles: readonly string[] | undefined): boolean {
  return isOrdinary(resource) && isAccepted(resource, roles);
}

function isOrdinary(resource: Resource): boolean {
  const isPorts = resource.name === 'ports' && resource.type === 'RANGES';
  const known = isPorts || scalarName(resource) !== undefined;
  return (
    known && resource.disk === undefined && resource.shared === undefined && resource.revocable === undefined
  );
}

function isAccepted(resource: Resource, roles: readonly string[] | undefined): boolean {
  return roles === undefined || roles.includes(reservedRole(resource));
}

function reservedFirst(resources: readonly Resource[]): readonly Resource[] {
  const rank = (resource: Resource): number => (reservedRole(resource) === '*' ? 1 : 0);
  return resources.toSorted((a, b) => rank(a) - rank(b));
}

function scalarName(resource: Resource): ScalarName | undefined {
  return resource.type === 'SCALAR' ? scalarNames.find((name) => name === resource.name) : undefined;
}

function rangesOf(resources: readonly Resource[]): readonly PortRange[] {
  return coalesce(resources.flatMap((resource) => resource.ranges?.range ?? []));
}

function milli(scalar: Resource['scalar']): number {
  return toMilli(scalar?.value ?? 0);
}
