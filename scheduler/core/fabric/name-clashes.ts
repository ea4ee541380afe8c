import { appName, fullName, lengthProblem, nameProblem } from '../../../src/fabric/names.ts';
import type { App } from '../../../src/model/app.ts';
import type { AppId, NetworkName } from '../../../src/model/ids.ts';
import type { Network } from '../../../src/model/network.ts';
import type { AppProblem } from '../slots/addresses.ts';
import type { AppEdit } from '../changes/app-edits.ts';
import type { World } from '../world.ts';

/**
 * Why an app of a change would be called like another one (`/a.b` and `/a-b` are called alike), or like a reserved
 * machine; undefined when every name leads to one thing. A name of a slot is no app's: no app is in another.
 */
export function nameClash(world: World, edits: readonly AppEdit[]): AppProblem | undefined {
  const named = edits.flatMap(({ before, after }) => {
    const name = after === undefined ? undefined : nameOf(world, after);
    const isNew = before === undefined || nameOf(world, before) !== name;
    return after === undefined || name === undefined || !isNew ? [] : [{ id: after.id, name }];
  });
  if (named.length === 0) return undefined;
  const edited = new Map(edits.map(({ appId, after }) => [appId, after]));
  const editedByName = new Map<string, AppId[]>();
  for (const app of edited.values()) if (app !== undefined) add(editedByName, nameOf(world, app), app.id);
  const reserved = reservedNames(world);
  for (const { id, name } of named) {
    const present = appsNamed(world, name).filter((owner) => !edited.has(owner));
    const app = [...present, ...(editedByName.get(name) ?? [])].find((owner) => owner !== id);
    const owner = app === undefined ? reserved.get(name) : `app '${app}'`;
    if (owner !== undefined) return { appId: id, path: '/id', error: `its name ${name} is that of ${owner}` };
  }
  return undefined;
}

/**
 * Why what is in a network cannot have its names under the domain that the network is to get: one would be too long for
 * DNS, or that of something in another network. Undefined when each can.
 */
export function domainProblem(world: World, { name: network, domain }: Network): string | undefined {
  const others = new Map<string, string>();
  const here: Named[] = [];
  for (const named of namedThings(world)) {
    const other = world.networks.get(named.network)?.domain ?? '';
    if (named.network === network) here.push(named);
    else others.set(fullName(named.name, other), named.owner);
  }
  for (const { name, owner, app } of here) {
    const full = fullName(name, domain);
    const bad = app === undefined ? lengthProblem(full) : nameProblem(app, domain);
    if (bad !== undefined) return bad;
    const other = others.get(full);
    if (other !== undefined) return `${full} would be the name of ${owner} and of ${other}`;
  }
  return undefined;
}

/** Something with a name within its network's domain. */
interface Named {
  readonly network: NetworkName;
  readonly name: string;
  /** In words. */
  readonly owner: string;
  /** Absent: a reserved machine. */
  readonly app?: AppId;
}

function* namedThings(world: World): Iterable<Named> {
  for (const { id, network } of world.apps.values()) {
    if (network.mode !== 'host')
      yield { network: network.name, name: appName(id), owner: `app '${id}'`, app: id };
  }
  yield* reservedThings(world);
}

function* reservedThings(world: World): Iterable<Named> {
  for (const { network, name } of world.reservations.values())
    yield { network, name, owner: `reservation '${name}' in network '${network}'` };
}

/** The app that has this full name. */
export const appNamed = (world: World, name: string): AppId | undefined => appsNamed(world, name)[0];

/** The same in any number; a name may be one under several domains, of which some are within others. */
function appsNamed(world: World, name: string): AppId[] {
  const domains = new Set(Array.from(world.networks.values(), ({ domain }) => domain));
  return [...domains].flatMap((domain) => {
    if (!name.endsWith(`.${domain}`)) return [];
    const candidates = world.appsByName.get(name.slice(0, -domain.length - 1)) ?? [];
    return [...candidates].filter((id) => {
      const app = world.apps.get(id);
      return app !== undefined && nameOf(world, app) === name;
    });
  });
}

function add(names: Map<string, AppId[]>, name: string | undefined, id: AppId): void {
  if (name === undefined) return;
  const known = names.get(name);
  if (known === undefined) names.set(name, [id]);
  else known.push(id);
}

/** By full name whose reservation it is, in words. */
function reservedNames(world: World): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { network, name, owner } of reservedThings(world)) {
    const domain = world.networks.get(network)?.domain ?? '';
    names.set(fullName(name, domain), owner);
  }
  return names;
}

/** Undefined on the host's network: it has no name. */
function nameOf(world: World, { id, network }: App): string | undefined {
  if (network.mode === 'host') return undefined;
  const domain = world.networks.get(network.name)?.domain;
  return domain === undefined ? undefined : fullName(appName(id), domain);
}
