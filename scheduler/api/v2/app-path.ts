import { badRequest } from '../problems.ts';

/** What follows `/v2/apps/` in a URL: ids contain slashes, so the tail decides what is meant. */
export type AppPath =
  | { readonly kind: 'app'; readonly id: string }
  | { readonly kind: 'group-apps'; readonly group: string }
  | { readonly kind: 'group-tasks'; readonly group: string }
  | { readonly kind: 'restart'; readonly id: string }
  | { readonly kind: 'tasks'; readonly id: string }
  | { readonly kind: 'task'; readonly id: string; readonly taskId: string }
  | { readonly kind: 'versions'; readonly id: string }
  | { readonly kind: 'version'; readonly id: string; readonly version: string };

/** `shop/web/tasks/x` → task `x` of `/shop/web`. */
export function parseAppPath(rest: string): AppPath {
  const parts = rest.split('/').filter((part) => part !== '');
  if (parts.length === 0) throw badRequest('Path must contain at least one path element');
  const last = parts.at(-1);
  const beforeLast = parts.at(-2);
  const join = (count: number) => `/${parts.slice(0, parts.length - count).join('/')}`;
  if (last === '*') return { kind: 'group-apps', group: join(1) };
  if (last === 'tasks' && beforeLast === '*') return { kind: 'group-tasks', group: join(2) };
  if (parts.length > 1 && last === 'restart') return { kind: 'restart', id: join(1) };
  if (parts.length > 1 && last === 'tasks') return { kind: 'tasks', id: join(1) };
  if (parts.length > 1 && last === 'versions') return { kind: 'versions', id: join(1) };
  if (parts.length > 2 && beforeLast === 'tasks') return { kind: 'task', id: join(2), taskId: last ?? '' };
  if (parts.length > 2 && beforeLast === 'versions')
    return { kind: 'version', id: join(2), version: last ?? '' };
  return { kind: 'app', id: join(0) };
}
