import type { z } from 'zod';
import type { AppId } from '../../src/model/ids.ts';
import type { ChangeResult, Refusal } from '../core/events.ts';

/** Errors by path, Marathon's `details`: path syntax `/a/b(0)/c`, the root is `/`. */
export interface Detail {
  readonly path: string;
  readonly errors: readonly string[];
}

/** An answer that is not the one asked for: a status and a body in Marathon's shape. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;

  constructor(status: number, message: string, more: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.body = { message, ...more };
  }
}

export const notFound = (message: string): HttpProblem => new HttpProblem(404, message);
export const badRequest = (message: string): HttpProblem => new HttpProblem(400, message);

export const notValid = (details: readonly Detail[]): HttpProblem =>
  new HttpProblem(422, 'Object is not valid', { details });

/** Collects errors by path, in the order in which the paths were first named. */
export class Details {
  readonly #byPath = new Map<string, string[]>();

  add(path: string, error: string): void {
    const errors = this.#byPath.get(path);
    if (errors === undefined) this.#byPath.set(path, [error]);
    else if (!errors.includes(error)) errors.push(error);
  }

  /** Adds the error when the condition does not hold. */
  require(condition: boolean, path: string, error: string): void {
    if (!condition) this.add(path, error);
  }

  get empty(): boolean {
    return this.#byPath.size === 0;
  }

  list(): Detail[] {
    return [...this.#byPath].map(([path, errors]) => ({ path, errors }));
  }
}

/** `['container', 'volumes', 0, 'mode']` → `/container/volumes(0)/mode`. */
export function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `(${part})` : `/${String(part)}`)).join('');
  return text === '' ? '/' : text;
}

const expectedNames: Readonly<Record<string, string>> = {
  string: 'error.expected.jsstring',
  number: 'error.expected.jsnumber',
  int: 'error.expected.jsnumber',
  boolean: 'error.expected.jsboolean',
  array: 'error.expected.jsarray',
  object: 'error.expected.jsobject',
  record: 'error.expected.jsobject',
};

/**
 * A zod failure (parsed with `reportInput`) as Marathon words a wrong type or a broken constraint: 422.
 * @param at where in the request the value is
 */
export function wrongShape(error: z.ZodError, at = ''): HttpProblem {
  const details = new Details();
  for (const { path, issue } of error.issues.flatMap((each) => within(each))) {
    for (const text of issueTexts(issue)) details.add(`${at}${pathText(path)}`, text);
  }
  return new HttpProblem(422, 'Invalid JSON', { details: details.list() });
}

interface PlacedIssue {
  readonly path: readonly PropertyKey[];
  readonly issue: z.core.$ZodIssue;
}

/** Of several forms that a value may have, the one meant is that whose problem is inside of it, not the value itself. */
function within(issue: z.core.$ZodIssue, above: readonly PropertyKey[] = []): readonly PlacedIssue[] {
  const path = [...above, ...issue.path];
  const meant =
    issue.code === 'invalid_union'
      ? issue.errors.find((form) => form.every((inner) => inner.path.length > 0))
      : undefined;
  return meant === undefined ? [{ path, issue }] : meant.flatMap((inner) => within(inner, path));
}

/** Marathon's code, or words where it has none; to what is too large also how large it may be. */
function issueTexts(issue: z.core.$ZodIssue): string[] {
  if (issue.code === 'invalid_type') {
    return [
      issue.input === undefined ? 'error.path.missing' : (expectedNames[issue.expected] ?? issue.message),
    ];
  }
  if (issue.code === 'too_small') return [issue.origin === 'string' ? 'error.minLength' : 'error.min'];
  if (issue.code === 'too_big') {
    return ['error.max', ...(issue.origin === 'number' ? [`must be at most ${issue.maximum}`] : [])];
  }
  if (issue.code === 'invalid_format') return ['error.pattern'];
  if (issue.code === 'invalid_value') {
    return [`error.unknown.enum.literal: expected one of ${issue.values.map(String).join(', ')}`];
  }
  if (issue.code === 'unrecognized_keys') return [`unknown field: ${issue.keys.join(', ')}`];
  return [issue.message];
}

/** Where in a request the definitions of its apps are: `''` for the whole, `(7)`, `/groups(0)/apps(1)`. */
export type DefinitionPaths = ReadonlyMap<AppId, string>;

/** The refusal of a change as an HTTP answer; an accepted change is not one. */
export function refusal(
  result: Exclude<ChangeResult, { kind: 'accepted' }>,
  paths: DefinitionPaths = new Map(),
): HttpProblem {
  switch (result.kind) {
    case 'not-found':
      return notFound(result.message);
    case 'conflict':
      return new HttpProblem(
        409,
        result.message,
        result.deployments.length === 0 ? {} : { deployments: result.deployments.map((id) => ({ id })) },
      );
    case 'stale':
      return new HttpProblem(412, result.message);
    case 'too-many':
      return new HttpProblem(403, result.message);
    case 'invalid':
      return notValid(result.details.map((detail) => detailOf(detail, paths)));
  }
}

/** What is wrong with an app that the request does not define names it. */
function detailOf({ appId, path, errors }: Refusal, paths: DefinitionPaths): Detail {
  if (appId === undefined) return { path, errors };
  const at = paths.get(appId);
  if (at !== undefined) return { path: `${at}${path}`, errors };
  return { path, errors: errors.map((error) => `app '${appId}': ${error}`) };
}
