import type { App } from '../../../src/model/app.ts';
import { parentOf } from '../../../src/model/group.ts';
import type { Group } from '../../../src/model/group.ts';
import type { AppId, GroupId, PathId } from '../../../src/model/ids.ts';
import type { GroupContents, World } from '../world.ts';

const empty: GroupContents = { apps: new Set(), groups: new Set() };

/**
 * Apps and groups as people last wanted them, or as they are with further edits: an app that is being stopped and a
 * group that goes with its last app are not there any more. Edits cost what is edited; the world is not copied.
 */
export class Tree {
  readonly #world: World;
  readonly #apps = new Map<AppId, App | undefined>();
  readonly #groups = new Map<GroupId, Group | undefined>();
  /** What edits have put directly into a group. */
  readonly #added = new Map<GroupId, GroupContents>();

  constructor(world: World) {
    this.#world = world;
  }

  app(id: AppId): App | undefined {
    if (this.#apps.has(id)) return this.#apps.get(id);
    return wantedApp(this.#world, id);
  }

  group(id: GroupId): Group | undefined {
    if (this.#groups.has(id)) return this.#groups.get(id);
    const group = this.#world.groups.get(id);
    return group?.leaving === true ? undefined : group;
  }

  /** Edits an app; undefined: it goes. */
  setApp(id: AppId, app: App | undefined): void {
    this.#apps.set(id, app);
    if (app !== undefined) this.#addedTo(id)?.apps.add(id);
  }

  /** Edits a group; undefined: it goes. */
  setGroup(id: GroupId, group: Group | undefined): void {
    this.#groups.set(id, group);
    if (group !== undefined) this.#addedTo(id)?.groups.add(id);
  }

  /** The apps directly in a group. */
  *appsIn(id: GroupId): Iterable<App> {
    for (const child of this.#children(id, 'apps')) {
      const app = this.app(child as AppId);
      if (app !== undefined) yield app;
    }
  }

  /** The groups directly in a group. */
  *groupsIn(id: GroupId): Iterable<Group> {
    for (const child of this.#children(id, 'groups')) {
      const group = this.group(child as GroupId);
      if (group !== undefined) yield group;
    }
  }

  /** Every app below a group. */
  *appsBelow(id: GroupId): Iterable<App> {
    yield* this.appsIn(id);
    for (const group of this.groupsIn(id)) yield* this.appsBelow(group.id);
  }

  /** Every group below a group, each before those in it. */
  *groupsBelow(id: GroupId): Iterable<Group> {
    for (const group of this.groupsIn(id)) {
      yield group;
      yield* this.groupsBelow(group.id);
    }
  }

  /** True when nothing is in the group. */
  isEmpty(id: GroupId): boolean {
    for (const _ of this.appsIn(id)) return false;
    for (const _ of this.groupsIn(id)) return false;
    return true;
  }

  *#children(id: GroupId, kind: keyof GroupContents): Iterable<PathId> {
    const known = (this.#world.contents.get(id) ?? empty)[kind] as ReadonlySet<PathId>;
    yield* known;
    for (const added of (this.#added.get(id) ?? empty)[kind]) if (!known.has(added)) yield added;
  }

  #addedTo(id: PathId): GroupContents | undefined {
    const parent = parentOf(id);
    if (parent === undefined) return undefined;
    const known = this.#added.get(parent);
    if (known !== undefined) return known;
    const added: GroupContents = { apps: new Set(), groups: new Set() };
    this.#added.set(parent, added);
    return added;
  }
}

/** True while an app is being deleted: it is not wanted any more, and some of its tasks have not ended. */
export const isLeaving = (world: World, id: AppId): boolean =>
  world.jobs.get(id)?.action === 'StopApplication';

/** The app as people last wanted it; undefined also while it is being deleted. */
export const wantedApp = (world: World, id: AppId): App | undefined =>
  isLeaving(world, id) ? undefined : world.apps.get(id);
