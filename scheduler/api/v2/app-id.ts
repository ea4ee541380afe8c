import { appId, type AppId } from '../../../src/model/ids.ts';

const segment = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const segmentText =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';
const reserved: ReadonlySet<string> = new Set(['restart', 'tasks', 'versions', '.', '..']);

/**
 * Makes an app id absolute against a group (`/` unless told): `.` and `..` resolved, doubled and trailing slashes
 * dropped. Gives an error text in Marathon's words when it is not an id.
 */
export function parseAppId(text: string, base = '/'): { readonly id: AppId } | { readonly error: string } {
  const last = text
    .split('/')
    .filter((part) => part !== '')
    .at(-1);
  if (last !== undefined && reserved.has(last)) {
    return {
      error: 'must not end with any of the following reserved keywords: restart, tasks, versions, ., ..',
    };
  }
  const path: string[] = [];
  for (const part of `${text.startsWith('/') ? '' : base}/${text}`.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') path.pop();
    else if (segment.test(part)) path.push(part);
    else return { error: `must fully match regular expression '${segmentText}'` };
  }
  if (path.length === 0) return { error: 'Path must contain at least one path element' };
  return { id: appId(`/${path.join('/')}`) };
}
