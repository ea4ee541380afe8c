import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { HttpProblem, wrongShape } from './problems.ts';

/** Deeper than any definition goes; checks call themselves for each level. */
const maxNesting = 200;

/** How deep brackets are nested in JSON text, whatever is in its strings. */
function nestingOf(text: string): number {
  let [depth, deepest] = [0, 0];
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') deepest = Math.max(deepest, ++depth);
    else if (token === ']' || token === '}') depth--;
  }
  return deepest;
}

/** The parsed JSON body: content types are not enforced, as with Marathon. @throws HttpProblem 400 */
export function jsonBody(request: FastifyRequest): unknown {
  const text = typeof request.body === 'string' ? request.body : '';
  if (text.trim() === '') {
    throw new HttpProblem(400, 'Please specify data in JSON format', { details: 'the body is empty' });
  }
  if (nestingOf(text) > maxNesting) {
    throw new HttpProblem(400, 'Invalid JSON', { details: `nested deeper than ${maxNesting} levels` });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpProblem(400, 'Invalid JSON', {
      details: error instanceof Error ? error.message : String(error),
    });
  }
}

/**
 * Checks a value against a schema: null counts as absent, unknown fields are named in the header
 * `X-Patchpanel-Ignored-Fields` (or refused with `?strict=true`).
 * @param at where in the request the value is
 * @throws HttpProblem 422 that names each wrong field
 */
export function checked<T>(
  schema: z.ZodType<T>,
  value: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  at = '',
): T {
  const input = withoutNulls(value);
  const result = schema.safeParse(input, { reportInput: true });
  if (!result.success) throw wrongShape(result.error, at);
  const ignored = ignoredFields(input, result.data, at).slice(0, 20);
  if (ignored.length > 0) {
    if (flag(request, 'strict')) {
      throw new HttpProblem(422, 'Invalid JSON', {
        details: ignored.map((path) => ({ path, errors: ['unknown field'] })),
      });
    }
    reply.header('X-Patchpanel-Ignored-Fields', ignored.map(encodeURI).join(', '));
  }
  return result.data;
}

/** A query parameter that is `true` in any case (or empty: `?force`). */
export function flag(request: FastifyRequest, name: string, fallback = false): boolean {
  const value = queryValues(request, name).at(-1)?.toLowerCase();
  return value === undefined ? fallback : value === 'true' || value === '';
}

/** Whether the body is a JSON merge patch (RFC 7396), in which null takes a field away. */
export const isMergePatch = (request: FastifyRequest): boolean =>
  request.headers['content-type']?.split(';')[0]?.trim() === 'application/merge-patch+json';

/** All values of a repeatable query parameter, `name` or `name[]`. */
export function queryValues(request: FastifyRequest, name: string): string[] {
  const query = request.query as Readonly<Record<string, string | string[] | undefined>>;
  return [query[name] ?? [], query[`${name}[]`] ?? []].flat();
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => (field === null ? [] : [[key, withoutNulls(field)]])),
  );
}

/** Paths that the schema dropped. */
function ignoredFields(input: unknown, output: unknown, path: string): string[] {
  if (Array.isArray(input) && Array.isArray(output)) {
    return input.flatMap((item, index) => ignoredFields(item, output[index], `${path}(${index})`));
  }
  if (!isObject(input) || !isObject(output)) return [];
  return Object.keys(input).flatMap((key) =>
    Object.hasOwn(output, key)
      ? ignoredFields(input[key], output[key], `${path}/${key}`)
      : [`${path}/${key}`],
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
