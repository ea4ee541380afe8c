import type { App } from '../../../src/model/app.ts';
import { versionAt, versionTime } from '../../../src/model/ids.ts';
import { rootGroupId } from '../../../src/model/group.ts';
import type { AppVersion } from '../../../src/model/ids.ts';
import type { Instance } from '../../../src/model/instance.ts';
import type { World } from '../world.ts';

/** A change of one of these reaches only new tasks, so the running ones are replaced. */
const taskFields = [
  'cmd',
  'args',
  'cpus',
  'mem',
  'disk',
  'gpus',
  'env',
  'secrets',
  'tty',
  'resourceLimits',
  'user',
  'container',
  'network',
  'portDefinitions',
  'requirePorts',
  'fetch',
  'role',
  'executor',
  // Where a task may be: one that is elsewhere has to move.
  'constraints',
  'acceptedResourceRoles',
] as const satisfies readonly (keyof App)[];

/** True when the running tasks of `before` are not what `after` asks for. */
export const needsNewTasks = (before: App, after: App): boolean =>
  taskFields.some((field) => !isDeepEqual(before[field], after[field]));

/** True when the two definitions differ in anything but their versions. */
export function isSameDefinition(before: App, after: App): boolean {
  const { version: _v, versionInfo: _i, ...one } = before;
  const { version: _w, versionInfo: _j, ...other } = after;
  return isDeepEqual(one, other);
}

/** The version of a change at `now`: later than every change before, whatever the clock says. */
export function nextVersion(world: World, now: number): AppVersion {
  const latest = world.groups.get(rootGroupId)?.version;
  return versionAt(Math.max(now, latest === undefined ? 0 : versionTime(latest) + 1));
}

/** The definition that the instance was launched with; undefined: so many came after it that it is no longer kept. */
export function launchedFrom(world: World, { appId, version }: Instance): App | undefined {
  const current = world.apps.get(appId);
  return current?.version === version ? current : world.versions.get(appId)?.get(version);
}

/** The definition with its version and what of it changed. */
export function stamp(before: App | undefined, after: App, version: AppVersion): App {
  if (before === undefined)
    return { ...after, version, versionInfo: { lastScalingAt: version, lastConfigChangeAt: version } };
  return {
    ...after,
    version,
    versionInfo: {
      lastScalingAt: before.instances === after.instances ? before.versionInfo.lastScalingAt : version,
      lastConfigChangeAt: needsNewTasks(before, after) ? version : before.versionInfo.lastConfigChangeAt,
    },
  };
}

/** Equality of plain JSON values; the order of keys does not matter, an undefined one is an absent one. */
export function isDeepEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const left = one as Readonly<Record<string, unknown>>;
  const right = other as Readonly<Record<string, unknown>>;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...keys].every((key) => isDeepEqual(left[key], right[key]));
}
