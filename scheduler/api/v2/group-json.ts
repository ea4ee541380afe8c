import { z } from 'zod';
import type { App } from '../../../src/model/app.ts';
import { maxInstances } from '../../../src/model/bounds.ts';
import { groupsAbove, rootGroupId } from '../../../src/model/group.ts';
import type { GroupId, PathId } from '../../../src/model/ids.ts';
import type { GroupUpdate } from '../../core/events.ts';
import type { Details } from '../problems.ts';
import type { PlacedApp } from './app-changes.ts';
import { parseAppId, parseGroupId, readDependencies } from './app-id.ts';
import { appJsonSchema, type AppJson } from './app-json.ts';

/** Marathon's group JSON as people send it: shapes only. */
export const groupUpdateSchema = z.object({
  id: z.string().optional(),
  apps: z.array(appJsonSchema).optional(),
  get groups() {
    return z.array(groupUpdateSchema).optional();
  },
  dependencies: z.array(z.string()).optional(),
  scaleBy: z.number().min(0).max(maxInstances).optional(),
  version: z.string().optional(),
  enforceRole: z.boolean().optional(),
  pods: z.array(z.unknown()).optional(),
});

/** Marathon's group JSON after the shape check. */
export type GroupJson = z.infer<typeof groupUpdateSchema>;

/** A group as it is wanted, with the definitions of its apps still in Marathon's JSON. */
interface ReadGroup extends Omit<GroupUpdate, 'apps' | 'groups'> {
  readonly apps?: readonly PlacedApp[];
  readonly groups?: readonly ReadGroup[];
}

/**
 * Makes every id in a group absolute and checks how they fit together; what is wrong goes to `details`.
 * @param role the role that every app has
 */
export class GroupReader {
  readonly #details: Details;
  readonly #role: string;
  readonly #seen = new Set<PathId>();
  /** The definitions found, in the order of the request. */
  readonly apps: PlacedApp[] = [];

  constructor(details: Details, role: string) {
    this.#details = details;
    this.#role = role;
  }

  read(json: GroupJson, id: GroupId, path = ''): ReadGroup {
    this.#once(id, `${path}/id`);
    this.#details.require((json.pods ?? []).length === 0, `${path}/pods`, 'pods are not supported');
    this.#checkRole(json, id, path);
    return {
      id,
      ...(json.apps === undefined ? {} : { apps: this.#readApps(json.apps, id, path) }),
      ...(json.groups === undefined ? {} : { groups: this.#readGroups(json.groups, id, path) }),
      ...(json.dependencies === undefined
        ? {}
        : { dependencies: readDependencies(json.dependencies, id, this.#details, path) }),
      ...(json.enforceRole === undefined || groupsAbove(id).length !== 1
        ? {}
        : { enforceRole: json.enforceRole }),
    };
  }

  #readApps(apps: readonly AppJson[], group: GroupId, path: string): PlacedApp[] {
    return apps.flatMap((json, index) => {
      const at = `${path}/apps(${index})`;
      const parsed = parseAppId(json.id, group);
      if ('error' in parsed) this.#details.add(`${at}/id`, parsed.error);
      else if (!this.#isBelow(parsed.id, group)) this.#notBelow(at, group);
      else {
        this.#once(parsed.id, `${at}/id`);
        const read = { path: at, json: { ...json, id: parsed.id } };
        this.apps.push(read);
        return [read];
      }
      return [];
    });
  }

  #readGroups(groups: readonly GroupJson[], group: GroupId, path: string): ReadGroup[] {
    return groups.flatMap((json, index) => {
      const at = `${path}/groups(${index})`;
      this.#details.require(json.scaleBy === undefined, `${at}/scaleBy`, notAlone);
      const parsed = json.id === undefined ? { error: 'error.path.missing' } : parseGroupId(json.id, group);
      if ('error' in parsed) this.#details.add(`${at}/id`, parsed.error);
      else if (!this.#isBelow(parsed.id, group)) this.#notBelow(at, group);
      else return [this.read(json, parsed.id, at)];
      return [];
    });
  }

  #isBelow(id: PathId, group: GroupId): boolean {
    return id !== group && groupsAbove(id).includes(group);
  }

  #notBelow(at: string, group: GroupId): void {
    this.#details.add(`${at}/id`, `Identifier is not child of '${group}'. Hint: use relative paths.`);
  }

  #once(id: PathId, path: string): void {
    this.#details.require(!this.#seen.has(id), path, `'${id}' is given twice`);
    this.#seen.add(id);
  }

  #checkRole({ enforceRole }: GroupJson, id: GroupId, path: string): void {
    if (enforceRole !== true) return;
    const isTopLevel = id !== rootGroupId && groupsAbove(id).length === 1;
    const at = `${path}/enforceRole`;
    if (!isTopLevel) this.#details.add(at, 'enforceRole can only be set for a top-level group');
    else if (id !== `/${this.#role}`)
      this.#details.add(at, `is not supported: every app has the role '${this.#role}'`);
  }
}

/** Why a mode of PUT is refused beside another. */
export const notAlone = 'not allowed in conjunction with other properties';

/** The group with the definitions of its apps, which are given in the order in which they were read. */
export function withApps(group: ReadGroup, apps: ReadonlyMap<PlacedApp, App>): GroupUpdate {
  const { apps: read, groups, ...rest } = group;
  return {
    ...rest,
    ...(read === undefined ? {} : { apps: read.flatMap((each) => apps.get(each) ?? []) }),
    ...(groups === undefined ? {} : { groups: groups.map((each) => withApps(each, apps)) }),
  };
}
