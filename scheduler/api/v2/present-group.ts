import type { App } from '../../../src/model/app.ts';
import type { Group } from '../../../src/model/group.ts';
import type { Tree } from '../../core/changes/tree.ts';

/** What GET shows of a group. */
export interface GroupEmbed {
  readonly apps: boolean;
  readonly groups: boolean;
  readonly pods: boolean;
}

/** `embed=group.groups` and its like; everything when nothing of the kind is asked for. What is unknown is ignored. */
export function parseGroupEmbed(values: readonly string[]): GroupEmbed {
  const apps = values.some((value) => value === 'group.apps' || value.startsWith('group.apps.'));
  const groups = values.includes('group.groups');
  const pods = values.includes('group.pods');
  return values.length === 0 ? { apps: true, groups: true, pods: true } : { apps, groups, pods };
}

/** A group as JSON text; `appText` makes the text of each app. */
export function groupText(
  tree: Tree,
  group: Group,
  embed: GroupEmbed,
  appText: (app: App) => string,
): string {
  const { id, dependencies, version, enforceRole } = group;
  const fields = [`"id":${JSON.stringify(id)}`];
  if (embed.apps) fields.push(`"apps":[${Array.from(tree.appsIn(id), appText).join(',')}]`);
  if (embed.groups) {
    const groups = Array.from(tree.groupsIn(id), (each) => groupText(tree, each, embed, appText));
    fields.push(`"groups":[${groups.join(',')}]`);
  }
  if (embed.pods) fields.push('"pods":[]');
  fields.push(`"dependencies":${JSON.stringify(dependencies)}`, `"version":${JSON.stringify(version)}`);
  if (enforceRole !== undefined) fields.push(`"enforceRole":${enforceRole}`);
  return `{${fields.join(',')}}`;
}
