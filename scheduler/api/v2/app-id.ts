import { parentOf, rootGroupId } from '../../../src/model/group.ts';
import {
  appId,
  groupId,
  longestAppId,
  type AppId,
  type GroupId,
  type PathId,
} from '../../../src/model/ids.ts';
import type { Details } from '../problems.ts';

const segment = /^(([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])\.)*([a-z0-9]|[a-z0-9][a-z0-9-]*[a-z0-9])$/;
const segmentText =
  '^(([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])\\.)*([a-z0-9]|[a-z0-9][a-z0-9\\-]*[a-z0-9])|(\\.|\\.\\.)$';
const reserved: ReadonlySet<string> = new Set(['restart', 'tasks', 'versions', '.', '..']);

interface IdError {
  readonly error: string;
}

/**
 * Makes an app id absolute against a group (`/` unless told): `.` and `..` resolved, doubled and trailing slashes
 * dropped. Gives an error text in Marathon's words when it is not an id.
 */
export function parseAppId(text: string, base: GroupId = rootGroupId): { readonly id: AppId } | IdError {
  const parsed = parseAppName(text, base);
  if ('error' in parsed || parsed.id.length <= longestAppId) return parsed;
  return { error: `must not have more than ${longestAppId} characters` };
}

/** The same for the name of an app that is there already: of any length, it may have been taken in without a bound. */
export function parseAppName(text: string, base: GroupId = rootGroupId): { readonly id: AppId } | IdError {
  const last = partsOf(text).at(-1);
  if (last !== undefined && reserved.has(last)) {
    return {
      error: 'must not end with any of the following reserved keywords: restart, tasks, versions, ., ..',
    };
  }
  const path = resolve(text, base);
  if ('error' in path) return path;
  if (path.parts.length === 0) {
    return {
      error: text.startsWith('/') ? 'must not be root' : 'Path must contain at least one path element',
    };
  }
  return { id: appId(`/${path.parts.join('/')}`) };
}

/** The same for a group, which may be the root and whose last part may not be taken for something below a group. */
export function parseGroupId(text: string, base: GroupId = rootGroupId): { readonly id: GroupId } | IdError {
  if (partsOf(text).at(-1) === 'versions')
    return { error: 'must not end with the reserved keyword versions' };
  const path = resolve(text, base);
  return 'error' in path ? path : { id: groupId(`/${path.parts.join('/')}`) };
}

/**
 * What a dependency of an app or a group names: `..` goes up from the dependent itself, as in Marathon; any other
 * relative name is beside it, since nothing that it could wait for is ever below it.
 */
function parseDependency(text: string, dependent: PathId): { readonly id: PathId } | IdError {
  const up = partsOf(text)[0] === '..';
  const path = resolve(text, up ? dependent : (parentOf(dependent) ?? rootGroupId));
  return 'error' in path ? path : { id: groupId(`/${path.parts.join('/')}`) };
}

/** Absolute dependencies of an app or a group; what is not an id goes to `details`. */
export function readDependencies(
  texts: readonly string[],
  dependent: PathId,
  details: Details,
  path = '',
): PathId[] {
  const ids = texts.flatMap((text, index) => {
    const parsed = parseDependency(text, dependent);
    if ('id' in parsed) return [parsed.id];
    details.add(`${path}/dependencies(${index})`, parsed.error);
    return [];
  });
  return [...new Set(ids)];
}

const partsOf = (text: string): string[] => text.split('/').filter((part) => part !== '');

function resolve(text: string, base: PathId): { readonly parts: readonly string[] } | IdError {
  const parts: string[] = [];
  for (const part of partsOf(`${text.startsWith('/') ? '' : base}/${text}`)) {
    if (part === '.') continue;
    if (part === '..') parts.pop();
    else if (segment.test(part)) parts.push(part);
    else return { error: `must fully match regular expression '${segmentText}'` };
  }
  return { parts };
}
