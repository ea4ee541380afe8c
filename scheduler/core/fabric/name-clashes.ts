import { appName, fullName } from '../../../src/fabric/names.ts';
import type { App } from '../../../src/model/app.ts';
import type { AppId } from '../../../src/model/ids.ts';
import type { AddressProblem } from '../slots/addresses.ts';
import type { AppEdit } from '../changes/app-edits.ts';
import type { World } from '../world.ts';

/**
 * Why an app of a change would be called like another one (`/a.b` and `/a-b` are called alike), or like a reserved
 * machine; undefined when every name leads to one thing. A name of a slot is no app's: no app is in another.
 */
export function nameClash(world: World, edits: readonly AppEdit[]): AddressProblem | undefined {
  const named = edits.flatMap(({ before, after }) => {
    const name = after === undefined ? undefined : nameOf(world, after);
    const isNew = before === undefined || nameOf(world, before) !== name;
    return after === undefined || name === undefined || !isNew ? [] : [{ id: after.id, name }];
  });
  if (named.length === 0) return undefined;
  const owners = ownersAfter(world, edits);
  for (const { id, name } of named) {
    const other = owners.get(name)?.find((owner) => owner !== `app '${id}'`);
    if (other !== undefined) return { path: '/id', error: `its name ${name} is that of ${other}` };
  }
  return undefined;
}

/** The app that has this full name. */
export function appNamed(world: World, name: string): AppId | undefined {
  for (const app of world.apps.values()) if (nameOf(world, app) === name) return app.id;
  return undefined;
}

/** By full name who has it after the change, in words. */
function ownersAfter(world: World, edits: readonly AppEdit[]): ReadonlyMap<string, readonly string[]> {
  const apps = new Map(world.apps);
  for (const { appId, after } of edits) {
    if (after === undefined) apps.delete(appId);
    else apps.set(appId, after);
  }
  const owners = new Map<string, string[]>();
  const add = (name: string, owner: string): void => {
    const known = owners.get(name);
    if (known === undefined) owners.set(name, [owner]);
    else known.push(owner);
  };
  for (const app of apps.values()) {
    const name = nameOf(world, app);
    if (name !== undefined) add(name, `app '${app.id}'`);
  }
  for (const { network, name } of world.reservations.values()) {
    const domain = world.networks.get(network)?.domain ?? '';
    add(fullName(name, domain), `reservation '${name}' in network '${network}'`);
  }
  return owners;
}

/** Undefined on the host's network: it has no name. */
function nameOf(world: World, { id, network }: App): string | undefined {
  if (network.mode === 'host') return undefined;
  const domain = world.networks.get(network.name)?.domain;
  return domain === undefined ? undefined : fullName(appName(id), domain);
}
